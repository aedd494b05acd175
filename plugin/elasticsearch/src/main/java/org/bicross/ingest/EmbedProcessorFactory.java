package org.bicross.ingest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bicross.client.ModelClient;
import org.bicross.protocol.ModelName;
import org.bicross.status.Counters;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.ingest.ConfigurationUtils;
import org.elasticsearch.ingest.Processor;

/**
 * Reads {@code {"model_id", "input_output": [{"input_field", "output_field"}], "ignore_missing", "timeout"}}. It never
 * asks a server: a node that starts while the server is down keeps its pipelines.
 */
public final class EmbedProcessorFactory {
    public static final String TYPE = EmbedProcessor.TYPE;

    private final ModelClient client;
    private final EmbedCoordinator coordinator;
    private final TimeValue longestTimeout;
    private final Counters counters;

    public EmbedProcessorFactory(
            ModelClient client, EmbedCoordinator coordinator, TimeValue longestTimeout, Counters counters) {
        this.client = client;
        this.coordinator = coordinator;
        this.longestTimeout = longestTimeout;
        this.counters = counters;
    }

    /**
     * What is left in {@code config} afterwards is refused by Elasticsearch as an unknown option. A refusal is a
     * {@code parse_exception}: Elasticsearch would show anything else that a factory throws with status 500.
     */
    public Processor create(String tag, String description, Map<String, Object> config) {
        try {
            return read(tag, description, config);
        } catch (IllegalArgumentException refused) {
            throw ConfigurationUtils.newConfigurationException(TYPE, tag, null, refused.getMessage());
        }
    }

    private Processor read(String tag, String description, Map<String, Object> config) {
        ModelName model =
                ModelName.parse("model_id", ConfigurationUtils.readStringProperty(TYPE, tag, config, "model_id"));
        client.requireKnown(model);
        List<EmbedProcessor.Field> fields = fields(tag, config);
        boolean ignoreMissing = ConfigurationUtils.readBooleanProperty(TYPE, tag, config, "ignore_missing", false);
        TimeValue timeout = timeout(ConfigurationUtils.readOptionalStringProperty(TYPE, tag, config, "timeout"));
        EmbedProcessor.Config read = new EmbedProcessor.Config(model, fields, ignoreMissing, timeout);
        return new EmbedProcessor(tag, description, read, coordinator, counters);
    }

    private static List<EmbedProcessor.Field> fields(String tag, Map<String, Object> config) {
        List<?> entries = ConfigurationUtils.readList(TYPE, tag, config, "input_output");
        List<EmbedProcessor.Field> fields = new ArrayList<>();
        Set<String> outputs = new HashSet<>();
        for (Object entry : entries) {
            EmbedProcessor.Field field = field(tag, entry);
            if (outputs.add(field.output()) == false) {
                throw new IllegalArgumentException(
                        "[input_output] writes twice to [output_field] [" + field.output() + "]");
            }
            fields.add(field);
        }
        for (EmbedProcessor.Field field : fields) {
            if (outputs.contains(field.input())) {
                throw new IllegalArgumentException("[input_field] and [output_field] are both [" + field.input()
                        + "]; the text would be lost, so give the vector a field of its own");
            }
        }
        if (fields.isEmpty()) {
            throw new IllegalArgumentException(
                    "[input_output] is empty; name at least one input_field and output_field");
        }
        return List.copyOf(fields);
    }

    private static EmbedProcessor.Field field(String tag, Object entry) {
        if (entry instanceof Map == false) {
            throw new IllegalArgumentException("[input_output] takes objects with input_field and output_field");
        }
        Map<String, Object> left = new HashMap<>();
        ((Map<?, ?>) entry).forEach((key, value) -> left.put(String.valueOf(key), value));
        String input = ConfigurationUtils.readStringProperty(TYPE, tag, left, "input_field");
        String output = ConfigurationUtils.readStringProperty(TYPE, tag, left, "output_field");
        if (left.isEmpty() == false) {
            throw ConfigurationUtils.newConfigurationException(
                    TYPE,
                    tag,
                    "input_output",
                    "has unknown options " + left.keySet() + "; known are [input_field, output_field]");
        }
        return new EmbedProcessor.Field(input, output);
    }

    private TimeValue timeout(String text) {
        if (text == null) {
            return null;
        }
        TimeValue timeout = TimeValue.parseTimeValue(text, "timeout");
        if (timeout.millis() <= 0 || timeout.compareTo(longestTimeout) > 0) {
            throw new IllegalArgumentException("[timeout] must be above 0 and at most [" + longestTimeout + "], found ["
                    + text + "]; the limit is the node setting [bicross.ingest.max_timeout]");
        }
        return timeout;
    }
}
