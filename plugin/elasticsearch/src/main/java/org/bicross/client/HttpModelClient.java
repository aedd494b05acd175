package org.bicross.client;

import java.io.Closeable;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.RerankRequest;
import org.bicross.protocol.Scores;
import org.bicross.protocol.ServedModel;
import org.bicross.search.SearchTask;
import org.bicross.status.Counters;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.tasks.TaskCancelledException;
import org.elasticsearch.threadpool.ThreadPool;

/** The models of the node's endpoints, over HTTP. */
public final class HttpModelClient implements ModelClient, Closeable {
    private static final long LIST_TIMEOUT_MS = 2_000;
    private static final long LIST_CAP_BYTES = 1 << 20;
    private static final long ANSWER_OVERHEAD_BYTES = 256 << 10;
    /** Room for a score with its document, should a server send it back unasked. */
    private static final long SCORE_BYTES = 8 << 10;
    /** A number in decimal takes at most this much, in base64 less. */
    private static final long NUMBER_BYTES = 26;

    /** For a partial answer to come in time from a server that is busy until then, to a node that is busy too. */
    private static final long PARTIAL_SPARE_MS = 50;

    private static final int LONGEST_VECTOR = 8_192;

    private final ThreadContext threadContext;
    private final LongSupplier clockMs;
    private final Call.Shared shared;
    private final Endpoints endpoints;
    private final int mostSearchCalls;
    private final AtomicInteger openSearchCalls = new AtomicInteger();

    public HttpModelClient(
            List<EndpointConfig> configs, int mostSearchCalls, ThreadPool threadPool, Counters counters) {
        this.threadContext = threadPool.getThreadContext();
        this.clockMs = threadPool::rawRelativeTimeInMillis; // the other is 200 ms coarse, more than a budget may be
        this.shared = new Call.Shared(new HttpCalls(threadPool), new RetryBudget(clockMs), counters);
        this.endpoints = new Endpoints(configs, this::readList, clockMs);
        this.mostSearchCalls = mostSearchCalls;
    }

    @Override
    public Deadline deadline(ModelName model, Purpose purpose) {
        return Deadline.in(endpoints.timeout(model, purpose).millis(), clockMs);
    }

    @Override
    public void requireKnown(ModelName model) {
        endpoints.requireKnown(model);
    }

    @Override
    public void embed(EmbedRequest request, Purpose purpose, Deadline deadline, ActionListener<Embeddings> listener) {
        begin(request.model(), purpose, ServedModel.EMBEDDING_TASK, deadline, listener, (route, caller, result) -> {
            int most = route.config().dialect().maxTextsPerCall();
            Pieces.run(request.inputs().size(), most, Embeddings::join, result, (from, to, piece) -> {
                EmbedRequest part = request.slice(from, to);
                start(embedAsk(route, part, purpose), deadline, caller, piece);
            });
        });
    }

    private static Call.Ask<Embeddings> embedAsk(Route route, EmbedRequest request, Purpose purpose) {
        int texts = request.inputs().size();
        long dimensions = route.served() == null || route.served().dimensions() < 0
                ? LONGEST_VECTOR
                : route.served().dimensions();
        long cap = ANSWER_OVERHEAD_BYTES + texts * dimensions * NUMBER_BYTES;
        byte[] body = route.config().dialect().embedBody(request);
        return new Call.Ask<>(route, route.config().pathOf(purpose), body, cap, 0, (dialect, answer) -> {
            Embeddings embeddings = dialect.readEmbeddings(answer, texts);
            route.requireSameModel(embeddings.servedModel());
            route.requireDimensions(embeddings);
            return embeddings;
        });
    }

    @Override
    public void rerank(RerankRequest request, Deadline deadline, ActionListener<float[]> listener) {
        begin(request.model(), Purpose.RERANK, ServedModel.RERANK_TASK, deadline, listener, (route, caller, result) -> {
            int most = route.config().dialect().maxTextsPerCall();
            RerankRequest asked = route.isOfBicross() ? request : request.whole();
            Gaps gaps = new Gaps(request, shared.counters());
            Pieces.run(request.passages().size(), most, Scores::join, gaps.unlessAll(result), (from, to, piece) -> {
                RerankRequest part = asked.slice(from, to);
                start(rerankAsk(route, part), deadline, caller, gaps.allowed(to - from, piece));
            });
        });
    }

    private static Call.Ask<float[]> rerankAsk(Route route, RerankRequest request) {
        int passages = request.passages().size();
        byte[] body = route.config().dialect().rerankBody(request);
        long cap = ANSWER_OVERHEAD_BYTES + passages * SCORE_BYTES;
        long spareMs = request.partial() ? PARTIAL_SPARE_MS : 0;
        return new Call.Ask<>(route, route.config().pathOf(Purpose.RERANK), body, cap, spareMs, (dialect, answer) -> {
            Scores scores = dialect.readScores(answer, request);
            route.requireSameModel(scores.servedModel());
            return scores.values();
        });
    }

    /** What is done once the model's endpoint is known. */
    private interface Work<T> {
        void run(Route route, Caller caller, ActionListener<T> listener) throws Exception;
    }

    private <T> void begin(
            ModelName model,
            Purpose purpose,
            String task,
            Deadline deadline,
            ActionListener<T> listener,
            Work<T> work) {
        ActionListener<T> counted = listener.delegateResponse((l, failure) -> {
            if (failure instanceof CallFailure call) {
                shared.counters().failed(call.code());
            }
            l.onFailure(failure);
        });
        ActionListener<T> preserved = ContextPreservingActionListener.wrapPreservingContext(counted, threadContext);
        ActionListener<T> result = purpose.isSearch() ? admitted(model, preserved) : preserved;
        if (result == null) {
            return;
        }
        Caller caller = purpose.isSearch() ? Caller.of(threadContext) : Caller.MANY;
        endpoints.route(model, deadline, result.delegateFailureAndWrap((l, route) -> {
            route.requireTask(task);
            work.run(route, caller, l);
        }));
    }

    /** Null where the node's calls for searches are all in use; the listener then has its refusal. */
    private <T> ActionListener<T> admitted(ModelName model, ActionListener<T> listener) {
        if (openSearchCalls.incrementAndGet() > mostSearchCalls) {
            openSearchCalls.decrementAndGet();
            listener.onFailure(new CallFailure(
                    ErrorCode.OVERLOADED,
                    "model [" + model.full() + "] was not asked: " + mostSearchCalls
                            + " calls for searches are open on this node"));
            return null;
        }
        return ActionListener.runBefore(listener, openSearchCalls::decrementAndGet);
    }

    private <T> void start(Call.Ask<T> ask, Deadline deadline, Caller caller, ActionListener<T> listener) {
        Call<T> call = new Call<>(shared, ask, deadline, caller.trace, listener);
        call.start();
        caller.mayCancel(call);
    }

    private void readList(Endpoint endpoint, Deadline deadline, ActionListener<List<ServedModel>> listener) {
        new Call<>(shared, listAsk(endpoint), deadline.atMostIn(LIST_TIMEOUT_MS), TraceHeaders.NONE, listener).start();
    }

    /** Of one URL, whatever its reputation; the answer does not change that. */
    void readList(Endpoint endpoint, EndpointUrl url, Deadline deadline, ActionListener<List<ServedModel>> listener) {
        Call.once(shared, listAsk(endpoint), endpoint, url, deadline, listener);
    }

    private static Call.Ask<List<ServedModel>> listAsk(Endpoint endpoint) {
        Route route = new Route(null, List.of(endpoint), null);
        String path = endpoint.config.modelsPath();
        return new Call.Ask<>(route, path, null, LIST_CAP_BYTES, 0, (dialect, body) -> dialect.readModels(body));
    }

    Endpoints endpoints() {
        return endpoints;
    }

    @Override
    public void close() {
        shared.http().close();
    }

    /**
     * Whose calls they are: the search's task, which ends them when it is cancelled, and its trace.
     *
     * @param task null where there is none to ask
     */
    private record Caller(CancellableTask task, TraceHeaders trace) {
        /** A call of ingest holds texts of many requests, and so has no one parent. */
        static final Caller MANY = new Caller(null, TraceHeaders.NONE);

        static Caller of(ThreadContext context) {
            return new Caller(SearchTask.current(context), TraceHeaders.of(context));
        }

        void mayCancel(Call<?> call) {
            if (task != null) {
                task.addListener(() -> call.cancel(new TaskCancelledException("the search was cancelled")));
            }
        }
    }
}
