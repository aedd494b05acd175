package org.bicross.ingest;

import static org.junit.Assert.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.client.Deadline;
import org.bicross.client.ModelClient;
import org.bicross.client.Purpose;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.RerankRequest;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.DeterministicTaskQueue;
import org.elasticsearch.common.util.concurrent.ThreadContext;

/** Answers later, at a time of its own; a text that holds "bad" has its whole call refused. */
final class ScriptedClient implements ModelClient {
    private final DeterministicTaskQueue tasks;
    private final ThreadContext context;
    private final Random random;
    final List<EmbedRequest> requests = new ArrayList<>();
    int open;
    int mostOpen;
    int failInHundred;
    boolean failsAtOnce;
    ErrorCode failure = ErrorCode.ENDPOINT_UNREACHABLE;

    ScriptedClient(DeterministicTaskQueue tasks, ThreadContext context, Random random) {
        this.tasks = tasks;
        this.context = context;
        this.random = random;
    }

    @Override
    public Deadline deadline(ModelName model, Purpose purpose) {
        return Deadline.in(30_000, tasks::getCurrentTimeMillis);
    }

    @Override
    public void requireKnown(ModelName model) {}

    @Override
    public void embed(EmbedRequest request, Purpose purpose, Deadline deadline, ActionListener<Embeddings> listener) {
        assertNull("a call goes under nobody's headers", context.getHeader("who"));
        requests.add(request);
        if (failsAtOnce) {
            listener.onFailure(new CallFailure(ErrorCode.MODEL_NOT_FOUND, "unknown"));
            return;
        }
        mostOpen = Math.max(mostOpen, ++open);
        tasks.scheduleAt(tasks.getCurrentTimeMillis() + 1 + random.nextInt(100), () -> {
            open--;
            answer(request, listener);
        });
    }

    private void answer(EmbedRequest request, ActionListener<Embeddings> listener) {
        if (request.inputs().stream().anyMatch(text -> text.contains("bad"))) {
            listener.onFailure(new CallFailure(ErrorCode.INVALID_REQUEST, "refused", "input[0]"));
        } else if (random.nextInt(100) < failInHundred) {
            listener.onFailure(new CallFailure(failure, "failed"));
        } else {
            List<float[]> vectors = request.inputs().stream()
                    .map(t -> new float[] {t.hashCode(), 1})
                    .toList();
            List<String> problems = new ArrayList<>(java.util.Collections.nCopies(vectors.size(), null));
            listener.onResponse(new Embeddings(null, vectors, problems));
        }
    }

    @Override
    public void rerank(RerankRequest request, Deadline deadline, ActionListener<float[]> listener) {
        throw new AssertionError();
    }
}
