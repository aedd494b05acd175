package org.bicross.rerank;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.apache.lucene.search.ScoreDoc;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * {@code {"bicross_rerank": {"retriever", "field", "model_id", "model_text", "rank_window_size", "budget",
 * "on_rerank_failure", "min_score", "filter"}}}: the hits of the inner retriever, in the order that a cross-encoder gives
 * them. The base class runs the inner retriever as a search of its own; this adds the rank builder that has its window
 * scored.
 */
public final class RerankRetrieverBuilder extends CompoundRetrieverBuilder<RerankRetrieverBuilder> {
    public static final String NAME = "bicross_rerank";

    private final RerankRankBuilder.Question question;
    private final RerankTerms terms;
    private final RerankServices services;
    /** Set once the first pass's search is made; every later copy takes it along. */
    private FirstPass firstPass;

    RerankRetrieverBuilder(
            List<RetrieverSource> inner,
            RerankRankBuilder.Question question,
            int rankWindowSize,
            RerankTerms terms,
            RerankServices services) {
        super(inner, rankWindowSize);
        this.question = question;
        this.terms = terms;
        this.services = services;
        if (rankWindowSize < 1 || rankWindowSize > services.maxRankWindow()) {
            throw new IllegalArgumentException("[rank_window_size] must be between 1 and " + services.maxRankWindow()
                    + ", found [" + rankWindowSize
                    + "]; the limit is the node setting [bicross.rerank.max_rank_window_size]");
        }
        if (question.text().isBlank()) {
            throw new IllegalArgumentException("[model_text] must hold the text of the query, found an empty one");
        }
        if (question.field().isBlank()) {
            throw new IllegalArgumentException("[field] must name the field that holds the text, found an empty name");
        }
    }

    public static RerankRetrieverBuilder fromXContent(
            XContentParser parser, RetrieverParserContext context, RerankServices services) throws IOException {
        return RerankParser.parse(parser, context, services);
    }

    /** The base class copies nothing by itself: what is forgotten here is lost on the first rewrite. */
    @Override
    protected RerankRetrieverBuilder clone(List<RetrieverSource> inner, List<QueryBuilder> preFilters) {
        RerankRetrieverBuilder copy = new RerankRetrieverBuilder(inner, question, rankWindowSize, terms, services);
        copy.preFilterQueryBuilders = preFilters;
        copy.minScore = minScore;
        copy.retrieverName = retrieverName;
        copy.firstPass = firstPass;
        return copy;
    }

    @Override
    protected RetrieverBuilder doRewrite(QueryRewriteContext context) {
        if (firstPass == null && context.getResolvedIndices() != null) {
            boolean onlyLocal =
                    context.getResolvedIndices().getRemoteClusterIndices().isEmpty();
            if (onlyLocal) {
                services.fields()
                        .requireMapped(
                                question.field(),
                                context.getResolvedIndices()
                                        .getConcreteLocalIndicesMetadata()
                                        .values());
            }
        }
        return this;
    }

    @Override
    protected SearchSourceBuilder finalizeSourceBuilder(SearchSourceBuilder source) {
        firstPass = new FirstPass();
        return source.rankBuilder(new RerankRankBuilder(rankWindowSize, question, terms, services, firstPass));
    }

    /** The one inner search is reranked already; what is left is to keep its order, ties included, to the end. */
    @Override
    protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> results, boolean explain) {
        ScoreDoc[] docs = results.get(0);
        float[] scores = Ties.separate(docs);
        RankDoc[] ranked = new RankDoc[docs.length];
        for (int i = 0; i < docs.length; i++) {
            RankDoc hit = (RankDoc) docs[i];
            hit.rank = i + 1;
            FirstPass.Stage stage = firstPass == null ? null : firstPass.stage(hit);
            ranked[i] = new RerankDoc(hit, scores[i], question, stage);
        }
        return ranked;
    }

    void preFilters(List<QueryBuilder> filters) {
        preFilterQueryBuilders = filters;
    }

    @Override
    public String getName() {
        return NAME;
    }

    @Override
    protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
        builder.field("retriever", innerRetrievers.get(0).retriever());
        builder.field("field", question.field());
        builder.field("model_id", question.model().full());
        builder.field("model_text", question.text());
        builder.field("rank_window_size", rankWindowSize);
        if (terms.budgetMs() != null) {
            builder.field("budget", terms.budgetMs());
        }
        builder.field("on_rerank_failure", terms.onFailure().toString());
    }

    @Override
    public boolean doEquals(Object other) {
        return super.doEquals(other)
                && question.equals(((RerankRetrieverBuilder) other).question)
                && terms.equals(((RerankRetrieverBuilder) other).terms);
    }

    @Override
    public int doHashCode() {
        return Objects.hash(super.doHashCode(), question, terms);
    }
}
