package org.bicross.client;

import static org.bicross.client.FaultyServer.answer;
import static org.bicross.client.FaultyServer.endless;
import static org.bicross.client.FaultyServer.resetAtOnce;
import static org.bicross.client.FaultyServer.resetMidAnswer;
import static org.bicross.client.FaultyServer.silence;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.status.Counters.Counter;

public class HttpModelClientTests extends HttpModelClientTestCase {
    public void testACallCarriesKeyAndDeadlineAndAnswersOnAThreadOfTheNode() throws Exception {
        FaultyServer server = server(request -> answer(200, ONE_VECTOR));
        Outcome<?> outcome = embed(client(server.url()), 5_000, "a");
        outcome.value();
        Map<String, String> head = server.requests.get(0).head();
        assertEquals("Bearer key-canary", head.get("authorization"));
        long left = Long.parseLong(head.get("x-bicross-timeout-ms"));
        assertTrue("left " + left, left > 0 && left <= 5_000);
        assertEquals("identity", head.get("accept-encoding"));
        assertFalse(head.containsKey("upgrade"));
        assertTrue(outcome.thread(), outcome.thread().contains("[generic]"));
    }

    public void testEveryStatusHasItsMeaning() throws Exception {
        Map<Integer, ErrorCode> meanings = Map.ofEntries(
                Map.entry(400, ErrorCode.INVALID_REQUEST),
                Map.entry(413, ErrorCode.INVALID_REQUEST),
                Map.entry(422, ErrorCode.INVALID_REQUEST),
                Map.entry(401, ErrorCode.ENDPOINT_MISCONFIGURED),
                Map.entry(403, ErrorCode.ENDPOINT_MISCONFIGURED),
                Map.entry(404, ErrorCode.ENDPOINT_MISCONFIGURED),
                Map.entry(302, ErrorCode.ENDPOINT_MISCONFIGURED),
                Map.entry(429, ErrorCode.OVERLOADED),
                Map.entry(500, ErrorCode.ENDPOINT_FAILED),
                Map.entry(424, ErrorCode.ENDPOINT_FAILED),
                Map.entry(502, ErrorCode.ENDPOINT_UNREACHABLE),
                Map.entry(503, ErrorCode.ENDPOINT_UNREACHABLE),
                Map.entry(504, ErrorCode.ENDPOINT_UNREACHABLE));
        for (Map.Entry<Integer, ErrorCode> meaning : meanings.entrySet()) {
            FaultyServer server = server(request ->
                    answer(meaning.getKey(), "{\"error\":{\"message\":\"why it failed\"}}", "Location: /x\r\n"));
            CallFailure failure = embed(client(server.url()), 5_000, "a").failure(meaning.getValue());
            assertTrue(failure.getMessage(), failure.getMessage().contains("why it failed"));
            assertTrue(failure.getMessage(), failure.getMessage().contains("minilm"));
            assertFalse(failure.getMessage(), failure.getMessage().contains("key-canary"));
        }
    }

    public void testTheServersOwnCodeIsKeptWhereTheCallerIsAtFault() throws Exception {
        FaultyServer server = server(
                request -> answer(400, "{\"error\":{\"message\":\"m\",\"code\":\"wrong_task\",\"param\":\"model\"}}"));
        assertFalse(embed(client(server.url()), 5_000, "a")
                .failure(ErrorCode.WRONG_TASK)
                .mayBeOneText());
        FaultyServer other = server(request ->
                answer(400, "{\"error\":{\"message\":\"m\",\"code\":\"text_too_long\",\"param\":\"input[0]\"}}"));
        assertTrue(embed(client(other.url()), 5_000, "a")
                .failure(ErrorCode.TEXT_TOO_LONG)
                .mayBeOneText());
    }

    public void testAResetBeforeTheAnswerIsTriedOnceMoreOnAFreshConnection() throws Exception {
        AtomicInteger count = new AtomicInteger();
        FaultyServer server = server(request -> count.getAndIncrement() == 0 ? resetAtOnce() : answer(200, ONE_SCORE));
        assertEquals(0.5f, rerank(client(server.url()), 5_000, "a").value()[0], 0f);
        assertEquals(2, server.connections());
        assertEquals(1, counters.get(Counter.HTTP_RETRIES));
    }

    public void testPooledConnectionsThatAServerDroppedCostNoSearch() throws Exception {
        FaultyServer server = server(request -> answer(200, ONE_SCORE));
        HttpModelClient client = client(server.url());
        for (int i = 0; i < 20; i++) {
            rerank(client, 5_000, "a").value();
            server.dropConnections();
        }
    }

    public void testAResetInTheAnswerIsTriedOnceMoreAndThenUnreachable() throws Exception {
        FaultyServer server = server(request -> resetMidAnswer("{\"results\":"));
        rerank(client(server.url()), 5_000, "a").failure(ErrorCode.ENDPOINT_UNREACHABLE);
        assertEquals(2, server.requests.size());
    }

    public void testARefusedConnectionFailsOverToTheOtherUrl() throws Exception {
        FaultyServer dead = server(request -> silence());
        dead.close();
        FaultyServer alive = server(request -> answer(200, ONE_SCORE));
        HttpModelClient client = client(dead.url(), alive.url());
        for (int i = 0; i < 3; i++) {
            rerank(client, 5_000, "a").value();
        }
        assertEquals(3, alive.requests.size());
        CallFailure failure = rerank(client(dead.url()), 5_000, "a").failure(ErrorCode.ENDPOINT_UNREACHABLE);
        assertTrue(failure.getMessage(), failure.getMessage().contains("bicross.endpoint.main.urls"));
    }

    public void testSilenceEndsAtTheDeadlineAndIsNotTriedAgain() throws Exception {
        FaultyServer server = server(request -> silence());
        rerank(client(server.url()), 200, "a").failure(ErrorCode.DEADLINE_EXCEEDED);
        assertEquals(1, counters.get(Counter.HTTP_REQUESTS));
    }

    public void testAnOverDeadlineNeverReachesTheServer() throws Exception {
        FaultyServer server = server(request -> answer(200, ONE_SCORE));
        rerank(client(server.url()), 0, "a").failure(ErrorCode.DEADLINE_EXCEEDED);
        assertEquals(0, server.requests.size());
    }

    public void testAnAnswerWithoutEndIsCutOff() throws Exception {
        FaultyServer server = server(request -> endless());
        CallFailure failure = rerank(client(server.url()), 10_000, "a").failure(ErrorCode.BAD_ANSWER);
        assertTrue(failure.getMessage(), failure.getMessage().contains("longer than"));
    }

    public void testAnEncodedAnswerIsRefused() throws Exception {
        FaultyServer server = server(request -> answer(200, ONE_SCORE, "Content-Encoding: gzip\r\n"));
        rerank(client(server.url()), 5_000, "a").failure(ErrorCode.BAD_ANSWER);
    }

    public void testABadAnswerIsNeverAskedForAgain() throws Exception {
        for (String body : List.of("", "<html>", "{}", "{\"results\":[]}", ONE_SCORE.replace("0.5", "NaN"))) {
            FaultyServer server = server(request -> answer(200, body));
            rerank(client(server.url()), 5_000, "a").failure(ErrorCode.BAD_ANSWER);
            assertEquals(1, server.requests.size());
        }
    }

    public void testRetryAfterIsWaitedForOnlyInsideTheDeadline() throws Exception {
        AtomicInteger count = new AtomicInteger();
        FaultyServer server = server(request ->
                count.getAndIncrement() == 0 ? answer(429, "{}", "Retry-After: 1\r\n") : answer(200, ONE_SCORE));
        rerank(client(server.url()), 10_000, "a").value();
        FaultyServer slow = server(request -> answer(429, "{}", "Retry-After: 30\r\n"));
        rerank(client(slow.url()), 10_000, "a").failure(ErrorCode.OVERLOADED);
        assertEquals(1, slow.requests.size());
    }

    public void testCallsForSearchesAreBounded() throws Exception {
        FaultyServer server = server(request -> silence());
        HttpModelClient client = client(server.url());
        Outcome<?> first = rerank(client, 500, "a");
        Outcome<?> second = rerank(client, 500, "a");
        rerank(client, 500, "a").failure(ErrorCode.OVERLOADED);
        first.failure(ErrorCode.DEADLINE_EXCEEDED);
        second.failure(ErrorCode.DEADLINE_EXCEEDED);
        rerank(client, 50, "a").failure(ErrorCode.DEADLINE_EXCEEDED);
    }
}
