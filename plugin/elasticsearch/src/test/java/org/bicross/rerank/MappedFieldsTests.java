package org.bicross.rerank;

import java.util.List;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.test.ESTestCase;

public class MappedFieldsTests extends ESTestCase {
    private final MappedFields fields = new MappedFields();

    private static IndexMetadata index(String mapping) {
        IndexMetadata.Builder index = IndexMetadata.builder("i")
                .settings(settings(IndexVersion.current()))
                .numberOfShards(1)
                .numberOfReplicas(0);
        return mapping == null ? index.build() : index.putMapping(mapping).build();
    }

    private static final IndexMetadata FULL = index("{\"runtime\":{\"r\":{\"type\":\"keyword\"}},\"properties\":{"
            + "\"text\":{\"type\":\"text\",\"fields\":{\"raw\":{\"type\":\"keyword\"}}},"
            + "\"o\":{\"properties\":{\"title\":{\"type\":\"text\"},\"a.b\":{\"type\":\"text\"}}},"
            + "\"n\":{\"type\":\"nested\",\"properties\":{\"t\":{\"type\":\"text\"}}},"
            + "\"f\":{\"type\":\"flattened\"},"
            + "\"p\":{\"type\":\"passthrough\",\"priority\":1,\"properties\":{\"host\":{\"type\":\"keyword\"}}}}}");

    public void testEveryKindOfFieldIsFound() {
        for (String field :
                List.of("text", "text.raw", "o.title", "o.a.b", "n.t", "f.any.key", "r", "host", "p.host", "_id")) {
            fields.requireMapped(field, List.of(FULL));
        }
    }

    public void testWhatIsNoFieldIsNamed() {
        for (String field : List.of("nope", "text.nope", "o", "o.nope", "n", "title", "tex")) {
            Exception e = expectThrows(
                    IllegalArgumentException.class, () -> fields.requireMapped(field, List.of(FULL, index(null))));
            assertTrue(e.getMessage(), e.getMessage().contains("[" + field + "]"));
        }
    }

    public void testOneIndexThatHasItIsEnough() {
        fields.requireMapped("text", List.of(index(null), index("{\"properties\":{}}"), FULL));
        fields.requireMapped("anything", List.of());
    }
}
