package org.bicross.local;

import java.nio.file.Path;
import java.util.Set;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/** From 9.5 the loader also asks whether the node is stateless; a local node keeps its own data. */
final class Bundles {
    private Bundles() {}

    static Set<PluginBundle> modules(Path folder) {
        return PluginsLoader.loadModulesBundles(folder, false);
    }

    static Set<PluginBundle> plugins(Path folder) {
        return PluginsLoader.loadPluginsBundles(folder, false);
    }
}
