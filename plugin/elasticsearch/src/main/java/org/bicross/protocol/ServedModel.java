package org.bicross.protocol;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One entry of a server's list of models. Only {@code id} is sure: other servers say nothing about the rest.
 *
 * @param facts what the list says of it, shown in {@code GET /_bicross} as it came, known keys only
 */
public record ServedModel(String id, Map<String, Object> facts) {
    public static final String EMBEDDING_TASK = "text_embedding";
    public static final String RERANK_TASK = "rerank";

    private static final String[] KNOWN = {
        "task", "digest", "engine", "precision", "dimensions", "similarity", "max_tokens", "activation", "ready"
    };

    static ServedModel from(Map<?, ?> entry) throws ProtocolException {
        if (entry.get("id") instanceof String id) {
            Map<String, Object> facts = new LinkedHashMap<>();
            for (String key : KNOWN) {
                Object value = entry.get(key);
                if (value instanceof String || value instanceof Number || value instanceof Boolean) {
                    facts.put(key, value instanceof String text ? ServerError.shortened(text) : value);
                }
            }
            return new ServedModel(ServerError.shortened(id), facts);
        }
        throw new ProtocolException("a model of the list has no `id`");
    }

    /** Null where the server does not say. */
    public String task() {
        return facts.get("task") instanceof String task ? task : null;
    }

    public String digest() {
        return facts.get("digest") instanceof String digest ? digest : null;
    }

    /** -1 where the server does not say. */
    public int dimensions() {
        return facts.get("dimensions") instanceof Integer dimensions ? dimensions : -1;
    }

    public Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", id);
        map.putAll(facts);
        return map;
    }
}
