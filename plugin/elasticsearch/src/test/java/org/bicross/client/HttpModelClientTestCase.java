package org.bicross.client;

import com.carrotsearch.randomizedtesting.ThreadFilter;
import com.carrotsearch.randomizedtesting.annotations.ThreadLeakFilters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.InputType;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.RerankRequest;
import org.bicross.status.Counters;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.settings.MockSecureSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.test.ESTestCase;
import org.elasticsearch.threadpool.TestThreadPool;
import org.elasticsearch.threadpool.ThreadPool;
import org.junit.After;
import org.junit.Before;

/** The true client against true sockets. */
@ThreadLeakFilters(filters = HttpModelClientTestCase.SocketThreads.class)
public abstract class HttpModelClientTestCase extends ESTestCase {
    static final ModelName EMBEDDER = ModelName.parse("model_id", "minilm");
    static final ModelName RERANKER = ModelName.parse("model_id", "ms-marco");

    final Counters counters = new Counters();
    ThreadPool threadPool;
    private final List<AutoCloseable> toClose = new ArrayList<>();

    /** The JDK ends its client's threads in its own time. */
    public static final class SocketThreads implements ThreadFilter {
        @Override
        public boolean reject(Thread thread) {
            return thread.getName().startsWith("HttpClient-")
                    || thread.getName().equals("faulty-server");
        }
    }

    /** What a listener was told, once. */
    static final class Outcome<T> implements ActionListener<T> {
        private final CountDownLatch told = new CountDownLatch(1);
        private final AtomicInteger times = new AtomicInteger();
        private final AtomicReference<T> value = new AtomicReference<>();
        private final AtomicReference<Exception> failure = new AtomicReference<>();
        private final AtomicReference<String> thread = new AtomicReference<>();

        @Override
        public void onResponse(T given) {
            value.set(given);
            tell();
        }

        @Override
        public void onFailure(Exception e) {
            failure.set(e);
            tell();
        }

        private void tell() {
            thread.set(Thread.currentThread().getName());
            assertEquals("a listener is called once", 1, times.incrementAndGet());
            told.countDown();
        }

        private void await() throws InterruptedException {
            assertTrue("no answer", told.await(20, TimeUnit.SECONDS));
        }

        T value() throws Exception {
            await();
            if (failure.get() != null) {
                throw failure.get();
            }
            return value.get();
        }

        CallFailure failure(ErrorCode code) throws Exception {
            Exception e = anyFailure();
            assertTrue(e.toString(), e instanceof CallFailure);
            assertEquals(e.getMessage(), code, ((CallFailure) e).code());
            return (CallFailure) e;
        }

        Exception anyFailure() throws InterruptedException {
            await();
            assertNotNull("answered with " + value.get(), failure.get());
            return failure.get();
        }

        String thread() {
            return thread.get();
        }
    }

    @Before
    public void startPool() {
        threadPool = new TestThreadPool(getTestName());
    }

    @After
    public void closeAll() throws Exception {
        for (AutoCloseable closeable : toClose) {
            closeable.close();
        }
        terminate(threadPool);
    }

    FaultyServer server(Function<FaultyServer.Request, FaultyServer.Reply> script) throws IOException {
        FaultyServer server = new FaultyServer(script);
        toClose.add(server);
        return server;
    }

    /** Endpoint main with both models by name, so that no list is read first. */
    HttpModelClient client(String... urls) {
        return client(Settings.builder()
                .putList("bicross.endpoint.main.urls", urls)
                .putList("bicross.endpoint.main.models", "minilm", "ms-marco"));
    }

    HttpModelClient client(Settings.Builder settings) {
        MockSecureSettings keystore = new MockSecureSettings();
        keystore.setString("bicross.endpoint.main.api_key", "key-canary");
        settings.setSecureSettings(keystore);
        HttpModelClient client = new HttpModelClient(EndpointConfig.read(settings.build()), 2, threadPool, counters);
        toClose.add(client);
        return client;
    }

    Deadline in(long ms) {
        return Deadline.in(ms, threadPool::rawRelativeTimeInMillis);
    }

    Outcome<Embeddings> embed(HttpModelClient client, long ms, String... texts) {
        Outcome<Embeddings> outcome = new Outcome<>();
        client.embed(new EmbedRequest(EMBEDDER, List.of(texts), InputType.PASSAGE), Purpose.INGEST, in(ms), outcome);
        return outcome;
    }

    Outcome<float[]> rerank(HttpModelClient client, long ms, String... passages) {
        return rerank(client, in(ms), false, List.of(passages));
    }

    static Outcome<float[]> rerank(HttpModelClient client, Deadline deadline, boolean partial, List<String> passages) {
        Outcome<float[]> outcome = new Outcome<>();
        client.rerank(new RerankRequest(RERANKER, "q", passages, partial), deadline, outcome);
        return outcome;
    }

    static final String ONE_VECTOR = "{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}";
    static final String ONE_SCORE = "{\"results\":[{\"index\":0,\"relevance_score\":0.5}]}";
}
