package org.bicross.local;

import java.nio.file.Path;
import org.elasticsearch.bootstrap.ServerArgs;
import org.elasticsearch.common.io.stream.OutputStreamStreamOutput;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.env.Environment;

/**
 * Writes to standard output what the server's main class reads from its standard input: settings,
 * open keystore and folders. Arguments: the node's home, its configuration folder.
 *
 * <p>The server never opens elasticsearch.yml itself.
 */
public final class WriteServerArgs {
    private WriteServerArgs() {}

    public static void main(String[] args) throws Exception {
        LogConfigurator.configureESLogging();
        Path config = Path.of(args[1]);
        Environment environment = Configuration.read(Path.of(args[0]), config);
        KeyStoreWrapper keystore = Configuration.keystore(config);
        if (keystore == null) {
            keystore = KeyStoreWrapper.create();
        }
        boolean daemonize = false;
        boolean quiet = false;
        Path pidFile = null;
        OutputStreamStreamOutput out = new OutputStreamStreamOutput(System.out);
        new ServerArgs(daemonize, quiet, pidFile, keystore, environment.settings(), config, environment.logsDir())
                .writeTo(out);
        out.flush();
    }
}
