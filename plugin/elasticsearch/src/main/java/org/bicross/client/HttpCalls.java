package org.bicross.client;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLException;
import org.bicross.compat.Compat;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.AbstractRunnable;
import org.elasticsearch.common.util.concurrent.EsRejectedExecutionException;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.threadpool.Scheduler;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * One HTTP exchange at a time, asynchronously: no redirects, no proxy of the environment, HTTP/1.1 (the upgrade headers
 * of HTTP/2 confuse small servers). Answers come on a thread of the node's generic pool, never on one of HTTP.
 */
final class HttpCalls implements Closeable {
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);

    private final ThreadPool threadPool;
    private final AtomicReference<HttpClient> current = new AtomicReference<>(newClient());

    HttpCalls(ThreadPool threadPool) {
        this.threadPool = threadPool;
    }

    private static HttpClient newClient() {
        return HttpClient.newBuilder()
                .connectTimeout(CONNECT_TIMEOUT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .proxy(HttpClient.Builder.NO_PROXY)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /**
     * Sends; the listener is called once, with the answer or with an IOException, a TimeoutException at the deadline, or
     * whatever the JDK throws where the node forbids the network. Returns what gives the call up without an answer: its
     * connection is closed and the listener gets the given exception.
     */
    GiveUp send(HttpRequest request, Deadline deadline, long cap, ActionListener<HttpAnswer> listener) {
        HttpClient client = current.get();
        AtomicBoolean answerBegan = new AtomicBoolean();
        CompletableFuture<HttpResponse<byte[]>> future = start(client, request, head -> {
            answerBegan.set(true);
            return new CappedBody(cap);
        });
        Exchange exchange = new Exchange(future, listener);
        try {
            Runnable timeout = () -> exchange.giveUp(new TimeoutException("no answer in time"));
            exchange.endsBy(schedule(timeout, deadline.leftMs()));
        } catch (EsRejectedExecutionException closing) {
            exchange.giveUp(closing);
        }
        future.whenComplete((response, failure) -> fork(() -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            if (isReset(cause)) {
                replace(client);
                exchange.end(null, answerBegan.get() ? cause : new NoAnswerException(cause));
                return;
            }
            exchange.end(response, cause);
        }));
        return exchange;
    }

    /** sendAsync can also throw (a missing entitlement does), and then no future would ever call back. */
    private static CompletableFuture<HttpResponse<byte[]>> start(
            HttpClient client, HttpRequest request, HttpResponse.BodyHandler<byte[]> handler) {
        try {
            return client.sendAsync(request, handler);
        } catch (Exception e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * After a reset every pooled connection is suspect, a restarted server has closed them all, so the next attempt must
     * not take another: it gets a client with an empty pool. Calls that are open on the old one end on it.
     */
    private void replace(HttpClient suspect) {
        current.compareAndSet(suspect, newClient());
    }

    static boolean isReset(Throwable failure) {
        return failure instanceof IOException
                && failure instanceof CappedBody.TooLongException == false
                && failure instanceof ConnectException == false
                && failure instanceof SSLException == false
                && failure instanceof HttpTimeoutException == false;
    }

    Scheduler.ScheduledCancellable schedule(Runnable command, long delayMs) {
        return threadPool.schedule(command, TimeValue.timeValueMillis(delayMs), threadPool.generic());
    }

    /** A node that shuts down refuses the fork; the caller is called back all the same. */
    private void fork(Runnable next) {
        threadPool.generic().execute(new AbstractRunnable() {
            @Override
            protected void doRun() {
                next.run();
            }

            @Override
            public void onRejection(Exception e) {
                next.run();
            }

            @Override
            public void onFailure(Exception e) {
                throw new AssertionError(e); // listeners answer for themselves
            }
        });
    }

    @Override
    public void close() {
        Compat.shutdown(current.get());
    }

    /** The connection broke before a byte of the answer: most likely it was pooled, and the server had closed it. */
    static final class NoAnswerException extends IOException {
        private static final long serialVersionUID = 1L;

        NoAnswerException(Throwable cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** Ends a call that nobody waits for any more. */
    interface GiveUp {
        void giveUp(Exception reason);
    }

    private static final class Exchange implements GiveUp {
        private final CompletableFuture<HttpResponse<byte[]>> future;
        private final ActionListener<HttpAnswer> listener;
        private final AtomicBoolean ended = new AtomicBoolean();
        private volatile Scheduler.Cancellable timer;

        Exchange(CompletableFuture<HttpResponse<byte[]>> future, ActionListener<HttpAnswer> listener) {
            this.future = future;
            this.listener = listener;
        }

        void endsBy(Scheduler.Cancellable given) {
            timer = given;
        }

        @Override
        public void giveUp(Exception reason) {
            if (ended.compareAndSet(false, true)) {
                stopTimer();
                future.cancel(true); // closes the connection: the server sees that nobody waits
                listener.onFailure(reason);
            }
        }

        private void stopTimer() {
            Scheduler.Cancellable running = timer;
            if (running != null) { // null where a deadline of nothing is met before it is known
                running.cancel();
            }
        }

        void end(HttpResponse<byte[]> response, Throwable failure) {
            if (ended.compareAndSet(false, true)) {
                stopTimer();
                if (failure == null) {
                    listener.onResponse(new HttpAnswer(response.statusCode(), response.headers(), response.body()));
                } else {
                    listener.onFailure(failure instanceof Exception e ? e : new IOException(failure));
                }
            }
        }
    }
}
