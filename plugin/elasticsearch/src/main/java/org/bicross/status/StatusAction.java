package org.bicross.status;

import java.io.IOException;
import java.util.List;
import org.bicross.compat.StatusRequests.ToNode;
import org.bicross.compat.StatusRequests.ToNodes;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.action.FailedNodeException;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.nodes.TransportNodesAction;
import org.elasticsearch.cluster.node.DiscoveryNode;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.transport.TransportService;

/** Asks each node what its plugin is and knows. The name begins as those that the privilege {@code monitor} allows. */
public final class StatusAction extends TransportNodesAction<ToNodes, NodesStatus, ToNode, NodeStatus, Void> {
    public static final String NAME = "cluster:monitor/bicross/status";
    public static final ActionType<NodesStatus> TYPE = new ActionType<>(NAME);

    private final StatusReport report;

    @Inject
    public StatusAction(
            ClusterService cluster, TransportService transport, ActionFilters filters, StatusReport report) {
        super(
                NAME,
                cluster,
                transport,
                filters,
                ToNode::new,
                transport.getThreadPool().generic());
        this.report = report;
    }

    @Override
    protected NodesStatus newResponse(ToNodes request, List<NodeStatus> nodes, List<FailedNodeException> failures) {
        return new NodesStatus(clusterService.getClusterName(), nodes, failures);
    }

    @Override
    protected ToNode newNodeRequest(ToNodes request) {
        return new ToNode();
    }

    @Override
    protected NodeStatus newNodeResponse(StreamInput in, DiscoveryNode node) throws IOException {
        return new NodeStatus(in, node);
    }

    @Override
    protected NodeStatus nodeOperation(ToNode request, Task task) {
        throw new UnsupportedOperationException("asynchronous only");
    }

    @Override
    protected void nodeOperationAsync(ToNode request, Task task, ActionListener<NodeStatus> listener) {
        report.gather(listener.map(facts -> new NodeStatus(clusterService.localNode(), facts)));
    }
}
