package org.bicross.client;

import org.bicross.BicrossSettings;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.core.TimeValue;

/** What a call is for: each has a timeout of its own, and ingest has calls of its own. */
public enum Purpose {
    QUERY(BicrossSettings.QUERY_TIMEOUT),
    RERANK(BicrossSettings.RERANK_TIMEOUT),
    INGEST(BicrossSettings.INGEST_TIMEOUT);

    private final Setting.AffixSetting<TimeValue> timeout;

    Purpose(Setting.AffixSetting<TimeValue> timeout) {
        this.timeout = timeout;
    }

    Setting.AffixSetting<TimeValue> timeoutSetting() {
        return timeout;
    }

    boolean isSearch() {
        return this != INGEST;
    }
}
