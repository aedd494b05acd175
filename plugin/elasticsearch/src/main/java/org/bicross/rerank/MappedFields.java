package org.bicross.rerank;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.MappingMetadata;
import org.elasticsearch.common.cache.Cache;
import org.elasticsearch.common.cache.CacheBuilder;

/**
 * Whether a mapping has a field, on the coordinator, where there are mappings only as JSON. Answers are kept by the
 * mapping's digest, since parsing it for every search would cost more than the question is worth.
 */
public final class MappedFields {
    private record Question(String mappingDigest, String field) {}

    private final Cache<Question, Boolean> answers =
            CacheBuilder.<Question, Boolean>builder().setMaximumWeight(1_000).build();

    /**
     * Throws IllegalArgumentException where no index has {@code field}. One that has it is enough: hits of the others keep
     * their first-pass order.
     */
    void requireMapped(String field, Collection<IndexMetadata> indices) {
        if (indices.isEmpty() || field.startsWith("_")) {
            return;
        }
        for (IndexMetadata index : indices) {
            if (isMapped(field, index.mapping())) {
                return;
            }
        }
        throw new IllegalArgumentException("[field] names [" + field + "], which is not mapped in any of the "
                + indices.size() + " indices searched; name the field that holds the text");
    }

    private boolean isMapped(String field, MappingMetadata mapping) {
        if (mapping == null) {
            return false;
        }
        try {
            return answers.computeIfAbsent(new Question(mapping.getSha256(), field), question -> find(field, mapping));
        } catch (ExecutionException unreadable) {
            return true; // the shards will see
        }
    }

    private static boolean find(String field, MappingMetadata mapping) {
        Map<String, Object> root = mapping.sourceAsMap();
        return root.get("runtime") instanceof Map<?, ?> runtime && runtime.containsKey(field) || isIn(root, field);
    }

    /** Every way to cut the path, since a name in a mapping may hold dots itself. */
    private static boolean isIn(Map<?, ?> parent, String path) {
        for (String level : new String[] {"properties", "fields"}) {
            if (parent.get(level) instanceof Map<?, ?> children) {
                for (int dot = path.length(); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
                    if (children.get(path.substring(0, dot)) instanceof Map<?, ?> child
                            && (dot == path.length() ? isLeaf(child) : isBelow(child, path.substring(dot + 1)))) {
                        return true;
                    }
                }
                // Fields of a pass-through object are reached without its name.
                if (children.values().stream()
                        .anyMatch(c -> c instanceof Map<?, ?> child
                                && "passthrough".equals(child.get("type"))
                                && isIn(child, path))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isBelow(Map<?, ?> child, String rest) {
        return "flattened".equals(child.get("type")) || isIn(child, rest);
    }

    /** An object has no text of its own. */
    private static boolean isLeaf(Map<?, ?> child) {
        return child.get("type") instanceof String type
                && type.equals("object") == false
                && type.equals("nested") == false;
    }
}
