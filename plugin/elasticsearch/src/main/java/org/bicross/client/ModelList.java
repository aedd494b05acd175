package org.bicross.client;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.bicross.protocol.ServedModel;
import org.elasticsearch.action.ActionListener;

/** The models that an endpoint lists: read when first needed, kept, and read again behind the callers' backs. */
final class ModelList {
    /** Older than this it is read again, while callers go on with what is known. */
    static final long STALE_MS = 30_000;
    /** Younger than this its silence about a model is believed. */
    static final long YOUNG_MS = 1_000;

    private final LongSupplier clockMs;
    private final List<ActionListener<Void>> waiting = new ArrayList<>();
    private volatile List<ServedModel> known;
    private volatile Exception lastFailure;
    private long readAtMs;
    private boolean isBeingRead;

    ModelList(LongSupplier clockMs) {
        this.clockMs = clockMs;
    }

    /** Null until a list has been read. */
    List<ServedModel> known() {
        return known;
    }

    /** Why the last reading failed; null after one that did not. */
    Exception lastFailure() {
        return lastFailure;
    }

    synchronized boolean isOlderThan(long ms) {
        return known == null || clockMs.getAsLong() - readAtMs >= ms;
    }

    /**
     * Has the list read by {@code reading}, or joins the reading under way. The listener gets nothing and never fails:
     * {@link #known} and {@link #lastFailure} tell.
     */
    void read(Consumer<ActionListener<List<ServedModel>>> reading, ActionListener<Void> listener) {
        synchronized (this) {
            waiting.add(listener);
            if (isBeingRead) {
                return;
            }
            isBeingRead = true;
        }
        reading.accept(ActionListener.wrap(models -> end(models, null), failure -> end(null, failure)));
    }

    private void end(List<ServedModel> models, Exception failure) {
        List<ActionListener<Void>> told;
        synchronized (this) {
            if (models != null) {
                known = models;
                readAtMs = clockMs.getAsLong();
            }
            lastFailure = failure;
            isBeingRead = false;
            told = List.copyOf(waiting);
            waiting.clear();
        }
        ActionListener.onResponse(told, null);
    }
}
