package org.bicross.client;

import static org.bicross.client.FaultyServer.answer;
import static org.bicross.client.FaultyServer.silence;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.Protocol;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.InputType;
import org.bicross.protocol.ModelName;
import org.elasticsearch.common.settings.Settings;

public class ModelListTests extends HttpModelClientTestCase {
    private static final String LIST = new String(
                    Protocol.bytes("examples/models.response.json"), java.nio.charset.StandardCharsets.UTF_8)
            .replace("384", "2");

    private static FaultyServer.Reply listOr(FaultyServer.Request request, FaultyServer.Reply otherwise) {
        return request.line().startsWith("GET /v1/models") ? answer(200, LIST) : otherwise;
    }

    private HttpModelClient listing(String... urls) {
        return client(Settings.builder().putList("bicross.endpoint.main.urls", urls));
    }

    private Outcome<?> embed(HttpModelClient client, String model) {
        Outcome<org.bicross.protocol.Embeddings> outcome = new Outcome<>();
        EmbedRequest request = new EmbedRequest(ModelName.parse("model_id", model), List.of("a"), InputType.QUERY);
        client.embed(request, Purpose.QUERY, in(5_000), outcome);
        return outcome;
    }

    public void testTheListIsReadWhenFirstNeededAndNotBefore() throws Exception {
        FaultyServer server = server(request -> listOr(request, answer(200, ONE_VECTOR)));
        HttpModelClient client = listing(server.url());
        client.requireKnown(ModelName.parse("model_id", "anything"));
        assertEquals(0, server.requests.size());
        embed(client, "minilm").value();
        embed(client, "minilm").value();
        assertEquals(3, server.requests.size());
    }

    public void testAnUnknownModelIsTheCallersFaultOnceAListWasRead() throws Exception {
        FaultyServer server = server(request -> listOr(request, answer(200, ONE_VECTOR)));
        CallFailure failure = embed(listing(server.url()), "nope").failure(ErrorCode.MODEL_NOT_FOUND);
        assertTrue(failure.getMessage(), failure.getMessage().contains("[minilm, ms-marco]"));
    }

    public void testBeforeThatItIsTheServersAbsence() throws Exception {
        FaultyServer dead = server(request -> silence());
        dead.close();
        embed(listing(dead.url()), "minilm").failure(ErrorCode.ENDPOINT_UNREACHABLE);
    }

    public void testAModelOfTheOtherTaskIsRefusedInTheNode() throws Exception {
        FaultyServer server = server(request -> listOr(request, answer(200, ONE_VECTOR)));
        embed(listing(server.url()), "ms-marco").failure(ErrorCode.WRONG_TASK);
        assertEquals("only the list was asked for", 1, server.requests.size());
    }

    public void testADigestNamesOneBundle() throws Exception {
        FaultyServer server = server(request -> listOr(request, answer(200, ONE_VECTOR)));
        HttpModelClient client = listing(server.url());
        embed(client, "minilm@1F3a9c").value();
        assertTrue(server.requests.get(1).body().contains("minilm@1F3a9c"));
        embed(client, "minilm@ffffff").failure(ErrorCode.ENDPOINT_MISCONFIGURED);
    }

    public void testVectorsOfAnotherBundleOrLengthThanListedAreRefused() throws Exception {
        AtomicReference<String> body =
                new AtomicReference<>(ONE_VECTOR.replace("{\"data", "{\"model\":\"minilm@ffffffffffff\",\"data"));
        FaultyServer server = server(request -> listOr(request, answer(200, body.get())));
        HttpModelClient client = listing(server.url());
        embed(client, "minilm").failure(ErrorCode.ENDPOINT_MISCONFIGURED);
        body.set("{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}]}");
        CallFailure failure = embed(client, "minilm").failure(ErrorCode.BAD_ANSWER);
        assertTrue(failure.getMessage(), failure.getMessage().contains("has 2 dimensions, the answer has 3"));
    }

    public void testWhereEveryEndpointNamesItsModelsOthersAreRefusedAtOnce() {
        HttpModelClient client = client("http://127.0.0.1:1");
        client.requireKnown(EMBEDDER);
        Exception e = expectThrows(
                IllegalArgumentException.class, () -> client.requireKnown(ModelName.parse("model_id", "nope")));
        assertTrue(e.getMessage(), e.getMessage().contains("[minilm, ms-marco]"));
    }

    public void testTheOtherDialectIsSentInPiecesThatItTakes() throws Exception {
        FaultyServer server = server(request -> {
            int texts = ((List<?>) Protocol.map(request.body().getBytes(java.nio.charset.StandardCharsets.UTF_8))
                            .get("inputs"))
                    .size();
            assertTrue(texts <= 32);
            return answer(200, "[" + String.join(",", java.util.Collections.nCopies(texts, "[" + texts + ",1]")) + "]");
        });
        HttpModelClient client = client(Settings.builder()
                .putList("bicross.endpoint.main.urls", server.url())
                .put("bicross.endpoint.main.dialect", "tei")
                .putList("bicross.endpoint.main.models", "minilm"));
        var answer = embed(client, 5_000, java.util.Collections.nCopies(70, "a").toArray(String[]::new))
                .value();
        assertEquals(70, answer.vectors().size());
        assertEquals(3, server.requests.size());
        assertEquals("the last piece held six", 6f, answer.vector(69)[0], 0f);
    }

    public void testTheStatusPageAsksEveryUrlAndShowsNoKey() throws Exception {
        FaultyServer alive = server(request -> listOr(request, silence()));
        FaultyServer dead = server(request -> silence());
        dead.close();
        Outcome<List<java.util.Map<String, Object>>> outcome = new Outcome<>();
        new EndpointStatus(listing(alive.url(), dead.url()), threadPool::relativeTimeInMillis).ask(outcome);
        String shown = outcome.value().toString();
        assertTrue(shown, shown.contains("answers=true") && shown.contains("answers=false"));
        assertTrue(shown, shown.contains("digest=1f3a9c"));
        assertFalse(shown, shown.contains("key-canary"));
    }
}
