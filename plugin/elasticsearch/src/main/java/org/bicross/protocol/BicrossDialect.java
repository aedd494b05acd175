package org.bicross.protocol;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** OpenAI's shape for embeddings, Cohere's and Jina's for rerank, as in {@code protocol/README.md}. */
final class BicrossDialect implements Dialect {
    @Override
    public String name() {
        return "bicross";
    }

    @Override
    public String embeddingsPath() {
        return "/v1/embeddings";
    }

    @Override
    public String rerankPath() {
        return "/v1/rerank";
    }

    @Override
    public String modelsPath() {
        return "/v1/models";
    }

    @Override
    public int maxTextsPerCall() {
        return 1_000;
    }

    @Override
    public boolean picksPrompts() {
        return true;
    }

    @Override
    public byte[] embedBody(EmbedRequest request) {
        return Json.bytes(body -> body.field("model", request.model().full())
                .stringListField("input", request.inputs())
                .field("input_type", request.inputType().wireName())
                .field("encoding_format", "base64"));
    }

    @Override
    public byte[] rerankBody(RerankRequest request) {
        return Json.bytes(body -> {
            body.field("model", request.model().full())
                    .field("query", request.query())
                    .stringListField("documents", request.passages())
                    .field("return_documents", false);
            if (request.partial()) {
                body.field("partial", true);
            }
        });
    }

    @Override
    public Embeddings readEmbeddings(byte[] body, int count) throws ProtocolException {
        Map<String, Object> answer = Json.object(body);
        ByIndex<float[]> vectors = new ByIndex<>(count);
        for (Map<?, ?> item : Json.objects(answer, "data")) {
            vectors.put(item.get("index"), vector(item.get("embedding")));
        }
        return Embeddings.check(model(answer), vectors.complete());
    }

    /** Servers that do not know {@code encoding_format} answer with numbers; both are read. */
    private static float[] vector(Object value) throws ProtocolException {
        if (value instanceof List<?> numbers) {
            return Json.floats(numbers);
        }
        if (value instanceof String text) {
            return fromBase64(text);
        }
        if (value == null) {
            return null;
        }
        throw new ProtocolException("`embedding` is neither base64 nor an array");
    }

    private static float[] fromBase64(String text) throws ProtocolException {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new ProtocolException("`embedding` is not base64");
        }
        if (bytes.length == 0 || bytes.length % Float.BYTES != 0) {
            throw new ProtocolException("`embedding` has " + bytes.length + " bytes, not a multiple of " + Float.BYTES);
        }
        float[] vector = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(vector);
        return vector;
    }

    /** The logit where the answer has one, so that a sigmoid never costs order; in all items or in none. */
    @Override
    public Scores readScores(byte[] body, RerankRequest request) throws ProtocolException {
        Map<String, Object> answer = Json.object(body);
        List<Map<?, ?>> items = Json.objects(answer, "results");
        boolean partial = Boolean.TRUE.equals(answer.get("partial"));
        if (partial && request.partial() == false) {
            throw new ProtocolException("`partial` is true where all scores were asked for");
        }
        if (partial && Integer.valueOf(items.size()).equals(answer.get("scored")) == false) {
            throw new ProtocolException("`scored` is not the number of `results`, which is " + items.size());
        }
        boolean logits = items.isEmpty() == false && items.get(0).containsKey("logit");
        String field = logits ? "logit" : "relevance_score";
        ByIndex<Float> scores = new ByIndex<>(request.passages().size());
        for (Map<?, ?> item : items) {
            if (item.containsKey("logit") != logits) {
                throw new ProtocolException("`logit` is in some results and missing in others");
            }
            scores.put(item.get("index"), Json.finite(item.get(field), field));
        }
        return new Scores(model(answer), unboxed(partial ? scores.sparse() : scores.complete()));
    }

    @Override
    public List<ServedModel> readModels(byte[] body) throws ProtocolException {
        List<ServedModel> models = new java.util.ArrayList<>();
        for (Map<?, ?> entry : Json.objects(Json.object(body), "data")) {
            models.add(ServedModel.from(entry));
        }
        return List.copyOf(models);
    }

    /** NaN for null. */
    static float[] unboxed(List<Float> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i) == null ? Float.NaN : values.get(i);
        }
        return floats;
    }

    private static String model(Map<String, Object> answer) {
        return answer.get("model") instanceof String model ? model : null;
    }
}
