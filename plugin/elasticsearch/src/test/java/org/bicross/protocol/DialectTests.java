package org.bicross.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.Protocol;
import org.elasticsearch.test.ESTestCase;

public class DialectTests extends ESTestCase {
    private static final List<String> TEXTS = List.of("a cat on a mat", "stock prices fell");
    private static final List<String> PASSAGES = List.of("stock prices fell", "a cat on a mat");
    private static final String QUERY = "where does the cat sit";

    private final Dialect bicross = Dialect.named("setting", "bicross", Map.of());
    private final Dialect tei = Dialect.named("setting", "tei", Map.of());

    private static byte[] bytes(String json) {
        return json.getBytes(StandardCharsets.UTF_8);
    }

    private static ModelName model(String name) {
        return ModelName.parse("model_id", name);
    }

    private static RerankRequest rerank(List<String> passages, boolean partial) {
        return new RerankRequest(model("ms-marco"), QUERY, passages, partial);
    }

    private static RerankRequest whole(int passages) {
        return rerank(Collections.nCopies(passages, "x"), false);
    }

    private static RerankRequest partial(int passages) {
        return rerank(Collections.nCopies(passages, "x"), true);
    }

    public void testRequestsAreThoseOfTheProtocol() {
        EmbedRequest embed = new EmbedRequest(model("minilm"), TEXTS, InputType.PASSAGE);
        RerankRequest rerank = rerank(PASSAGES, false);
        assertEquals(Protocol.object("examples/embeddings.request.json"), Protocol.map(bicross.embedBody(embed)));
        assertEquals(Protocol.object("examples/rerank.request.json"), Protocol.map(bicross.rerankBody(rerank)));
        assertEquals(Protocol.object("examples/tei.embed.request.json"), Protocol.map(tei.embedBody(embed)));
        assertEquals(Protocol.object("examples/tei.rerank.request.json"), Protocol.map(tei.rerankBody(rerank)));
        RerankRequest partial =
                rerank(List.of("a cat on a mat", "stock prices fell", "bread is made from water"), true);
        assertEquals(
                Protocol.object("examples/rerank.partial.request.json"), Protocol.map(bicross.rerankBody(partial)));
        assertFalse(Protocol.map(tei.rerankBody(partial)).containsKey("partial"));
    }

    public void testVectorsAreReadInTheOrderOfTheTexts() throws Exception {
        Embeddings answer = bicross.readEmbeddings(Protocol.bytes("examples/embeddings.response.json"), 2);
        assertEquals("minilm@1f3a9c4b2d10", answer.servedModel());
        assertArrayEquals(new float[] {0.5f, -0.5f, 0.5f, 0.5f}, answer.vector(0), 0f);
        assertArrayEquals(new float[] {0, 1, 0, 0}, answer.vector(1), 0f);
        assertArrayEquals(
                answer.vector(0),
                tei.readEmbeddings(Protocol.bytes("examples/tei.embed.response.json"), 2)
                        .vector(0),
                0f);
    }

    public void testScoresAreLogitsInTheOrderOfThePassages() throws Exception {
        float[] expected = {-10.303f, 4f};
        assertArrayEquals(
                expected,
                bicross.readScores(Protocol.bytes("examples/rerank.response.json"), whole(2))
                        .values(),
                0f);
        assertArrayEquals(
                expected,
                tei.readScores(Protocol.bytes("examples/tei.rerank.response.json"), whole(2))
                        .values(),
                0f);
    }

    public void testWithoutALogitTheRelevanceScoreCounts() throws Exception {
        byte[] jina = bytes("{\"results\":[{\"index\":1,\"relevance_score\":0.25,\"document\":{\"text\":\"x\"}},"
                + "{\"index\":0,\"relevance_score\":0.75,\"document\":\"y\"}]}");
        assertArrayEquals(
                new float[] {0.75f, 0.25f}, bicross.readScores(jina, whole(2)).values(), 0f);
    }

    public void testAnyPermutationGivesTheSameScores() throws Exception {
        int count = between(1, 50);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            order.add(i);
        }
        Collections.shuffle(order, random());
        List<String> items = order.stream()
                .map(i -> "{\"index\":" + i + ",\"relevance_score\":" + i + ".5}")
                .toList();
        float[] scores = bicross.readScores(bytes("{\"results\":[" + String.join(",", items) + "]}"), whole(count))
                .values();
        for (int i = 0; i < count; i++) {
            assertEquals(i + 0.5f, scores[i], 0f);
        }
    }

    public void testAnAnswerThatIsNoPermutationIsRefusedWhole() {
        String one = "{\"index\":%s,\"relevance_score\":0.5}";
        for (String indices : List.of("0", "0,1,2", "0,0", "-1,0", "0,2", "0,1.0", "0,null", "0,\"1\"")) {
            List<String> items =
                    List.of(indices.split(",")).stream().map(one::formatted).toList();
            byte[] body = bytes("{\"results\":[" + String.join(",", items) + "]}");
            expectThrows(ProtocolException.class, () -> bicross.readScores(body, whole(2)));
        }
    }

    public void testAPartialAnswerLeavesWhatItLacksWithoutAScore() throws Exception {
        byte[] answer = Protocol.bytes("examples/rerank.partial.response.json");
        assertArrayEquals(
                new float[] {4f, -10.303f, Float.NaN},
                bicross.readScores(answer, partial(3)).values(),
                0f);
        byte[] nothing = bytes("{\"results\":[],\"partial\":true,\"scored\":0}");
        assertTrue(Float.isNaN(bicross.readScores(nothing, partial(1)).values()[0]));
    }

    public void testAPartialAnswerIsReadOnlyWhereItWasAskedForAndIsSound() {
        String one = "{\"index\":%s,\"relevance_score\":0.5}";
        String answer = "{\"results\":[%s],\"partial\":%s,\"scored\":%s}";
        String first = one.formatted("0");
        byte[] unasked = bytes(answer.formatted(first, "true", "1"));
        expectThrows(ProtocolException.class, () -> bicross.readScores(unasked, whole(1)));
        expectThrows(ProtocolException.class, () -> bicross.readScores(unasked, whole(2)));
        for (String bad : List.of(
                answer.formatted(first, "true", "2"),
                answer.formatted(first, "true", "null"),
                answer.formatted(first, "true", "\"1\""),
                answer.formatted(first, "false", "1"),
                answer.formatted(first, "\"true\"", "1"),
                answer.formatted(first + "," + first, "true", "2"),
                answer.formatted(one.formatted("2"), "true", "1"),
                answer.formatted(one.formatted("-1"), "true", "1"))) {
            expectThrows(ProtocolException.class, () -> bicross.readScores(bytes(bad), partial(2)));
        }
    }

    public void testAWholeAnswerToAPartialRequestIsStillAPermutation() throws Exception {
        byte[] whole = Protocol.bytes("examples/rerank.response.json");
        assertArrayEquals(
                new float[] {-10.303f, 4f},
                bicross.readScores(whole, partial(2)).values(),
                0f);
        expectThrows(ProtocolException.class, () -> bicross.readScores(whole, partial(3)));
    }

    public void testAScoreThatIsNoFiniteNumberIsRefused() {
        for (String score : List.of("NaN", "Infinity", "null", "\"0.5\"", "1e39", "true")) {
            byte[] body = bytes("{\"results\":[{\"index\":0,\"relevance_score\":" + score + "}]}");
            expectThrows(ProtocolException.class, () -> bicross.readScores(body, whole(1)));
        }
        byte[] mixed = bytes("{\"results\":[{\"index\":0,\"logit\":1},{\"index\":1,\"relevance_score\":1}]}");
        expectThrows(ProtocolException.class, () -> bicross.readScores(mixed, whole(2)));
    }

    public void testAnAnswerCutAnywhereIsRefused() {
        byte[] whole = Protocol.bytes("examples/rerank.response.json");
        int end = new String(whole, StandardCharsets.UTF_8).stripTrailing().length();
        for (int length = 0; length < end; length += 1 + end / 100) {
            byte[] cut = java.util.Arrays.copyOf(whole, length);
            expectThrows(ProtocolException.class, () -> bicross.readScores(cut, whole(2)));
        }
        expectThrows(
                ProtocolException.class,
                () -> bicross.readScores(bytes("{\"results\":[{\"index\":0,\"relevance_score\":1}]} {}"), whole(1)));
    }

    public void testBadBase64AndUnevenVectorsAreRefusedWhole() {
        for (String vector : List.of("\"AAAA\"", "\"@@@@\"", "\"\"", "true", "{}")) {
            byte[] body = bytes("{\"data\":[{\"index\":0,\"embedding\":" + vector + "}]}");
            expectThrows(ProtocolException.class, () -> bicross.readEmbeddings(body, 1));
        }
        byte[] uneven = bytes("{\"data\":[{\"index\":0,\"embedding\":[1,2]},{\"index\":1,\"embedding\":[1]}]}");
        expectThrows(ProtocolException.class, () -> bicross.readEmbeddings(uneven, 2));
    }

    public void testAVectorOfNoUseFailsItsOwnTextOnly() throws Exception {
        for (String vector :
                List.of("\"AADAfwAAgD8=\"", "\"AACAfwAAgD8=\"", "[0,0]", "null", "[null,1]", "[\"1\",1]")) {
            byte[] body =
                    bytes("{\"data\":[{\"index\":0,\"embedding\":" + vector + "},{\"index\":1,\"embedding\":[1,2]}]}");
            Embeddings answer = bicross.readEmbeddings(body, 2);
            CallFailure failure = expectThrows(CallFailure.class, () -> answer.vector(0));
            assertEquals(ErrorCode.BAD_ANSWER, failure.code());
            assertTrue(failure.getMessage(), failure.getMessage().contains("input 0"));
            assertArrayEquals(new float[] {1, 2}, answer.vector(1), 0f);
        }
    }

    public void testModelsAreReadWithWhatIsKnownOfThem() throws Exception {
        List<ServedModel> models = bicross.readModels(Protocol.bytes("examples/models.response.json"));
        assertEquals(
                List.of("minilm", "ms-marco"),
                models.stream().map(ServedModel::id).toList());
        assertEquals(384, models.get(0).dimensions());
        assertEquals(ServedModel.RERANK_TASK, models.get(1).task());
        ServedModel bare =
                bicross.readModels(bytes("{\"data\":[{\"id\":\"x\"}]}")).get(0);
        assertEquals(Map.of("id", "x"), bare.asMap());
        assertNull(bare.task());
    }

    public void testErrorsOfEveryShapeAreRead() {
        assertEquals(
                "input[1]",
                bicross.readError(Protocol.bytes("examples/error.response.json"))
                        .param());
        ServerError rerank = bicross.readError(Protocol.bytes("examples/rerank.error.response.json"));
        assertEquals("model_not_found", rerank.code());
        assertEquals(
                "Model is overloaded",
                tei.readError(Protocol.bytes("examples/tei.error.response.json"))
                        .message());
        assertNull(bicross.readError(bytes("<html>")).message());
        String essay = bicross.readError(bytes("{\"message\":\"a\\n" + "b".repeat(5_000) + "\"}"))
                .message();
        assertEquals(200, essay.length());
        assertTrue(essay.startsWith("a bb"));
    }

    public void testADialectNotKnownNamesTheSetting() {
        Exception e =
                expectThrows(IllegalArgumentException.class, () -> Dialect.named("the.setting", "cohere", Map.of()));
        assertTrue(e.getMessage(), e.getMessage().contains("[the.setting] is [cohere]"));
    }

    public void testANameWithADigestAcceptsThatBundleOnly() {
        ModelName named = model("minilm@1f3a9c");
        assertEquals("minilm", named.base());
        assertTrue(named.accepts("1f3a9c4b2d10"));
        assertTrue(named.accepts("1f3a"));
        assertFalse(named.accepts("1f3a9d4b2d10"));
        assertEquals("minilm@12", model("minilm@12").base());
        for (String bad : List.of("", " ", "http://x", "a b", "a\u0000", "x".repeat(257))) {
            Exception e = expectThrows(IllegalArgumentException.class, () -> model(bad));
            assertTrue(e.getMessage(), e.getMessage().startsWith("[model_id]"));
        }
    }
}
