package org.bicross.compat;

import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.bicross.status.RestStatusAction;
import org.bicross.status.StatusAction;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.RestHandler;

/** Elasticsearch 9.5: how the status page is registered. */
public abstract class RestPlugin extends Plugin implements ActionPlugin {
    @Override
    public Collection<ActionHandler> getActions() {
        return List.of(new ActionHandler(StatusAction.TYPE, StatusAction.class));
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
            RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
        return List.of(new RestStatusAction());
    }
}
