package org.bicross.rerank;

import java.io.IOException;
import java.util.List;
import org.bicross.status.Counters;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.search.SearchModule;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.test.ESTestCase;
import org.elasticsearch.usage.SearchUsage;
import org.elasticsearch.xcontent.NamedXContentRegistry;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentParseException;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;

public class RerankParserTests extends ESTestCase {
    private static final RerankServices SERVICES =
            new RerankServices(null, new Counters(), 1_000, new MappedFields(), null);
    private static final String INNER = "\"retriever\":{\"standard\":{}},";
    private static final String REST = "\"field\":\"text\",\"model_id\":\"m\",\"model_text\":\"t\"";

    private static RerankRetrieverBuilder parse(String json) throws IOException {
        List<NamedXContentRegistry.Entry> names =
                new java.util.ArrayList<>(new SearchModule(Settings.EMPTY, List.of()).getNamedXContents());
        names.add(new NamedXContentRegistry.Entry(
                RetrieverBuilder.class,
                new ParseField(RerankRetrieverBuilder.NAME),
                (p, c) -> RerankRetrieverBuilder.fromXContent(p, (RetrieverParserContext) c, SERVICES)));
        XContentParserConfiguration config =
                XContentParserConfiguration.EMPTY.withRegistry(new NamedXContentRegistry(names));
        try (XContentParser parser = JsonXContent.jsonXContent.createParser(config, json)) {
            RetrieverParserContext context = new RetrieverParserContext(new SearchUsage(), feature -> true);
            return (RerankRetrieverBuilder) RetrieverBuilder.parseTopLevelRetrieverBuilder(parser, context);
        }
    }

    private static RerankRetrieverBuilder parseBody(String body) throws IOException {
        return parse("{\"bicross_rerank\":{" + body + "}}");
    }

    private static void refused(String body, String... words) {
        Exception e = expectThrows(ParsingException.class, () -> parseBody(body));
        for (String word : words) {
            assertTrue(e.getMessage(), e.getMessage().contains(word));
        }
    }

    public void testWhatIsWrittenAsJsonIsReadTheSame() throws IOException {
        RerankRetrieverBuilder retriever = parseBody(
                INNER + REST
                        + ",\"rank_window_size\":50,\"budget\":80,\"on_rerank_failure\":\"keep_first_pass\",\"min_score\":0.5,\"_name\":\"mine\",\"filter\":{\"term\":{\"tag\":\"x\"}}");
        RerankRetrieverBuilder again = parse(Strings.toString(retriever));
        assertEquals(retriever, again);
        assertEquals(retriever.hashCode(), again.hashCode());
        assertEquals(50, again.rankWindowSize());
        assertEquals(0.5f, again.minScore(), 0f);
        assertEquals("mine", again.retrieverName());
        assertEquals(1, again.getPreFilterQueryBuilders().size());
        assertNotEquals(retriever, parseBody(INNER + REST + ",\"rank_window_size\":50"));
        assertNotEquals(parseBody(INNER + REST), parseBody(INNER + REST + ",\"budget\":80"));
    }

    public void testABudgetIsPositiveAndAFailureHasTwoWays() throws IOException {
        assertEquals(parseBody(INNER + REST), parseBody(INNER + REST + ",\"on_rerank_failure\":\"fail\""));
        refused(INNER + REST + ",\"budget\":0", "[budget]", "[0]");
        refused(INNER + REST + ",\"budget\":-5", "[budget]", "[-5]");
        refused(INNER + REST + ",\"on_rerank_failure\":\"skip\"", "[on_rerank_failure]", "keep_first_pass", "[skip]");
    }

    public void testACopyLosesNothing() throws IOException {
        RerankRetrieverBuilder retriever = parseBody(
                INNER + REST + ",\"budget\":80,\"min_score\":0.5,\"_name\":\"mine\",\"filter\":{\"match_all\":{}}");
        assertEquals(retriever, retriever.clone(retriever.innerRetrievers(), retriever.getPreFilterQueryBuilders()));
    }

    public void testTheWindowIsTenUnlessSaidAndBounded() throws IOException {
        assertEquals(10, parseBody(INNER + REST).rankWindowSize());
        refused(INNER + REST + ",\"rank_window_size\":0", "[rank_window_size]", "[0]");
        refused(INNER + REST + ",\"rank_window_size\":-1", "[rank_window_size]");
        refused(INNER + REST + ",\"rank_window_size\":1001", "1000", "[1001]", "bicross.rerank.max_rank_window_size");
    }

    public void testNamesOfTheOtherRerankerGetOurs() {
        refused(INNER + "\"field\":\"f\",\"inference_id\":\"m\"", "[inference_id]", "[model_id]");
        refused(INNER + "\"field\":\"f\",\"inference_text\":\"t\"", "[inference_text]", "[model_text]");
    }

    public void testEmptyAndUnknownValuesNameTheirField() {
        refused(INNER + REST.replace("\"t\"", "\" \""), "[model_text]");
        refused(INNER + REST.replace("\"text\"", "\"\""), "[field]");
        refused(INNER + REST.replace("\"m\"", "\"http://x\""), "[model_id]", "names only");
        for (String key : List.of("endpoint", "url", "headers", "on_failure")) {
            Exception e = expectThrows(
                    XContentParseException.class, () -> parseBody(INNER + REST + ",\"" + key + "\":\"x\""));
            assertTrue(e.getMessage(), e.getMessage().contains("unknown field [" + key + "]"));
        }
    }
}
