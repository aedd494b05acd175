package org.bicross.rerank;

import java.util.function.LongSupplier;
import org.bicross.CallFailure;
import org.bicross.client.Deadline;
import org.bicross.client.ModelClient;
import org.bicross.client.Purpose;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.RerankRequest;
import org.elasticsearch.action.ActionListener;

/** Answers at once with the test's logits, or its failure. */
final class ScriptedReranker implements ModelClient {
    LongSupplier clockMs;
    float[] logits;
    CallFailure failure;
    RerankRequest request;
    Deadline deadline;

    @Override
    public Deadline deadline(ModelName model, Purpose purpose) {
        return Deadline.in(10_000, clockMs);
    }

    @Override
    public void requireKnown(ModelName model) {}

    @Override
    public void embed(EmbedRequest request, Purpose purpose, Deadline deadline, ActionListener<Embeddings> listener) {
        throw new AssertionError();
    }

    @Override
    public void rerank(RerankRequest request, Deadline deadline, ActionListener<float[]> listener) {
        this.request = request;
        this.deadline = deadline;
        if (failure != null) {
            listener.onFailure(failure);
        } else {
            listener.onResponse(logits);
        }
    }
}
