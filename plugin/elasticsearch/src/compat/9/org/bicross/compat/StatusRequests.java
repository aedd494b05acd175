package org.bicross.compat;

import java.io.IOException;
import org.elasticsearch.action.support.nodes.BaseNodesRequest;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.transport.AbstractTransportRequest;

/** The two requests of the nodes action: to all nodes, and to one. Neither carries anything of its own. */
public final class StatusRequests {
    private StatusRequests() {}

    public static final class ToNodes extends BaseNodesRequest {
        public ToNodes(String... nodeIds) {
            super(nodeIds);
        }
    }

    public static final class ToNode extends AbstractTransportRequest {
        public ToNode() {}

        public ToNode(StreamInput in) throws IOException {
            super(in);
        }
    }
}
