package org.bicross.ingest;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiConsumer;
import org.bicross.CallFailure;
import org.bicross.protocol.ModelName;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.CountDownActionListener;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.IngestDocument;

/**
 * Writes the vector of each input field into its output field. Asynchronous: the write thread only hands the texts over.
 * All texts of a document are checked before the first is sent, and nothing is written into it unless all came back.
 */
final class EmbedProcessor extends AbstractProcessor {
    static final String TYPE = "bicross_embed";

    /** Dotted paths: the text is read here, the vector replaces whatever stands there. */
    record Field(String input, String output) {}

    /** {@code timeout} is null where the endpoint's own counts. */
    record Config(ModelName model, List<Field> fields, boolean ignoreMissing, TimeValue timeout) {}

    private record Work(String text, String output) {}

    private final Config config;
    private final EmbedCoordinator coordinator;
    private final Counters counters;

    EmbedProcessor(String tag, String description, Config config, EmbedCoordinator coordinator, Counters counters) {
        super(tag, description);
        this.config = config;
        this.coordinator = coordinator;
        this.counters = counters;
    }

    @Override
    public void execute(IngestDocument document, BiConsumer<IngestDocument, Exception> handler) {
        counters.increment(Counter.INGEST_DOCUMENTS);
        List<Work> work = new ArrayList<>();
        try {
            for (Field field : config.fields) {
                String text = TextField.read(document, field.input, config.ignoreMissing);
                if (text == null) {
                    counters.increment(Counter.INGEST_WITHOUT_TEXT);
                } else {
                    work.add(new Work(text, field.output));
                }
            }
        } catch (IllegalArgumentException refused) {
            handler.accept(null, refused);
            return;
        }
        if (work.isEmpty()) {
            handler.accept(document, null);
            return;
        }
        embed(document, work, handler);
    }

    private void embed(IngestDocument document, List<Work> work, BiConsumer<IngestDocument, Exception> handler) {
        AtomicReferenceArray<float[]> vectors = new AtomicReferenceArray<>(work.size());
        ActionListener<Void> all = new CountDownActionListener(work.size(), new ActionListener<>() {
            @Override
            public void onResponse(Void ignored) {
                try {
                    for (int i = 0; i < work.size(); i++) {
                        document.setFieldValue(work.get(i).output, boxed(vectors.get(i)));
                    }
                } catch (Exception unwritable) {
                    onFailure(unwritable);
                    return;
                }
                handler.accept(document, null);
            }

            @Override
            public void onFailure(Exception e) {
                handler.accept(null, CallFailure.forIngest(e));
            }
        });
        for (int i = 0; i < work.size(); i++) {
            int index = i;
            coordinator.embed(config.model, work.get(i).text, config.timeout, all.map(vector -> {
                vectors.set(index, vector);
                return null;
            }));
        }
    }

    /** A document holds lists: an array of floats has no form in its JSON. */
    private static List<Float> boxed(float[] vector) {
        List<Float> list = new ArrayList<>(vector.length);
        for (float value : vector) {
            list.add(value);
        }
        return list;
    }

    @Override
    public IngestDocument execute(IngestDocument document) {
        throw new UnsupportedOperationException("this processor is asynchronous");
    }

    @Override
    public boolean isAsync() {
        return true;
    }

    @Override
    public String getType() {
        return TYPE;
    }

    Config config() {
        return config;
    }
}
