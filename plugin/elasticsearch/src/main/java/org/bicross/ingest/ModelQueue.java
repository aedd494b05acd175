package org.bicross.ingest;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.client.Deadline;
import org.bicross.client.ModelClient;
import org.bicross.client.Purpose;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.InputType;
import org.bicross.protocol.ModelName;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.ThreadContext;

/**
 * The texts that wait for one model, and its open calls. A call refused for what may be one text of several is cut in
 * halves, which are sent before anything newer, until the bad text stands alone. A server that says 429 halves the number
 * of open calls; each call that succeeds brings one back.
 */
final class ModelQueue {
    private final ModelName model;
    private final ModelClient client;
    private final EmbedCoordinator.Limits limits;
    private final AtomicLong waitingBytes;
    private final ThreadContext threadContext;
    private final LongSupplier clockMs;
    private final Counters counters;

    private final AtomicInteger sendersWanted = new AtomicInteger();

    // Guarded by this.
    private final Deque<Slot> waiting = new ArrayDeque<>();
    private final Deque<List<Slot>> halves = new ArrayDeque<>();
    private int openCalls;
    private int mostOpenCalls;
    private boolean closed;

    ModelQueue(
            ModelName model,
            ModelClient client,
            EmbedCoordinator.Limits limits,
            AtomicLong waitingBytes,
            ThreadContext threadContext,
            LongSupplier clockMs,
            Counters counters) {
        this.model = model;
        this.client = client;
        this.limits = limits;
        this.waitingBytes = waitingBytes;
        this.threadContext = threadContext;
        this.clockMs = clockMs;
        this.counters = counters;
        this.mostOpenCalls = limits.openCalls();
    }

    /** False where the queue is full; the slot is then the caller's to answer. */
    boolean offer(Slot slot) {
        synchronized (this) {
            if (closed || waiting.size() >= limits.waitingTexts()) {
                return false;
            }
            waiting.add(slot);
        }
        sendWhatFits();
        return true;
    }

    synchronized int waiting() {
        return waiting.size();
    }

    /**
     * One thread sends at a time, and whoever comes meanwhile leaves it the rest: a call that fails at once comes back
     * here from within, and a long queue of those would otherwise be as deep a stack.
     */
    private void sendWhatFits() {
        if (sendersWanted.getAndIncrement() > 0) {
            return;
        }
        List<Slot> expired = new ArrayList<>();
        int served;
        do {
            served = sendersWanted.get();
            List<Slot> batch;
            while ((batch = take(expired)).isEmpty() == false) {
                send(batch);
            }
        } while (sendersWanted.addAndGet(-served) > 0);
        for (Slot slot : expired) {
            slot.listener()
                    .onFailure(new CallFailure(
                            ErrorCode.DEADLINE_EXCEEDED,
                            "model [" + model.full() + "] was not asked within " + limits.waitMs()
                                    + " ms: calls before it took too long; send the document again later"));
        }
    }

    /** The next call's slots, its call slot taken; empty where nothing waits or no call slot is free. */
    private synchronized List<Slot> take(List<Slot> expired) {
        List<Slot> batch = List.of();
        while (batch.isEmpty() && openCalls < mostOpenCalls && (halves.isEmpty() && waiting.isEmpty()) == false) {
            batch = halves.isEmpty() ? fill(expired) : stillInTime(halves.poll(), expired);
        }
        if (batch.isEmpty() == false) {
            openCalls++;
        }
        return batch;
    }

    private List<Slot> fill(List<Slot> expired) {
        List<Slot> batch = new ArrayList<>();
        long bytes = 0;
        while (batch.size() < limits.textsPerCall() && waiting.isEmpty() == false) {
            Slot next = waiting.peek();
            if (batch.isEmpty() == false && fits(batch.get(0), bytes, next) == false) {
                break;
            }
            waiting.poll();
            waitingBytes.addAndGet(-next.bytes());
            if (next.waitsUntil().isOver()) {
                expired.add(next);
            } else {
                batch.add(next);
                bytes += next.bytes();
            }
        }
        return batch;
    }

    /** Only texts with timeouts of one length share a call, so that none is cut short by another's. */
    private boolean fits(Slot first, long bytes, Slot next) {
        return bytes + next.bytes() <= limits.bytesPerCall() && next.timeoutMs() == first.timeoutMs();
    }

    private static List<Slot> stillInTime(List<Slot> slots, List<Slot> expired) {
        List<Slot> batch = new ArrayList<>();
        slots.forEach(slot -> (slot.waitsUntil().isOver() ? expired : batch).add(slot));
        return batch;
    }

    private void send(List<Slot> batch) {
        counters.increment(Counter.INGEST_BATCHES);
        // A call belongs to no document, so it travels under nobody's headers; each listener brings its own back.
        try (ThreadContext.StoredContext ignored = threadContext.stashContext()) {
            EmbedRequest request =
                    new EmbedRequest(model, batch.stream().map(Slot::text).toList(), InputType.PASSAGE);
            Deadline deadline = Deadline.in(batch.get(0).timeoutMs(), clockMs);
            client.embed(request, Purpose.INGEST, deadline, new ActionListener<>() {
                @Override
                public void onResponse(Embeddings embeddings) {
                    finish(batch, embeddings, null);
                }

                @Override
                public void onFailure(Exception failure) {
                    finish(batch, null, failure);
                }
            });
        }
    }

    /** The call slot goes on to the next batch before anybody's pipeline goes on. */
    private void finish(List<Slot> batch, Embeddings embeddings, Exception failure) {
        boolean cut = failure instanceof CallFailure call && call.mayBeOneText() && batch.size() > 1;
        synchronized (this) {
            openCalls--;
            if (failure == null) {
                mostOpenCalls = Math.min(limits.openCalls(), mostOpenCalls + 1);
            } else if (failure instanceof CallFailure call && call.code() == ErrorCode.OVERLOADED) {
                mostOpenCalls = Math.max(1, mostOpenCalls / 2);
            }
            if (cut) {
                halves.addFirst(batch.subList(batch.size() / 2, batch.size()));
                halves.addFirst(batch.subList(0, batch.size() / 2));
            }
        }
        sendWhatFits();
        if (cut == false) {
            answer(batch, embeddings, failure);
        }
    }

    private static void answer(List<Slot> batch, Embeddings embeddings, Exception failure) {
        for (int i = 0; i < batch.size(); i++) {
            Slot slot = batch.get(i);
            if (failure != null) {
                slot.listener().onFailure(failure);
                continue;
            }
            float[] vector;
            try {
                vector = embeddings.vector(i);
            } catch (CallFailure unusable) {
                slot.listener().onFailure(unusable);
                continue;
            }
            slot.listener().onResponse(vector);
        }
    }

    void close() {
        List<Slot> left = new ArrayList<>();
        synchronized (this) {
            closed = true;
            waiting.forEach(slot -> waitingBytes.addAndGet(-slot.bytes()));
            left.addAll(waiting);
            halves.forEach(left::addAll);
            waiting.clear();
            halves.clear();
        }
        Exception failure = new CallFailure(
                ErrorCode.ENDPOINT_UNREACHABLE, "model [" + model.full() + "] was not asked: the node closes");
        left.forEach(slot -> slot.listener().onFailure(failure));
    }
}
