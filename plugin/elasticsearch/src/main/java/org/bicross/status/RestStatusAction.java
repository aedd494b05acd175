package org.bicross.status;

import java.util.List;
import org.bicross.compat.Compat;
import org.bicross.compat.StatusRequests.ToNodes;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.action.RestActions.NodesResponseRestListener;

/** {@code GET /_bicross}: one row per node. A node that does not answer within the limit is a failure in its place only. */
public final class RestStatusAction extends BaseRestHandler {
    /** A little more than what a node itself gives to its servers, so that a slow server is told apart from a slow node. */
    private static final TimeValue TIMEOUT = TimeValue.timeValueSeconds(2);

    @Override
    public String getName() {
        return "bicross_status";
    }

    @Override
    public List<Route> routes() {
        return List.of(new Route(RestRequest.Method.GET, "/_bicross"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        ToNodes toNodes = new ToNodes();
        Compat.setTimeout(toNodes, TIMEOUT);
        return channel -> client.execute(StatusAction.TYPE, toNodes, new NodesResponseRestListener<>(channel));
    }
}
