package org.bicross;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.PathUtils;
import org.elasticsearch.test.ESTestCase;

public class BicrossPluginTests extends ESTestCase {
    private final BicrossPlugin plugin = new BicrossPlugin(Settings.EMPTY);

    private static String read(String path) throws IOException {
        return Files.readString(
                PathUtils.get(System.getProperty("bicross.plugin"), path.split("/")), StandardCharsets.UTF_8);
    }

    /** A clash of names with another plugin stops the node. */
    public void testEveryNameBeginsWithOurs() {
        plugin.getQueryVectorBuilders()
                .forEach(spec -> assertTrue(spec.getName().getPreferredName().startsWith("bicross")));
        plugin.getRetrievers()
                .forEach(spec -> assertTrue(spec.getName().getPreferredName().startsWith("bicross")));
        plugin.getNamedWriteables().forEach(entry -> assertTrue(entry.name.startsWith("bicross")));
        plugin.getProcessors(null).keySet().forEach(name -> assertTrue(name.startsWith("bicross")));
        plugin.getSettings().forEach(setting -> assertTrue(setting.getKey().startsWith("bicross.")));
    }

    public void testEverySettingIsStaticAndOfTheNode() {
        for (Setting<?> setting : plugin.getSettings()) {
            assertTrue(setting.getKey(), setting.hasNodeScope());
            assertFalse(setting.getKey(), setting.isDynamic());
        }
    }

    public void testThePluginAsksForTheNetworkAndNothingElse() throws IOException {
        List<String> rules = read("src/main/plugin-metadata/entitlement-policy.yaml")
                .lines()
                .filter(line -> line.startsWith("#") == false)
                .toList();
        assertEquals(List.of("ALL-UNNAMED:", "  - outbound_network"), rules);
    }

    public void testEverySettingAndCounterIsDocumented() throws IOException {
        String readme = read("README.md");
        for (Setting<?> setting : plugin.getSettings()) {
            String key = setting.getKey().replace("bicross.endpoint.*.", "");
            assertTrue(setting.getKey(), readme.contains("`" + key + "`"));
        }
        for (org.bicross.status.Counters.Counter counter : org.bicross.status.Counters.Counter.values()) {
            String name = counter.name().toLowerCase(java.util.Locale.ROOT);
            assertTrue(name, readme.contains("`" + name + "`"));
        }
        for (ErrorCode code : ErrorCode.values()) {
            assertTrue(code.code(), readme.contains("`" + code.code() + "`"));
        }
    }

    public void testWhatIsWrongWithAnEndpointStopsTheNode() {
        Settings wrong = Settings.builder()
                .putList("bicross.endpoint.main.urls", "ftp://x")
                .build();
        Exception e = expectThrows(IllegalArgumentException.class, () -> new BicrossPlugin(wrong));
        assertTrue(e.getMessage(), e.getMessage().contains("bicross.endpoint.main.urls"));
    }
}
