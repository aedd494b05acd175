package org.bicross.status;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bicross.client.EndpointStatus;
import org.bicross.ingest.EmbedCoordinator;
import org.elasticsearch.action.ActionListener;

/** What this node has to say in {@code GET /_bicross}. */
public final class StatusReport {
    private final EndpointStatus endpoints;
    private final EmbedCoordinator coordinator;
    private final Counters counters;

    public StatusReport(EndpointStatus endpoints, EmbedCoordinator coordinator, Counters counters) {
        this.endpoints = endpoints;
        this.coordinator = coordinator;
        this.counters = counters;
    }

    /** Asks every URL, and never fails: one that does not answer says so in its own place. */
    void gather(ActionListener<Map<String, Object>> listener) {
        endpoints.ask(listener.map(asked -> {
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("version", version());
            facts.put("endpoints", asked);
            Map<String, Object> counts = counters.asMap();
            counts.put("ingest_waiting_texts", (long) coordinator.waitingTexts());
            counts.put("ingest_waiting_bytes", coordinator.waitingBytes());
            facts.put("counters", counts);
            return facts;
        }));
    }

    /** The plugin's own version, from its jar. */
    private static String version() {
        String version = StatusReport.class.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }
}
