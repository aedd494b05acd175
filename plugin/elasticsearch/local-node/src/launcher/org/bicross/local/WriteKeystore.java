package org.bicross.local;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.KeyStoreWrapper;

/**
 * Writes a new keystore without a password into the configuration folder named as the argument.
 *
 * <p>Entries come on standard input, one {@code setting=value} a line: arguments are shown to every
 * user of the machine.
 */
public final class WriteKeystore {
    private WriteKeystore() {}

    public static void main(String[] args) throws Exception {
        LogConfigurator.configureESLogging();
        BufferedReader entries = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (KeyStoreWrapper keystore = KeyStoreWrapper.create()) {
            for (String line = entries.readLine(); line != null; line = entries.readLine()) {
                int equals = line.indexOf('=');
                keystore.setString(line.substring(0, equals), line.substring(equals + 1).toCharArray());
            }
            keystore.save(Path.of(args[0]), new char[0]);
        }
    }
}
