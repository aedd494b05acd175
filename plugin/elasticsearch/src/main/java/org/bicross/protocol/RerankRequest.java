package org.bicross.protocol;

import java.util.List;

/**
 * A query and the passages to score against it, in order.
 *
 * @param partial whether the scores that there are at the deadline are of use without the others
 */
public record RerankRequest(ModelName model, String query, List<String> passages, boolean partial) {
    public RerankRequest {
        passages = List.copyOf(passages);
        if (passages.isEmpty()) {
            throw new IllegalArgumentException("a call needs at least one passage");
        }
    }

    public RerankRequest slice(int from, int to) {
        return new RerankRequest(model, query, passages.subList(from, to), partial);
    }

    /** As a server is asked that does not know of partial answers. */
    public RerankRequest whole() {
        return new RerankRequest(model, query, passages, false);
    }
}
