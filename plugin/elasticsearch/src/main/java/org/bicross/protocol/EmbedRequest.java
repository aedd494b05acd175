package org.bicross.protocol;

import java.util.List;

/** Texts to embed in one call, in order. */
public record EmbedRequest(ModelName model, List<String> inputs, InputType inputType) {
    public EmbedRequest {
        inputs = List.copyOf(inputs);
        if (inputs.isEmpty()) {
            throw new IllegalArgumentException("a call needs at least one text");
        }
    }

    public EmbedRequest slice(int from, int to) {
        return new EmbedRequest(model, inputs.subList(from, to), inputType);
    }
}
