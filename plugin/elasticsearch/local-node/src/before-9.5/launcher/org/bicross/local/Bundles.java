package org.bicross.local;

import java.nio.file.Path;
import java.util.Set;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/** Before 9.5 the loader takes the folder alone. */
final class Bundles {
    private Bundles() {}

    static Set<PluginBundle> modules(Path folder) {
        return PluginsLoader.loadModulesBundles(folder);
    }

    static Set<PluginBundle> plugins(Path folder) {
        return PluginsLoader.loadPluginsBundles(folder);
    }
}
