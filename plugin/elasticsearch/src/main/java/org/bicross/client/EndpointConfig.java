package org.bicross.client;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bicross.BicrossSettings;
import org.bicross.protocol.Dialect;
import org.bicross.protocol.InputType;
import org.bicross.protocol.ModelName;
import org.elasticsearch.common.network.InetAddresses;
import org.elasticsearch.common.settings.SecureString;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.TimeValue;

/**
 * One endpoint as the node's settings describe it, checked. What is wrong stops the node with the setting's name.
 *
 * @param models the names that it serves; empty where its own list counts
 * @param apiKey null where the keystore has none
 */
public record EndpointConfig(
        String name,
        List<URI> urls,
        Dialect dialect,
        String embeddingsPath,
        String rerankPath,
        String modelsPath,
        Set<String> models,
        Map<Purpose, TimeValue> timeouts,
        String apiKey) {

    /** Every endpoint of the node, by name. */
    public static List<EndpointConfig> read(Settings settings) {
        Set<String> names = new TreeSet<>();
        BicrossSettings.ofEndpoints().forEach(setting -> names.addAll(setting.getNamespaces(settings)));
        List<EndpointConfig> endpoints =
                names.stream().map(name -> read(settings, name)).toList();
        Map<String, String> owners = new HashMap<>();
        for (EndpointConfig endpoint : endpoints) {
            for (String model : endpoint.models) {
                String other = owners.put(model, endpoint.name);
                if (other != null) {
                    throw new IllegalArgumentException(
                            "[" + key(BicrossSettings.MODELS, endpoint.name) + "] names the model ["
                                    + model + "], which endpoint [" + other + "] names too; a model has one endpoint,"
                                    + " with several URLs where several servers have it");
                }
            }
        }
        return endpoints;
    }

    private static EndpointConfig read(Settings settings, String name) {
        Dialect dialect = dialect(settings, name);
        Set<String> models = new LinkedHashSet<>();
        for (String model : get(BicrossSettings.MODELS, name, settings)) {
            models.add(ModelName.parse(key(BicrossSettings.MODELS, name), model).base());
        }
        if (dialect.modelsPath() == null && models.isEmpty()) {
            throw new IllegalArgumentException(
                    "[" + key(BicrossSettings.MODELS, name) + "] must name the models of the endpoint:"
                            + " servers of the dialect [" + dialect.name() + "] have no list of them");
        }
        Map<Purpose, TimeValue> timeouts = new HashMap<>();
        for (Purpose purpose : Purpose.values()) {
            timeouts.put(purpose, get(purpose.timeoutSetting(), name, settings));
        }
        String apiKey = key(BicrossSettings.API_KEY, name);
        if (settings.get(apiKey) != null) {
            throw new IllegalArgumentException("[" + apiKey + "] stands in elasticsearch.yml; put it into the keystore:"
                    + " bin/elasticsearch-keystore add " + apiKey);
        }
        try (SecureString key = get(BicrossSettings.API_KEY, name, settings)) {
            return new EndpointConfig(
                    name,
                    urls(settings, name),
                    dialect,
                    path(BicrossSettings.EMBEDDINGS_PATH, name, settings, dialect.embeddingsPath()),
                    path(BicrossSettings.RERANK_PATH, name, settings, dialect.rerankPath()),
                    path(BicrossSettings.MODELS_PATH, name, settings, dialect.modelsPath()),
                    models,
                    timeouts,
                    key.length() == 0 ? null : key.toString());
        }
    }

    private static Dialect dialect(Settings settings, String name) {
        Map<InputType, String> promptNames = new EnumMap<>(InputType.class);
        for (InputType type : InputType.values()) {
            String promptName = get(promptName(type), name, settings);
            if (promptName.isEmpty() == false) {
                promptNames.put(type, promptName);
            }
        }
        String key = key(BicrossSettings.DIALECT, name);
        Dialect dialect = Dialect.named(key, get(BicrossSettings.DIALECT, name, settings), promptNames);
        if (dialect.picksPrompts()) {
            promptNames.keySet().stream().findFirst().ifPresent(type -> {
                throw new IllegalArgumentException("[" + key(promptName(type), name) + "] is set, but servers of the"
                        + " dialect [" + dialect.name() + "] pick the prompt themselves; remove it");
            });
        }
        return dialect;
    }

    private static Setting.AffixSetting<String> promptName(InputType type) {
        return type == InputType.QUERY ? BicrossSettings.QUERY_PROMPT_NAME : BicrossSettings.PASSAGE_PROMPT_NAME;
    }

    private static List<URI> urls(Settings settings, String name) {
        String key = key(BicrossSettings.URLS, name);
        List<URI> urls = new ArrayList<>();
        for (String text : get(BicrossSettings.URLS, name, settings)) {
            urls.add(url(key, text, get(BicrossSettings.ALLOW_INSECURE, name, settings), name));
        }
        if (urls.isEmpty()) {
            throw new IllegalArgumentException("[" + key + "] is missing: an endpoint needs at least one URL");
        }
        return urls;
    }

    private static URI url(String key, String text, boolean allowInsecure, String name) {
        URI url;
        try {
            url = new URI(text.strip().replaceAll("/+$", ""));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("[" + key + "] holds what is no URL"); // it may hold a password
        }
        boolean https = "https".equalsIgnoreCase(url.getScheme());
        if (https == false && "http".equalsIgnoreCase(url.getScheme()) == false || url.getHost() == null) {
            throw new IllegalArgumentException(
                    "[" + key + "] takes URLs such as https://host:port, found the scheme [" + url.getScheme() + "]");
        }
        if (url.getRawUserInfo() != null || url.getRawQuery() != null || url.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "[" + key + "] takes URLs without user, query and fragment; a key belongs into"
                            + " the keystore as [" + key(BicrossSettings.API_KEY, name) + "]");
        }
        InetAddress address = literal(url.getHost());
        if (address != null && address.isLinkLocalAddress()) {
            throw new IllegalArgumentException("[" + key + "] names the link-local address [" + url.getHost() + "]");
        }
        boolean loopback =
                url.getHost().equalsIgnoreCase("localhost") || address != null && address.isLoopbackAddress();
        if (https == false && loopback == false && allowInsecure == false) {
            throw new IllegalArgumentException("[" + key + "] sends texts in the clear to [" + url.getHost()
                    + "]; use https," + " or set [" + key(BicrossSettings.ALLOW_INSECURE, name) + "] to true");
        }
        return url;
    }

    private static InetAddress literal(String host) {
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        return InetAddresses.isInetAddress(bare) ? InetAddresses.forString(bare) : null;
    }

    private static String path(Setting.AffixSetting<String> setting, String name, Settings settings, String usual) {
        String path = get(setting, name, settings);
        if (path.isEmpty()) {
            return usual;
        }
        if (path.matches("/[A-Za-z0-9._~/-]*") == false) {
            throw new IllegalArgumentException("[" + key(setting, name) + "] is [" + path
                    + "]; a path begins with / and has" + " neither query nor fragment");
        }
        return path;
    }

    private static <T> T get(Setting.AffixSetting<T> setting, String name, Settings settings) {
        return setting.getConcreteSettingForNamespace(name).get(settings);
    }

    /** The setting's whole name, for messages. */
    static String key(Setting.AffixSetting<?> setting, String name) {
        return setting.getConcreteSettingForNamespace(name).getKey();
    }

    String pathOf(Purpose purpose) {
        return purpose == Purpose.RERANK ? rerankPath : embeddingsPath;
    }

    /** Without the key. */
    @Override
    public String toString() {
        return name + urls;
    }
}
