package org.bicross.protocol;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The dialect of text-embeddings-inference: other names, a bare array back, at most 32 texts in a call, one model per
 * server and no list of it, so that {@code .models} has to be set. Raw scores are asked for: they are logits. A prompt
 * that the model's folder does not name is refused, so only those are asked for that the endpoint's settings name.
 */
final class TeiDialect implements Dialect {
    private final Map<InputType, String> promptNames;

    TeiDialect(Map<InputType, String> promptNames) {
        this.promptNames = Map.copyOf(promptNames);
    }

    @Override
    public String name() {
        return "tei";
    }

    @Override
    public String embeddingsPath() {
        return "/embed";
    }

    @Override
    public String rerankPath() {
        return "/rerank";
    }

    @Override
    public String modelsPath() {
        return null;
    }

    @Override
    public int maxTextsPerCall() {
        return 32;
    }

    @Override
    public boolean picksPrompts() {
        return false;
    }

    @Override
    public byte[] embedBody(EmbedRequest request) {
        String promptName = promptNames.get(request.inputType());
        return Json.bytes(body -> {
            body.stringListField("inputs", request.inputs())
                    .field("truncate", true)
                    .field("normalize", true);
            if (promptName != null) {
                body.field("prompt_name", promptName);
            }
        });
    }

    @Override
    public byte[] rerankBody(RerankRequest request) {
        return Json.bytes(body -> body.field("query", request.query())
                .stringListField("texts", request.passages())
                .field("truncate", true)
                .field("raw_scores", true)
                .field("return_text", false));
    }

    @Override
    public Embeddings readEmbeddings(byte[] body, int count) throws ProtocolException {
        List<Object> answer = Json.array(body);
        if (answer.size() != count) {
            throw new ProtocolException(answer.size() + " vectors for " + count + " texts");
        }
        List<float[]> vectors = new ArrayList<>(count);
        for (Object item : answer) {
            vectors.add(item instanceof List<?> numbers && numbers.isEmpty() == false ? Json.floats(numbers) : null);
        }
        return Embeddings.check(null, vectors);
    }

    @Override
    public Scores readScores(byte[] body, RerankRequest request) throws ProtocolException {
        ByIndex<Float> scores = new ByIndex<>(request.passages().size());
        for (Map<?, ?> item : Json.objects(Json.array(body), "the answer")) {
            scores.put(item.get("index"), Json.finite(item.get("score"), "score"));
        }
        return new Scores(null, BicrossDialect.unboxed(scores.complete()));
    }

    @Override
    public List<ServedModel> readModels(byte[] body) throws ProtocolException {
        throw new ProtocolException("this dialect has no list of models");
    }
}
