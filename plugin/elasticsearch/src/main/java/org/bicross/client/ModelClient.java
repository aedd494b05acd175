package org.bicross.client;

import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.RerankRequest;
import org.elasticsearch.action.ActionListener;

/**
 * Numbers for texts, from a server somewhere. Nothing here waits; a listener is called exactly once, on a thread of the
 * node, with an answer that was checked or with a {@link org.bicross.CallFailure} (a
 * {@link org.elasticsearch.tasks.TaskCancelledException} where the search was cancelled).
 */
public interface ModelClient {
    /** A deadline of the length that the model's endpoint gives to such calls. */
    Deadline deadline(ModelName model, Purpose purpose);

    /** Throws IllegalArgumentException where every endpoint names its models in the settings and none names this. */
    void requireKnown(ModelName model);

    void embed(EmbedRequest request, Purpose purpose, Deadline deadline, ActionListener<Embeddings> listener);

    /**
     * Raw scores in the order of the passages. Of a {@code partial} request NaN where there was none at the deadline; its
     * calls' failures, save those that are the caller's fault, are told only where no score came.
     */
    void rerank(RerankRequest request, Deadline deadline, ActionListener<float[]> listener);
}
