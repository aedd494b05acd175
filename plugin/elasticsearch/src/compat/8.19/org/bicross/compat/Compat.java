package org.bicross.compat;

import java.net.http.HttpClient;
import java.util.Map;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.TransportVersions;
import org.elasticsearch.action.support.nodes.BaseNodesRequest;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.search.rank.feature.RankFeatureDoc;

/** Elasticsearch 8.19: the calls whose shape differs between the lines. */
public final class Compat {
    /** A processor of its configuration, whatever else a factory is given. */
    public interface ProcessorCreator {
        Processor create(String tag, String description, Map<String, Object> config) throws Exception;
    }

    private Compat() {}

    public static Processor.Factory processorFactory(ProcessorCreator creator) {
        return (factories, tag, description, config) -> creator.create(tag, description, config);
    }

    public static TransportVersion minimumVersion() {
        return TransportVersions.MINIMUM_COMPATIBLE;
    }

    /** The text of a hit; empty where it has none. */
    public static String text(RankFeatureDoc doc) {
        return doc.featureData == null ? "" : doc.featureData;
    }

    /** Never null: Elasticsearch drops a hit whose feature data is. */
    public static void setText(RankFeatureDoc doc, String text) {
        doc.featureData(text);
    }

    public static void setTimeout(BaseNodesRequest<?> request, TimeValue timeout) {
        request.timeout(timeout);
    }

    /** Java 17 has no call for it: the client's threads end when nothing refers to it. */
    public static void shutdown(HttpClient client) {}
}
