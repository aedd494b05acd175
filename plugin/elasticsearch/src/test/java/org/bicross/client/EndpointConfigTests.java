package org.bicross.client;

import java.util.List;
import org.elasticsearch.common.settings.MockSecureSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.test.ESTestCase;

public class EndpointConfigTests extends ESTestCase {
    private static Settings.Builder main(String url) {
        return Settings.builder().putList("bicross.endpoint.main.urls", url);
    }

    private static void refused(Settings.Builder settings, String... words) {
        Exception e = expectThrows(IllegalArgumentException.class, () -> EndpointConfig.read(settings.build()));
        for (String word : words) {
            assertTrue(e.getMessage(), e.getMessage().contains(word));
        }
    }

    public void testAnEndpointNeedsNoMoreThanUrls() {
        EndpointConfig endpoint =
                EndpointConfig.read(main("http://127.0.0.1:8380/").build()).get(0);
        assertEquals("main", endpoint.name());
        assertEquals("http://127.0.0.1:8380", endpoint.urls().get(0).toString());
        assertEquals("/v1/embeddings", endpoint.embeddingsPath());
        assertEquals(2_000, endpoint.timeouts().get(Purpose.QUERY).millis());
        assertEquals(10_000, endpoint.timeouts().get(Purpose.RERANK).millis());
        assertEquals(30_000, endpoint.timeouts().get(Purpose.INGEST).millis());
        assertTrue(endpoint.models().isEmpty());
    }

    public void testOnlyPlainHttpUrlsAreTaken() {
        refused(main("ftp://127.0.0.1"), "bicross.endpoint.main.urls", "ftp");
        refused(main("127.0.0.1:8380"), "bicross.endpoint.main.urls");
        refused(main("http://user:secret@127.0.0.1"), "bicross.endpoint.main.urls", "keystore");
        refused(main("http://127.0.0.1/?q=1"), "bicross.endpoint.main.urls", "query");
        refused(main("http://127.0.0.1/#f"), "bicross.endpoint.main.urls");
        refused(main("http://169.254.169.254"), "bicross.endpoint.main.urls", "link-local");
        refused(main("https://[fe80::1]"), "bicross.endpoint.main.urls", "link-local");
    }

    public void testAPasswordInAUrlIsNotRepeated() {
        for (String url : List.of("http://user:secret@127.0.0.1", "http://user:secret@ bad")) {
            Exception e = expectThrows(
                    IllegalArgumentException.class,
                    () -> EndpointConfig.read(main(url).build()));
            assertFalse(e.getMessage(), e.getMessage().contains("secret"));
        }
    }

    public void testTextsGoInTheClearOnlyToThisMachineUnlessAllowed() {
        refused(main("http://models.example:8380"), "bicross.endpoint.main.urls", "allow_insecure");
        EndpointConfig.read(main("https://models.example").build());
        EndpointConfig.read(main("http://localhost:8380").build());
        EndpointConfig.read(main("http://[::1]:8380").build());
        EndpointConfig.read(main("http://models.example:8380")
                .put("bicross.endpoint.main.allow_insecure", true)
                .build());
    }

    public void testAModelHasOneEndpoint() {
        Settings.Builder settings = main("http://127.0.0.1:1")
                .putList("bicross.endpoint.main.models", "a", "b")
                .putList("bicross.endpoint.other.urls", "http://127.0.0.1:2")
                .putList("bicross.endpoint.other.models", "b");
        refused(settings, "bicross.endpoint.other.models", "[b]", "[main]");
    }

    public void testAnEndpointWithoutUrlsIsNamed() {
        refused(Settings.builder().putList("bicross.endpoint.lost.models", "a"), "bicross.endpoint.lost.urls");
    }

    public void testADialectWithoutAListNeedsNames() {
        refused(main("http://127.0.0.1:1").put("bicross.endpoint.main.dialect", "tei"), "bicross.endpoint.main.models");
    }

    public void testAPromptIsNamedForServersThatDoNotPickIt() {
        Settings.Builder settings = main("http://127.0.0.1:1").put("bicross.endpoint.main.prompt_name.passage", "doc");
        refused(settings, "bicross.endpoint.main.prompt_name.passage", "[bicross]");
        settings.put("bicross.endpoint.main.dialect", "tei").putList("bicross.endpoint.main.models", "minilm");
        assertEquals(
                "tei", EndpointConfig.read(settings.build()).get(0).dialect().name());
    }

    public void testAPathBeginsWithASlash() {
        refused(main("http://127.0.0.1:1").put("bicross.endpoint.main.path.rerank", "rerank?x"), "path.rerank");
    }

    public void testTheKeyComesFromTheKeystoreAndIsNeverShown() {
        MockSecureSettings keystore = new MockSecureSettings();
        keystore.setString("bicross.endpoint.main.api_key", "canary");
        EndpointConfig endpoint = EndpointConfig.read(
                        main("http://127.0.0.1:1").setSecureSettings(keystore).build())
                .get(0);
        assertEquals("canary", endpoint.apiKey());
        assertFalse(endpoint.toString().contains("canary"));
        refused(main("http://127.0.0.1:1").put("bicross.endpoint.main.api_key", "canary"), "api_key", "keystore");
    }
}
