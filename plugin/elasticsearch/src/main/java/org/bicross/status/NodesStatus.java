package org.bicross.status;

import java.io.IOException;
import java.util.List;
import org.elasticsearch.action.FailedNodeException;
import org.elasticsearch.action.support.nodes.BaseNodesResponse;
import org.elasticsearch.cluster.ClusterName;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;

/** The rows of all nodes; a node that did not answer in time stands under {@code _nodes.failures}. */
public final class NodesStatus extends BaseNodesResponse<NodeStatus> implements ToXContentFragment {
    NodesStatus(ClusterName cluster, List<NodeStatus> nodes, List<FailedNodeException> failures) {
        super(cluster, nodes, failures);
    }

    @Override
    protected List<NodeStatus> readNodesFrom(StreamInput in) throws IOException {
        return in.readCollectionAsList(NodeStatus::new);
    }

    @Override
    protected void writeNodesTo(StreamOutput out, List<NodeStatus> nodes) throws IOException {
        out.writeCollection(nodes);
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        builder.startObject("nodes");
        for (NodeStatus node : getNodes()) {
            builder.startObject(node.getNode().getId());
            builder.field("name", node.getNode().getName());
            builder.mapContents(node.facts());
            builder.endObject();
        }
        return builder.endObject();
    }
}
