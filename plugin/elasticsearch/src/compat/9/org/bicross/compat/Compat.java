package org.bicross.compat;

import java.net.http.HttpClient;
import java.util.List;
import java.util.Map;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.support.nodes.BaseNodesRequest;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.search.rank.feature.RankFeatureDoc;

/** Elasticsearch 9: the calls whose shape differs between the lines. */
public final class Compat {
    /** A processor of its configuration, whatever else a factory is given. */
    public interface ProcessorCreator {
        Processor create(String tag, String description, Map<String, Object> config) throws Exception;
    }

    private Compat() {}

    public static Processor.Factory processorFactory(ProcessorCreator creator) {
        return (factories, tag, description, config, project) -> creator.create(tag, description, config);
    }

    public static TransportVersion minimumVersion() {
        return TransportVersion.minimumCompatible();
    }

    /** The text of a hit; empty where it has none. */
    public static String text(RankFeatureDoc doc) {
        return doc.featureData == null ? "" : String.join(" ", doc.featureData);
    }

    /** Never null: Elasticsearch drops a hit whose feature data is. */
    public static void setText(RankFeatureDoc doc, String text) {
        doc.featureData(List.of(text));
    }

    public static void setTimeout(BaseNodesRequest request, TimeValue timeout) {
        request.setTimeout(timeout);
    }

    /** Ends the open calls and the threads of a client that is done with. */
    public static void shutdown(HttpClient client) {
        client.shutdownNow();
    }
}
