package org.bicross.protocol;

import java.util.List;

/** A query and the passages to score against it, in order. */
public record RerankRequest(ModelName model, String query, List<String> passages) {
    public RerankRequest {
        passages = List.copyOf(passages);
        if (passages.isEmpty()) {
            throw new IllegalArgumentException("a call needs at least one passage");
        }
    }

    public RerankRequest slice(int from, int to) {
        return new RerankRequest(model, query, passages.subList(from, to));
    }
}
