package org.bicross.rerank;

import static org.elasticsearch.xcontent.ConstructingObjectParser.constructorArg;
import static org.elasticsearch.xcontent.ConstructingObjectParser.optionalConstructorArg;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bicross.protocol.Checks;
import org.bicross.protocol.ModelName;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.index.query.AbstractQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.search.rank.RankBuilder;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder.RetrieverSource;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ObjectParser.ValueType;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentParseException;
import org.elasticsearch.xcontent.XContentParser;

/** Reads the retriever, and tells who comes from {@code text_similarity_reranker} what the parameters are called here. */
final class RerankParser {
    private record Context(RetrieverParserContext outer) {}

    /** What was read, before it is checked: a refusal inside the parser would be buried under "failed to build". */
    private static final class Parsed {
        final RetrieverBuilder inner;
        final String field;
        final String modelId;
        final String text;
        final int window;
        List<QueryBuilder> filters = new ArrayList<>();
        Float minScore;
        String name;
        Integer budgetMs;
        String onFailure = RerankTerms.USUAL.onFailure().toString();

        Parsed(RetrieverBuilder inner, String field, String modelId, String text, int window) {
            this.inner = inner;
            this.field = field;
            this.modelId = modelId;
            this.text = text;
            this.window = window;
        }

        RerankRetrieverBuilder build(RerankServices services) {
            var question = new RerankRankBuilder.Question(field, ModelName.parse("model_id", modelId), text);
            var terms = new RerankTerms(budgetMs, RerankTerms.OnFailure.named(onFailure));
            var retriever = new RerankRetrieverBuilder(
                    new ArrayList<>(List.of(RetrieverSource.from(inner))), question, window, terms, services);
            retriever.preFilters(filters);
            retriever.minScore(minScore);
            retriever.retrieverName(name);
            return retriever;
        }
    }

    /** Their name to ours. */
    private static final Map<String, String> OTHER_NAMES = Map.of(
            "inference_id", "model_id",
            "inference_text", "model_text",
            "query", "model_text",
            "window_size", "rank_window_size");

    private static final ConstructingObjectParser<Parsed, Context> PARSER = new ConstructingObjectParser<>(
            RerankRetrieverBuilder.NAME,
            false,
            args -> new Parsed(
                    (RetrieverBuilder) args[0],
                    (String) args[1],
                    (String) args[2],
                    (String) args[3],
                    args[4] == null ? RankBuilder.DEFAULT_RANK_WINDOW_SIZE : (int) args[4]));

    static {
        PARSER.declareNamedObject(
                constructorArg(),
                (parser, context, name) -> parser.namedObject(RetrieverBuilder.class, name, context.outer),
                new ParseField("retriever"));
        PARSER.declareString(constructorArg(), new ParseField("field"));
        PARSER.declareString(constructorArg(), new ParseField("model_id"));
        PARSER.declareString(constructorArg(), new ParseField("model_text"));
        PARSER.declareInt(optionalConstructorArg(), new ParseField("rank_window_size"));
        PARSER.declareInt((parsed, budget) -> parsed.budgetMs = budget, new ParseField("budget"));
        PARSER.declareString((parsed, value) -> parsed.onFailure = value, new ParseField("on_rerank_failure"));
        PARSER.declareFieldArray(
                (parsed, filters) -> parsed.filters = filters,
                (parser, context) -> AbstractQueryBuilder.parseTopLevelQuery(parser, context.outer::trackQueryUsage),
                RetrieverBuilder.PRE_FILTER_FIELD,
                ValueType.OBJECT_ARRAY);
        PARSER.declareFloat((parsed, score) -> parsed.minScore = score, RetrieverBuilder.MIN_SCORE_FIELD);
        PARSER.declareString((parsed, name) -> parsed.name = name, RetrieverBuilder.NAME_FIELD);
        OTHER_NAMES.forEach((theirs, ours) -> PARSER.declareField(
                (parsed, never) -> {},
                (parser, context) -> {
                    throw new ParsingException(
                            parser.getTokenLocation(),
                            "[{}] unknown field [{}], it is called [{}] here",
                            RerankRetrieverBuilder.NAME,
                            theirs,
                            ours);
                },
                new ParseField(theirs),
                ValueType.VALUE));
    }

    private RerankParser() {}

    static RerankRetrieverBuilder parse(XContentParser parser, RetrieverParserContext context, RerankServices services)
            throws IOException {
        Parsed parsed;
        try {
            parsed = PARSER.apply(parser, new Context(context));
        } catch (XContentParseException e) {
            if (e.getCause() instanceof ParsingException named) {
                throw named; // its message is the better one
            }
            throw e;
        }
        return Checks.named(parser, RerankRetrieverBuilder.NAME, () -> parsed.build(services));
    }
}
