package org.bicross.ingest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.client.Deadline;
import org.bicross.client.ModelClient;
import org.bicross.client.Purpose;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.InputType;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.RerankRequest;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.ElasticsearchParseException;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.TestIngestDocument;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.test.ESTestCase;

public class EmbedProcessorTests extends ESTestCase {
    private final Counters counters = new Counters();
    private final AtomicReference<Exception> trouble = new AtomicReference<>();

    /** Answers at once: [length of the text, 1]. */
    private final ModelClient client = new ModelClient() {
        @Override
        public Deadline deadline(ModelName model, Purpose purpose) {
            return Deadline.in(1_000, () -> 0L);
        }

        @Override
        public void requireKnown(ModelName model) {
            if (model.base().equals("nope")) {
                throw new IllegalArgumentException("[model_id] [nope] is unknown");
            }
        }

        @Override
        public void embed(
                EmbedRequest request, Purpose purpose, Deadline deadline, ActionListener<Embeddings> listener) {
            assertEquals(InputType.PASSAGE, request.inputType());
            if (trouble.get() != null) {
                listener.onFailure(trouble.get());
                return;
            }
            List<float[]> vectors = request.inputs().stream()
                    .map(t -> new float[] {t.length(), 1})
                    .toList();
            listener.onResponse(new Embeddings(
                    null, vectors, new ArrayList<>(java.util.Collections.nCopies(vectors.size(), null))));
        }

        @Override
        public void rerank(RerankRequest request, Deadline deadline, ActionListener<float[]> listener) {
            throw new AssertionError();
        }
    };

    private final EmbedProcessorFactory factory = new EmbedProcessorFactory(
            client,
            new EmbedCoordinator(
                    client,
                    new EmbedCoordinator.Limits(4, 64, 1 << 20, 100, 1 << 20, 60_000),
                    new ThreadContext(Settings.EMPTY),
                    () -> 0L,
                    counters),
            TimeValue.timeValueMinutes(5),
            counters);

    private static Map<String, Object> config(String... inputsAndOutputs) {
        List<Map<String, Object>> fields = new ArrayList<>();
        for (int i = 0; i < inputsAndOutputs.length; i += 2) {
            fields.add(
                    new HashMap<>(Map.of("input_field", inputsAndOutputs[i], "output_field", inputsAndOutputs[i + 1])));
        }
        return new HashMap<>(Map.of("model_id", "m", "input_output", fields));
    }

    /** The document, or the failure. */
    private Object run(Map<String, Object> config, Map<String, Object> source) {
        IngestDocument document = TestIngestDocument.withDefaultVersion(source);
        AtomicInteger times = new AtomicInteger();
        AtomicReference<Object> outcome = new AtomicReference<>();
        factory.create("tag", "description", config).execute(document, (done, failure) -> {
            times.incrementAndGet();
            outcome.set(failure == null ? done : failure);
        });
        assertEquals("a document has one callback", 1, times.get());
        return outcome.get();
    }

    private IngestDocument embedded(Map<String, Object> config, Map<String, Object> source) {
        return (IngestDocument) run(config, source);
    }

    public void testEveryFieldGetsItsVectorAndAnOldOneIsReplaced() {
        Map<String, Object> source =
                new HashMap<>(Map.of("a", new HashMap<>(Map.of("b", "four")), "t", "three", "v", List.of(9f)));
        IngestDocument done = embedded(config("a.b", "a.v", "t", "v"), source);
        assertEquals(List.of(4f, 1f), done.getFieldValue("a.v", List.class));
        assertEquals(List.of(5f, 1f), done.getFieldValue("v", List.class));
    }

    public void testWithoutATextTheDocumentFailsNamingTheField() {
        for (Object value : new Object[] {null, "", " \n", 3, true, List.of("a"), List.of(), Map.of("x", 1)}) {
            Map<String, Object> source = new HashMap<>();
            source.put("t", value);
            Exception e = (Exception) run(config("t", "v"), source);
            assertEquals(IllegalArgumentException.class, e.getClass());
            assertTrue(e.getMessage(), e.getMessage().contains("field [t]"));
        }
        assertTrue(((Exception) run(config("t", "v"), new HashMap<>()))
                .getMessage()
                .contains("is missing"));
    }

    public void testAListOfStringsIsRefusedNamingItsType() {
        Map<String, Object> config = config("t", "v");
        config.put("ignore_missing", true);
        Exception e = (Exception) run(config, new HashMap<>(Map.of("t", List.of("a", "b"))));
        assertTrue(e.getMessage(), e.getMessage().contains("a list of strings"));
    }

    public void testIgnoreMissingIndexesWithoutAVectorAndCounts() {
        Map<String, Object> config = config("t", "v", "u", "w");
        config.put("ignore_missing", true);
        IngestDocument done = embedded(config, new HashMap<>(Map.of("u", "text")));
        assertFalse(done.hasField("v"));
        assertTrue(done.hasField("w"));
        assertEquals(1, counters.get(Counter.INGEST_WITHOUT_TEXT));
    }

    public void testATemporaryFailureIsThe429ThatClientsRetry() {
        for (ErrorCode code :
                List.of(ErrorCode.OVERLOADED, ErrorCode.DEADLINE_EXCEEDED, ErrorCode.ENDPOINT_UNREACHABLE)) {
            trouble.set(new CallFailure(code, "why"));
            Exception e = (Exception) run(config("t", "v", "u", "w"), new HashMap<>(Map.of("t", "x", "u", "y")));
            assertEquals(RestStatus.TOO_MANY_REQUESTS, ExceptionsHelper.status(e));
            assertEquals("why", e.getMessage());
        }
    }

    public void testAnOutputThatCannotBeWrittenFailsTheDocument() {
        assertTrue(
                run(config("t", "t2.v"), new HashMap<>(Map.of("t", "x", "t2", "no object")))
                        instanceof IllegalArgumentException);
    }

    private void refused(Map<String, Object> config, String word) {
        Exception e = expectThrows(ElasticsearchParseException.class, () -> factory.create("tag", null, config));
        assertEquals(RestStatus.BAD_REQUEST, ExceptionsHelper.status(e));
        assertTrue(e.getMessage(), e.getMessage().contains(word));
    }

    public void testAConfigurationThatCannotWorkIsRefusedWith400() {
        refused(config("a", "a"), "[a]");
        refused(config("a", "b", "c", "b"), "[b]");
        refused(config("a", "b", "b", "c"), "[b]");
        refused(config(), "[input_output]");
        for (Map.Entry<String, Object> bad : Map.<String, Object>of(
                        "timeout", "0ms", "model_id", "http://x", "input_output", List.of("a"))
                .entrySet()) {
            Map<String, Object> config = config("a", "b");
            config.put(bad.getKey(), bad.getValue());
            refused(config, "[" + bad.getKey() + "]");
        }
        Map<String, Object> unknown = config("a", "b");
        unknown.put("model_id", "nope");
        refused(unknown, "[nope]");
        Map<String, Object> nested = config();
        nested.put("input_output", List.of(new HashMap<>(Map.of("input_field", "a", "output_field", "b", "c", 1))));
        refused(nested, "[c]");
        refused(new HashMap<>(Map.of("input_output", List.of())), "[model_id]");
    }

    public void testAnOptionNotKnownIsLeftForElasticsearchToRefuse() {
        Map<String, Object> config = config("a", "b");
        config.put("model", "m");
        factory.create("tag", null, config);
        assertEquals(Map.of("model", "m"), config);
    }
}
