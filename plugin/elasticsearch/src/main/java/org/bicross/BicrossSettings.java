package org.bicross;

import java.util.List;
import java.util.function.Function;
import org.elasticsearch.common.settings.SecureSetting;
import org.elasticsearch.common.settings.SecureString;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Setting.Property;
import org.elasticsearch.common.unit.ByteSizeValue;
import org.elasticsearch.core.TimeValue;

/**
 * Every setting of the node, with its bounds. All are static: a URL never comes out of a query, a pipeline or a
 * cluster-settings call. {@code client/EndpointConfig} checks what one setting alone cannot know.
 */
public final class BicrossSettings {
    public static final String PREFIX = "bicross.endpoint.";

    private static final TimeValue SHORTEST = TimeValue.timeValueMillis(1);
    private static final TimeValue LONGEST = TimeValue.timeValueMinutes(10);

    public static final Setting.AffixSetting<List<String>> URLS =
            endpoint("urls", key -> Setting.stringListSetting(key, Property.NodeScope));
    public static final Setting.AffixSetting<String> DIALECT =
            endpoint("dialect", key -> Setting.simpleString(key, "bicross", Property.NodeScope));
    public static final Setting.AffixSetting<List<String>> MODELS =
            endpoint("models", key -> Setting.stringListSetting(key, Property.NodeScope));
    public static final Setting.AffixSetting<String> EMBEDDINGS_PATH =
            endpoint("path.embeddings", key -> Setting.simpleString(key, Property.NodeScope));
    public static final Setting.AffixSetting<String> RERANK_PATH =
            endpoint("path.rerank", key -> Setting.simpleString(key, Property.NodeScope));
    public static final Setting.AffixSetting<String> MODELS_PATH =
            endpoint("path.models", key -> Setting.simpleString(key, Property.NodeScope));
    public static final Setting.AffixSetting<String> QUERY_PROMPT_NAME =
            endpoint("prompt_name.query", key -> Setting.simpleString(key, Property.NodeScope));
    public static final Setting.AffixSetting<String> PASSAGE_PROMPT_NAME =
            endpoint("prompt_name.passage", key -> Setting.simpleString(key, Property.NodeScope));
    public static final Setting.AffixSetting<TimeValue> QUERY_TIMEOUT = timeout("query", TimeValue.timeValueSeconds(2));
    public static final Setting.AffixSetting<TimeValue> RERANK_TIMEOUT =
            timeout("rerank", TimeValue.timeValueSeconds(10));
    public static final Setting.AffixSetting<TimeValue> INGEST_TIMEOUT =
            timeout("ingest", TimeValue.timeValueSeconds(30));
    public static final Setting.AffixSetting<Boolean> ALLOW_INSECURE =
            endpoint("allow_insecure", key -> Setting.boolSetting(key, false, Property.NodeScope));
    public static final Setting.AffixSetting<SecureString> API_KEY =
            Setting.affixKeySetting(PREFIX, "api_key", key -> SecureSetting.secureString(key, null));

    /** What a rerank may ask for at most; a window costs the square of its texts' lengths on the server. */
    public static final Setting<Integer> MAX_RANK_WINDOW =
            Setting.intSetting("bicross.rerank.max_rank_window_size", 1_000, 1, 10_000, Property.NodeScope);
    /** Calls for searches that are open at once from this node; one more is refused with 429. */
    public static final Setting<Integer> SEARCH_CALLS =
            Setting.intSetting("bicross.search.max_calls", 64, 1, 1_024, Property.NodeScope);
    /** Calls for ingest that are open at once from this node, per model. */
    public static final Setting<Integer> INGEST_CALLS =
            Setting.intSetting("bicross.ingest.max_calls", 4, 1, 64, Property.NodeScope);

    public static final Setting<Integer> INGEST_TEXTS_PER_CALL =
            Setting.intSetting("bicross.ingest.max_texts_per_call", 64, 1, 256, Property.NodeScope);
    /** Stands for a budget of tokens, which only the server can count: a token has about four bytes. */
    public static final Setting<ByteSizeValue> INGEST_BYTES_PER_CALL = bytes("bicross.ingest.max_bytes_per_call", 1, 8);

    public static final Setting<Integer> INGEST_WAITING_TEXTS =
            Setting.intSetting("bicross.ingest.max_waiting_texts", 10_000, 1, 1_000_000, Property.NodeScope);
    public static final Setting<ByteSizeValue> INGEST_WAITING_BYTES =
            bytes("bicross.ingest.max_waiting_bytes", 32, 1_024);
    /** How long a text may wait for its call, which has a timeout of its own. */
    public static final Setting<TimeValue> INGEST_MAX_WAIT = Setting.timeSetting(
            "bicross.ingest.max_wait", TimeValue.timeValueSeconds(60), SHORTEST, LONGEST, Property.NodeScope);
    /** The longest that a processor's own {@code timeout} may be. */
    public static final Setting<TimeValue> INGEST_MAX_TIMEOUT = Setting.timeSetting(
            "bicross.ingest.max_timeout", TimeValue.timeValueMinutes(5), SHORTEST, LONGEST, Property.NodeScope);

    private BicrossSettings() {}

    public static List<Setting<?>> all() {
        return List.of(
                URLS,
                DIALECT,
                MODELS,
                EMBEDDINGS_PATH,
                RERANK_PATH,
                MODELS_PATH,
                QUERY_PROMPT_NAME,
                PASSAGE_PROMPT_NAME,
                QUERY_TIMEOUT,
                RERANK_TIMEOUT,
                INGEST_TIMEOUT,
                ALLOW_INSECURE,
                API_KEY,
                MAX_RANK_WINDOW,
                SEARCH_CALLS,
                INGEST_CALLS,
                INGEST_TEXTS_PER_CALL,
                INGEST_BYTES_PER_CALL,
                INGEST_WAITING_TEXTS,
                INGEST_WAITING_BYTES,
                INGEST_MAX_WAIT,
                INGEST_MAX_TIMEOUT);
    }

    /** The settings that belong to one endpoint: a name that appears in any of them is an endpoint. */
    public static List<Setting.AffixSetting<?>> ofEndpoints() {
        return List.of(
                URLS,
                DIALECT,
                MODELS,
                EMBEDDINGS_PATH,
                RERANK_PATH,
                MODELS_PATH,
                QUERY_PROMPT_NAME,
                PASSAGE_PROMPT_NAME,
                QUERY_TIMEOUT,
                RERANK_TIMEOUT,
                INGEST_TIMEOUT,
                ALLOW_INSECURE,
                API_KEY);
    }

    private static <T> Setting.AffixSetting<T> endpoint(String suffix, Function<String, Setting<T>> setting) {
        return Setting.affixKeySetting(PREFIX, suffix, setting);
    }

    private static Setting.AffixSetting<TimeValue> timeout(String purpose, TimeValue usual) {
        return endpoint(
                "timeout." + purpose, key -> Setting.timeSetting(key, usual, SHORTEST, LONGEST, Property.NodeScope));
    }

    private static Setting<ByteSizeValue> bytes(String key, long usualMegabytes, long mostMegabytes) {
        return Setting.byteSizeSetting(
                key,
                ByteSizeValue.ofBytes(usualMegabytes << 20),
                ByteSizeValue.ofBytes(1_024),
                ByteSizeValue.ofBytes(mostMegabytes << 20),
                Property.NodeScope);
    }
}
