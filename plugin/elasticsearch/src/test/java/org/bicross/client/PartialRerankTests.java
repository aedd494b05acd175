package org.bicross.client;

import static org.bicross.client.FaultyServer.answer;
import static org.bicross.client.FaultyServer.silence;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bicross.ErrorCode;
import org.bicross.Protocol;
import org.elasticsearch.common.settings.Settings;

/** A rerank of which some scores are of use without the others. */
public class PartialRerankTests extends HttpModelClientTestCase {
    private static final List<String> PASSAGES =
            List.of("a cat on a mat", "stock prices fell", "bread is made from water");
    private static final String PART = text("examples/rerank.partial.response.json");
    private static final String WHOLE = scores("relevance_score", 3);

    private static String text(String example) {
        return new String(Protocol.bytes(example), StandardCharsets.UTF_8);
    }

    private static String items(String field, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "{\"index\":" + i + ",\"" + field + "\":0.5}")
                .collect(Collectors.joining(",", "[", "]"));
    }

    private static String scores(String field, int count) {
        return "{\"results\":" + items(field, count) + "}";
    }

    /** Its list of models, and {@code reply} to what else it is asked. */
    private FaultyServer listing(String list, FaultyServer.Reply reply) throws IOException {
        return server(request -> request.line().startsWith("GET /v1/models ") ? answer(200, list) : reply);
    }

    private FaultyServer ours(FaultyServer.Reply reply) throws IOException {
        return listing(text("examples/models.response.json"), reply);
    }

    private HttpModelClient reading(FaultyServer server) {
        return client(Settings.builder().putList("bicross.endpoint.main.urls", server.url()));
    }

    private static Map<String, Object> lastBody(FaultyServer server) {
        FaultyServer.Request last = server.requests.get(server.requests.size() - 1);
        return Protocol.map(last.body().getBytes(StandardCharsets.UTF_8));
    }

    private Deadline budget(long ms) {
        return in(10_000).orBudget(ms, threadPool.rawRelativeTimeInMillis());
    }

    private int failed(ErrorCode code) {
        Map<?, ?> failures = (Map<?, ?>) counters.asMap().get("failures");
        return ((Number) failures.get(code.code())).intValue();
    }

    public void testPassagesThatWereNotScoredInTimeHaveNoScore() throws Exception {
        FaultyServer server = ours(answer(200, PART));
        float[] scores = rerank(reading(server), in(5_000), true, PASSAGES).value();
        assertArrayEquals(new float[] {4f, -10.303f, Float.NaN}, scores, 0f);
        assertEquals(true, lastBody(server).get("partial"));
    }

    public void testTheServerIsGivenWhatIsLeftOfTheBudget() throws Exception {
        FaultyServer server = ours(answer(200, PART));
        Deadline deadline = in(60_000).orBudget(30_000, threadPool.rawRelativeTimeInMillis() - 10_000);
        rerank(reading(server), deadline, true, PASSAGES).value();
        long left = Long.parseLong(
                server.requests.get(server.requests.size() - 1).head().get("x-bicross-timeout-ms"));
        assertTrue("left " + left, left > 0 && left <= 20_000 - 50);
    }

    public void testAServerIsToldToAnswerEarlyButNeverAtOnce() {
        Call.Ask<?> ask = new Call.Ask<>(null, "/v1/rerank", null, 0, 50, null);
        assertEquals(350, ask.toldMs(400));
        assertEquals(15, ask.toldMs(20));
        assertEquals(1, ask.toldMs(1));
        assertEquals(1, ask.toldMs(0));
    }

    public void testAServerNotKnownToBeOursIsSentNoFieldThatItMayNotKnow() throws Exception {
        FaultyServer silentOfDigests = listing("{\"data\":[{\"id\":\"ms-marco\"}]}", answer(200, WHOLE));
        rerank(reading(silentOfDigests), in(5_000), true, PASSAGES).value();
        assertFalse(lastBody(silentOfDigests).containsKey("partial"));
        FaultyServer neverListed = server(request -> answer(200, WHOLE));
        rerank(client(neverListed.url()), in(5_000), true, PASSAGES).value();
        assertFalse(lastBody(neverListed).containsKey("partial"));
    }

    public void testAPartialAnswerThatWasNotAskedForIsRefused() throws Exception {
        FaultyServer known = ours(answer(200, PART));
        rerank(reading(known), in(5_000), false, PASSAGES).failure(ErrorCode.BAD_ANSWER);
        FaultyServer unknown = server(request -> answer(200, PART));
        rerank(client(unknown.url()), in(5_000), true, PASSAGES).failure(ErrorCode.BAD_ANSWER);
    }

    /** 32 passages and one: two calls of which the second fails. */
    private HttpModelClient halfBroken() throws IOException {
        FaultyServer server = server(request -> request.body().contains("last")
                ? answer(500, "{\"error\":\"broken\"}")
                : answer(200, items("score", 32)));
        return client(Settings.builder()
                .putList("bicross.endpoint.main.urls", server.url())
                .put("bicross.endpoint.main.dialect", "tei")
                .putList("bicross.endpoint.main.models", "ms-marco"));
    }

    public void testACallThatFailsLeavesTheOthersTheirScores() throws Exception {
        List<String> passages = new ArrayList<>(Collections.nCopies(32, "first"));
        passages.add("last");
        float[] expected = new float[33];
        Arrays.fill(expected, 0.5f);
        expected[32] = Float.NaN;
        HttpModelClient client = halfBroken();
        assertArrayEquals(expected, rerank(client, in(5_000), true, passages).value(), 0f);
        assertEquals(1, failed(ErrorCode.ENDPOINT_FAILED));
        rerank(client, in(5_000), false, passages).failure(ErrorCode.ENDPOINT_FAILED);
        assertEquals(2, failed(ErrorCode.ENDPOINT_FAILED));
    }

    public void testWhereEveryCallFailsTheFirstFailureIsTold() throws Exception {
        rerank(halfBroken(), in(5_000), true, List.of("last")).failure(ErrorCode.ENDPOINT_FAILED);
        assertEquals(1, failed(ErrorCode.ENDPOINT_FAILED));
    }

    public void testWhatTheCallerDidWrongIsNoGap() throws Exception {
        FaultyServer server = ours(answer(400, "{\"message\":\"no\"}"));
        rerank(reading(server), in(5_000), true, PASSAGES).failure(ErrorCode.INVALID_REQUEST);
    }

    public void testABudgetThatIsTooShortIsNotHeldAgainstTheServer() throws Exception {
        FaultyServer server = server(request -> silence());
        HttpModelClient client = client(server.url());
        UrlPool urls = client.endpoints().all().get(0).urls;
        rerank(client, budget(20), true, PASSAGES).failure(ErrorCode.DEADLINE_EXCEEDED);
        assertEquals(0, urls.describe(urls.all().get(0)).get("failures_in_a_row"));
        rerank(client, in(20), true, PASSAGES).failure(ErrorCode.DEADLINE_EXCEEDED);
        assertEquals(1, urls.describe(urls.all().get(0)).get("failures_in_a_row"));
    }
}
