package org.bicross.local;

import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;

/** A node's elasticsearch.yml and its keystore, which has no password. */
final class Configuration {
    private Configuration() {}

    static Environment read(Path home, Path config) throws Exception {
        Settings.Builder settings = Settings.builder();
        KeyStoreWrapper keystore = keystore(config);
        if (keystore != null) {
            settings.setSecureSettings(keystore);
        }
        return InternalSettingsPreparer.prepareEnvironment(
                settings.build(), Map.of("path.home", home.toString()), config, () -> "local");
    }

    /** The open keystore, or null where there is no file. */
    static KeyStoreWrapper keystore(Path config) throws Exception {
        KeyStoreWrapper keystore = KeyStoreWrapper.load(config);
        if (keystore != null) {
            keystore.decrypt(new char[0]);
        }
        return keystore;
    }
}
