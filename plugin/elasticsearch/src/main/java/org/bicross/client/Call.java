package org.bicross.client;

import java.net.URI;
import java.net.http.HttpRequest;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.protocol.Dialect;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.tasks.TaskCancelledException;

/**
 * One call to a model: at most two attempts, the second on another URL wherever there is one, both inside the deadline
 * and the retry budget. What each kind of trouble becomes stands in {@link Verdict}.
 */
final class Call<T> {
    /** Reads an answer of status 200. */
    interface Reader<T> {
        T read(Dialect dialect, byte[] body) throws Exception;
    }

    /**
     * @param path where the call goes
     * @param body null for a GET
     * @param capBytes where reading the answer stops
     * @param spareMs how much earlier than the deadline the server is told to answer, a quarter of what is left at most
     */
    record Ask<T>(Route route, String path, byte[] body, long capBytes, long spareMs, Reader<T> reader) {
        /** At least 1: servers refuse a 0, and time goes on between the last look at the clock and this one. */
        long toldMs(long leftMs) {
            return Math.max(1, leftMs - Math.min(spareMs, leftMs / 4));
        }
    }

    /** What all calls of a node share. */
    record Shared(HttpCalls http, RetryBudget retries, Counters counters) {}

    private static final int MOST_ATTEMPTS = 2;
    private static final int JITTER_MS = 50;

    private final Shared shared;
    private final Ask<T> ask;
    private final Deadline deadline;
    private final TraceHeaders trace;
    private final ActionListener<T> listener;
    private final Set<Endpoint> triedEndpoints = new HashSet<>();
    private final Set<EndpointUrl> triedUrls = new HashSet<>();
    private int attempts;
    private HttpCalls.GiveUp open;
    private Exception cancelled;

    Call(Shared shared, Ask<T> ask, Deadline deadline, TraceHeaders trace, ActionListener<T> listener) {
        this.shared = shared;
        this.ask = ask;
        this.deadline = deadline;
        this.trace = trace;
        this.listener = listener;
    }

    void start() {
        shared.retries.countCall();
        attempt();
    }

    /** The listener gets {@code reason} unless it has its answer already. */
    void cancel(Exception reason) {
        HttpCalls.GiveUp running;
        synchronized (this) {
            cancelled = reason;
            running = open;
        }
        if (running != null) {
            running.giveUp(reason);
        }
    }

    private void attempt() {
        if (deadline.isOver()) {
            listener.onFailure(Verdict.late(ask.route, deadline));
            return;
        }
        Endpoint endpoint = ask.route.choose(triedEndpoints);
        EndpointUrl url = endpoint.urls.open(triedUrls);
        triedEndpoints.add(endpoint);
        triedUrls.add(url);
        attempts++;
        shared.counters.increment(Counter.HTTP_REQUESTS);
        HttpCalls.GiveUp sent = shared.http.send(
                request(ask, endpoint, url, deadline, trace), deadline, ask.capBytes, new ActionListener<>() {
                    @Override
                    public void onResponse(HttpAnswer answer) {
                        onAnswer(endpoint, url, answer);
                    }

                    @Override
                    public void onFailure(Exception trouble) {
                        onTrouble(endpoint, url, trouble);
                    }
                });
        Exception reason;
        synchronized (this) {
            open = sent;
            reason = cancelled;
        }
        if (reason != null) {
            sent.giveUp(reason);
        }
    }

    /** One attempt at one URL, outside the books: how the status page asks. */
    static <T> void once(
            Shared shared,
            Ask<T> ask,
            Endpoint endpoint,
            EndpointUrl url,
            Deadline deadline,
            ActionListener<T> listener) {
        HttpRequest request = request(ask, endpoint, url, deadline, TraceHeaders.NONE);
        shared.http.send(request, deadline, ask.capBytes, new ActionListener<>() {
            @Override
            public void onResponse(HttpAnswer answer) {
                if (answer.status() == 200 && answer.isEncoded() == false) {
                    ActionListener.completeWith(
                            listener, () -> ask.reader.read(endpoint.config.dialect(), answer.body()));
                } else {
                    listener.onFailure(
                            Verdict.ofAnswer(ask.route, endpoint, answer).failure());
                }
            }

            @Override
            public void onFailure(Exception trouble) {
                listener.onFailure(Verdict.ofTrouble(ask.route, endpoint, deadline, trouble)
                        .failure());
            }
        });
    }

    private static HttpRequest request(
            Ask<?> ask, Endpoint endpoint, EndpointUrl url, Deadline deadline, TraceHeaders trace) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url.uri + ask.path))
                .header("Accept", "application/json")
                .header("Accept-Encoding", "identity")
                .header("X-Bicross-Timeout-Ms", Long.toString(ask.toldMs(deadline.leftMs())));
        trace.addTo(request);
        if (endpoint.config.apiKey() != null) {
            request.header("Authorization", "Bearer " + endpoint.config.apiKey());
        }
        if (ask.body == null) {
            return request.GET().build();
        }
        return request.header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(ask.body))
                .build();
    }

    private void onAnswer(Endpoint endpoint, EndpointUrl url, HttpAnswer answer) {
        if (answer.status() == 200 && answer.isEncoded() == false) {
            T result;
            try {
                result = ask.reader.read(endpoint.config.dialect(), answer.body());
            } catch (Exception unreadable) {
                settle(endpoint, url, Verdict.ofUnreadable(ask.route, unreadable));
                return;
            }
            endpoint.urls.close(url, null, false);
            listener.onResponse(result);
            return;
        }
        settle(endpoint, url, Verdict.ofAnswer(ask.route, endpoint, answer));
    }

    private void onTrouble(Endpoint endpoint, EndpointUrl url, Exception trouble) {
        if (trouble instanceof TaskCancelledException) {
            endpoint.urls.abandon(url);
            shared.counters.increment(Counter.HTTP_CANCELLED);
            listener.onFailure(trouble);
            return;
        }
        settle(endpoint, url, Verdict.ofTrouble(ask.route, endpoint, deadline, trouble));
    }

    private void settle(Endpoint endpoint, EndpointUrl url, Verdict verdict) {
        if (deadline.isBudget() && verdict.failure().code() == ErrorCode.DEADLINE_EXCEEDED) {
            endpoint.urls.abandon(url); // searches with budgets too short must not rest a server that is well
            listener.onFailure(verdict.failure());
            return;
        }
        int inARow = endpoint.urls.close(url, verdict.failure().getMessage(), verdict.countsAgainstUrl());
        long waitMs = verdict.waitMs()
                + (verdict.isUnbegun() ? 0 : ThreadLocalRandom.current().nextInt(JITTER_MS));
        if (verdict.mayRetry() == false || attempts >= MOST_ATTEMPTS || deadline.leftMs() <= waitMs) {
            listener.onFailure(verdict.failure());
            return;
        }
        // Nothing was begun, so trying again adds no work anywhere: that must not use up what is for real trouble, or
        // the searches between a server's death and its rest would fail beside a server that is well.
        boolean free = verdict.isUnbegun() && inARow < UrlPool.FAILURES_TO_REST;
        if (free == false && shared.retries.take() == false) {
            shared.counters.increment(Counter.HTTP_RETRIES_REFUSED);
            listener.onFailure(verdict.failure());
            return;
        }
        shared.counters.increment(Counter.HTTP_RETRIES);
        try {
            shared.http.schedule(this::attempt, waitMs);
        } catch (EsRejectedExecutionException closing) {
            listener.onFailure(new CallFailure(
                    ErrorCode.ENDPOINT_UNREACHABLE, ask.route.about("was not asked again: the node closes")));
        }
    }
}
