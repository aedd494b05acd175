package org.bicross.status;

import java.io.IOException;
import java.util.Map;
import org.bicross.protocol.WireVersion;
import org.elasticsearch.action.support.nodes.BaseNodeResponse;
import org.elasticsearch.cluster.node.DiscoveryNode;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;

/** One node's row of {@code GET /_bicross}. A map, so that a newer plugin may say more to an older one. */
public final class NodeStatus extends BaseNodeResponse {
    private final Map<String, Object> facts;

    NodeStatus(DiscoveryNode node, Map<String, Object> facts) {
        super(node);
        this.facts = facts;
    }

    NodeStatus(StreamInput in, DiscoveryNode node) throws IOException {
        super(in, node);
        WireVersion.read(in, StatusAction.NAME);
        this.facts = in.readGenericMap();
    }

    /** How the response to the client reads rows that another node gathered. */
    NodeStatus(StreamInput in) throws IOException {
        super(in);
        WireVersion.read(in, StatusAction.NAME);
        this.facts = in.readGenericMap();
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
        super.writeTo(out);
        WireVersion.write(out);
        out.writeGenericMap(facts);
    }

    Map<String, Object> facts() {
        return facts;
    }
}
