package org.bicross.status;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.bicross.ErrorCode;

/** What this node has counted since it started, shown in {@code GET /_bicross}. */
public final class Counters {
    /** The name in lower case is the key in the answer. */
    public enum Counter {
        /** Documents that came to a {@code bicross_embed} processor. */
        INGEST_DOCUMENTS,
        /** Texts that those documents brought. */
        INGEST_TEXTS,
        /** Fields that were missing or empty under {@code ignore_missing}: indexed without a vector. */
        INGEST_WITHOUT_TEXT,
        /** Texts refused with 429 because the node's queue was full. */
        INGEST_REFUSED,
        /** Batches handed to the client, bisected ones included. */
        INGEST_BATCHES,
        QUERY_VECTORS,
        RERANKS,
        /** Hits sent to a reranker. */
        RERANK_HITS,
        /** Hits of a window whose field holds no text: they keep their first-pass order, below the scored ones. */
        RERANK_HITS_WITHOUT_TEXT,
        /** Windows of which not all hits were scored, under {@code on_rerank_failure: keep_first_pass}. */
        RERANKS_DEGRADED,
        /** Hits of those windows that have a text and got no score. */
        RERANK_HITS_UNSCORED,
        /** Requests put on the wire, retries and lists of models included. */
        HTTP_REQUESTS,
        HTTP_RETRIES,
        /** Retries that the budget of a tenth did not allow. */
        HTTP_RETRIES_REFUSED,
        /** Calls ended because their search was cancelled. */
        HTTP_CANCELLED
    }

    private final Map<Counter, LongAdder> counts = new EnumMap<>(Counter.class);
    private final Map<ErrorCode, LongAdder> failures = new EnumMap<>(ErrorCode.class);

    public Counters() {
        for (Counter counter : Counter.values()) {
            counts.put(counter, new LongAdder());
        }
        for (ErrorCode code : ErrorCode.values()) {
            failures.put(code, new LongAdder());
        }
    }

    public void increment(Counter counter) {
        add(counter, 1);
    }

    public void add(Counter counter, long count) {
        counts.get(counter).add(count);
    }

    /** A call to a model that ended so. */
    public void failed(ErrorCode code) {
        failures.get(code).increment();
    }

    public long get(Counter counter) {
        return counts.get(counter).sum();
    }

    /** Every counter, and under {@code failures} every error code, zeros included. */
    public Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        counts.forEach((counter, count) -> map.put(counter.name().toLowerCase(Locale.ROOT), count.sum()));
        Map<String, Object> byCode = new LinkedHashMap<>();
        failures.forEach((code, count) -> byCode.put(code.code(), count.sum()));
        map.put("failures", byCode);
        return map;
    }
}
