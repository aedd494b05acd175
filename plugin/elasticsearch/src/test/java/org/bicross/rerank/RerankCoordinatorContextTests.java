package org.bicross.rerank;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.compat.Compat;
import org.bicross.protocol.ModelName;
import org.bicross.rerank.RerankTerms.OnFailure;
import org.bicross.search.SearchFilter;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.SearchResponse;
import org.elasticsearch.action.search.TransportSearchAction;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.search.rank.feature.RankFeatureDoc;
import org.elasticsearch.test.ESTestCase;
import org.elasticsearch.threadpool.TestThreadPool;
import org.elasticsearch.threadpool.ThreadPool;
import org.junit.After;
import org.junit.Before;

/** What becomes of a window that is not scored whole. */
public class RerankCoordinatorContextTests extends ESTestCase {
    private static final RerankTerms KEEPING = new RerankTerms(80, OnFailure.KEEP_FIRST_PASS);
    private static final String SCORED_2_OF_4 =
            "[bicross_rerank] scored 2 of 4 hits; the others keep the order of the first pass";
    private static final String SCORED_0_OF_4 =
            "[bicross_rerank] scored 0 of 4 hits; the others keep the order of the first pass";

    private final Counters counters = new Counters();
    private final ScriptedReranker client = new ScriptedReranker();
    private ThreadPool threadPool;

    @Before
    public void startPool() {
        threadPool = new TestThreadPool(getTestName());
        client.clockMs = threadPool::rawRelativeTimeInMillis;
    }

    @After
    public void stopPool() {
        terminate(threadPool);
    }

    /** Five hits of the first pass, best first; the fourth has no text. */
    private static RankFeatureDoc[] window() {
        List<RankFeatureDoc> docs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            RankFeatureDoc doc = new RankFeatureDoc(i, 10 - i, 0);
            Compat.setText(doc, i == 3 ? "" : "text " + i);
            docs.add(doc);
        }
        return docs.toArray(RankFeatureDoc[]::new);
    }

    /** Runs inside one search; the hits with their new scores, best first. */
    private RankFeatureDoc[] rerank(RerankTerms terms, SearchRequest search, Settings cluster) throws Exception {
        RankFeatureDoc[] docs = window();
        FirstPass firstPass = new FirstPass();
        firstPass.record(docs, threadPool.rawRelativeTimeInMillis());
        var question = new RerankRankBuilder.Question("text", ModelName.parse("model_id", "ms-marco"), "q");
        var services = new RerankServices(client, counters, 1_000, new MappedFields(), threadPool);
        var context = new RerankCoordinatorContext(10, 0, 10, question, terms, services, firstPass);
        AtomicReference<Exception> failed = new AtomicReference<>();
        Arrays.asList(docs).sort(Comparator.comparingInt(doc -> -doc.doc)); // as no one promises their order
        var filter = new SearchFilter(
                threadPool.getThreadContext(), new ClusterSettings(cluster, ClusterSettings.BUILT_IN_CLUSTER_SETTINGS));
        filter.<SearchRequest, SearchResponse>apply(
                null,
                TransportSearchAction.NAME,
                search,
                ActionListener.wrap(response -> {}, failed::set),
                (task, action, request, listener) ->
                        context.computeScores(docs, listener.<float[]>delegateFailure((l, scores) -> {
                            for (int i = 0; i < docs.length; i++) {
                                docs[i].score = scores[i];
                            }
                            l.onResponse(null);
                        })));
        if (failed.get() != null) {
            throw failed.get();
        }
        Arrays.sort(docs, Comparator.comparingDouble(doc -> -doc.score));
        return docs;
    }

    private RankFeatureDoc[] rerank(RerankTerms terms) throws Exception {
        return rerank(terms, new SearchRequest(), Settings.EMPTY);
    }

    private static void assertHits(RankFeatureDoc[] hits, List<Integer> docs, float... scores) {
        assertEquals(docs, Arrays.stream(hits).map(hit -> hit.doc).toList());
        for (int i = 0; i < scores.length; i++) {
            assertEquals(scores[i], hits[i].score, 1e-6f);
        }
    }

    private void assertFails(RestStatus status, RerankTerms terms, SearchRequest search, Settings cluster) {
        var shown = expectThrows(ElasticsearchStatusException.class, () -> rerank(terms, search, cluster));
        assertEquals(status, shown.status());
        assertEquals(0, counters.get(Counter.RERANKS_DEGRADED));
    }

    public void testAWholeAnswerWarnsOfNothing() throws Exception {
        client.logits = new float[] {1, 3, 2, 4};
        assertHits(rerank(KEEPING), List.of(4, 1, 2, 0, 3), 5, 4, 3, 2, 1);
        assertEquals(0, counters.get(Counter.RERANKS_DEGRADED));
    }

    public void testHitsWithoutAScoreStandBelowTheScoredInTheOrderOfTheFirstPass() throws Exception {
        client.logits = new float[] {1, 3, Float.NaN, Float.NaN};
        assertHits(rerank(KEEPING), List.of(1, 0, 2, 3, 4), 4, 2, 1.5f, 1, 0.5f);
        assertEquals(1, counters.get(Counter.RERANKS_DEGRADED));
        assertEquals(2, counters.get(Counter.RERANK_HITS_UNSCORED));
        assertEquals(1, counters.get(Counter.RERANK_HITS_WITHOUT_TEXT));
        assertWarnings(SCORED_2_OF_4);
    }

    public void testWhereNothingIsScoredTheFirstPassStandsUnchanged() throws Exception {
        client.logits = new float[] {Float.NaN, Float.NaN, Float.NaN, Float.NaN};
        assertHits(rerank(KEEPING), List.of(0, 1, 2, 3, 4), 10, 9, 8, 7, 6);
        assertEquals(4, counters.get(Counter.RERANK_HITS_UNSCORED));
        assertWarnings(SCORED_0_OF_4);
    }

    public void testAFailureKeepsTheFirstPassAndIsNamed() throws Exception {
        client.failure = new CallFailure(ErrorCode.DEADLINE_EXCEEDED, "late");
        for (RerankTerms terms : List.of(KEEPING, new RerankTerms(null, OnFailure.KEEP_FIRST_PASS))) {
            assertHits(rerank(terms), List.of(0, 1, 2, 3, 4), 10, 9, 8, 7, 6);
            assertWarnings(SCORED_0_OF_4, "[bicross_rerank] failed with [deadline_exceeded]");
        }
        assertEquals(8, counters.get(Counter.RERANK_HITS_UNSCORED));
    }

    public void testWhatTheCallerDidWrongIsStillAnError() {
        client.failure = new CallFailure(ErrorCode.INVALID_REQUEST, "no such thing");
        expectThrows(IllegalArgumentException.class, () -> rerank(KEEPING));
    }

    public void testASearchThatTakesNoPartialResultsFails() {
        client.failure = new CallFailure(ErrorCode.DEADLINE_EXCEEDED, "late");
        SearchRequest all = new SearchRequest().allowPartialSearchResults(false);
        assertFails(RestStatus.GATEWAY_TIMEOUT, KEEPING, all, Settings.EMPTY);
        assertFalse(client.request.partial());
        Settings byDefault = Settings.builder()
                .put("search.default_allow_partial_results", false)
                .build();
        assertFails(RestStatus.GATEWAY_TIMEOUT, KEEPING, new SearchRequest(), byDefault);
    }

    public void testByDefaultAFailedRerankFailsTheSearch() {
        client.failure = new CallFailure(ErrorCode.ENDPOINT_UNREACHABLE, "gone");
        assertFails(RestStatus.SERVICE_UNAVAILABLE, RerankTerms.USUAL, new SearchRequest(), Settings.EMPTY);
    }

    public void testPartialScoresAreAskedForWhereABudgetMayEndBeforeThem() throws Exception {
        client.logits = new float[4];
        rerank(KEEPING);
        assertTrue(client.request.partial());
        assertTrue(client.deadline.isBudget());
        rerank(new RerankTerms(null, OnFailure.KEEP_FIRST_PASS));
        assertFalse(client.request.partial());
        assertFalse(client.deadline.isBudget());
        rerank(new RerankTerms(80, OnFailure.FAIL));
        assertFalse("all or nothing", client.request.partial());
        assertTrue(client.deadline.isBudget());
        rerank(new RerankTerms(60_000, OnFailure.FAIL));
        assertFalse("the endpoint's own is earlier", client.deadline.isBudget());
    }
}
