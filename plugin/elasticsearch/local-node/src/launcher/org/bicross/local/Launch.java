package org.bicross.local;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Starts one node in this JVM: the server's own environment, plugin loader and node.
 *
 * <p>Left out against the server's main class: bootstrap checks, the keystore's password prompt, the
 * refusal of root, and entitlements. So a plugin that runs here has not shown that its entitlement
 * policy is enough; {@code entitlements=True} in Python goes through the main class for that.
 *
 * <p>Reads {@code es.path.home} and {@code es.path.conf}. Ends on SIGTERM, with the node closed.
 */
public final class Launch {
    private Launch() {}

    public static void main(String[] args) throws Exception {
        // First of all: until then every class of the server that logs meets a null facade.
        LogConfigurator.configureESLogging();
        Environment environment = Configuration.read(
                Path.of(System.getProperty("es.path.home")), Path.of(System.getProperty("es.path.conf")));
        LogConfigurator.configureWithoutConfig(environment.settings());
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
                Bundles.modules(environment.modulesDir()),
                Bundles.plugins(environment.pluginsDir()),
                Map.of(),
                onModulePath());
        Node node = new Node(environment, plugins);
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node, closed), "close-node"));
        node.start();
        closed.await(); // the node's own threads may all be daemons
    }

    /** On the class path the server has no module whose exports plugins could be given. */
    private static boolean onModulePath() {
        return Node.class.getModule().isNamed();
    }

    private static void close(Node node, CountDownLatch closed) {
        try {
            node.close();
        } catch (IOException e) {
            e.printStackTrace(); // the loggers may be gone already
        } finally {
            closed.countDown();
        }
    }
}
