package org.bicross.ingest;

import java.io.Closeable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.client.Deadline;
import org.bicross.client.ModelClient;
import org.bicross.client.Purpose;
import org.bicross.protocol.ModelName;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;

/**
 * Gathers the texts of this node's documents into calls. A processor never learns which bulk it serves, so the texts of
 * all bulks share one bounded queue per model. A text never waits for company: it is sent at once while a call slot is
 * free, else together with all that came meanwhile when one frees. A full queue answers at once with 429.
 */
public final class EmbedCoordinator implements Closeable {
    /**
     * @param openCalls per model
     * @param textsPerCall and {@code bytesPerCall}: a call takes what fits both, a longer text travels alone
     * @param waitingTexts per model
     * @param waitingBytes over all models
     * @param waitMs how long a text may wait for its call
     */
    public record Limits(
            int openCalls, int textsPerCall, long bytesPerCall, int waitingTexts, long waitingBytes, long waitMs) {}

    private final ModelClient client;
    private final Limits limits;
    private final ThreadContext threadContext;
    private final LongSupplier clockMs;
    private final Counters counters;
    private final Map<String, ModelQueue> queues = new ConcurrentHashMap<>();
    private final AtomicLong waitingBytes = new AtomicLong();
    private volatile boolean closed;

    public EmbedCoordinator(
            ModelClient client, Limits limits, ThreadContext threadContext, LongSupplier clockMs, Counters counters) {
        this.client = client;
        this.limits = limits;
        this.threadContext = threadContext;
        this.clockMs = clockMs;
        this.counters = counters;
    }

    /**
     * Has one text embedded. The listener is called exactly once, in the caller's thread context: with the vector, or
     * with a {@link CallFailure}. {@code timeout} is that of its call; null takes the endpoint's.
     */
    void embed(ModelName model, String text, TimeValue timeout, ActionListener<float[]> listener) {
        counters.increment(Counter.INGEST_TEXTS);
        long timeoutMs =
                timeout == null ? client.deadline(model, Purpose.INGEST).lengthMs() : timeout.millis();
        Slot slot = new Slot(
                text,
                Deadline.in(limits.waitMs, clockMs),
                timeoutMs,
                ContextPreservingActionListener.wrapPreservingContext(listener, threadContext));
        String refusal = enqueue(model, slot);
        if (refusal != null) {
            counters.increment(Counter.INGEST_REFUSED);
            slot.listener()
                    .onFailure(new CallFailure(
                            ErrorCode.OVERLOADED,
                            "model [" + model.full() + "] was not asked: " + refusal
                                    + "; send the document again later"));
        }
    }

    /** Null where the slot was taken. */
    private String enqueue(ModelName model, Slot slot) {
        if (closed) {
            return "the node closes";
        }
        if (waitingBytes.addAndGet(slot.bytes()) > limits.waitingBytes) {
            waitingBytes.addAndGet(-slot.bytes());
            return limits.waitingBytes + " bytes of text wait on this node already";
        }
        ModelQueue queue = queues.computeIfAbsent(
                model.full(),
                name -> new ModelQueue(model, client, limits, waitingBytes, threadContext, clockMs, counters));
        if (queue.offer(slot)) {
            return null;
        }
        waitingBytes.addAndGet(-slot.bytes());
        return limits.waitingTexts + " texts wait for it on this node already";
    }

    /** Texts that wait now, over all models. */
    public int waitingTexts() {
        return queues.values().stream().mapToInt(ModelQueue::waiting).sum();
    }

    public long waitingBytes() {
        return waitingBytes.get();
    }

    /** What waits is answered with 429; what is on the wire is answered by its call. */
    @Override
    public void close() {
        closed = true;
        queues.values().forEach(ModelQueue::close);
    }
}
