package org.bicross.client;

import java.util.List;
import java.util.Set;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.protocol.Embeddings;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.ServedModel;

/**
 * Where a model is served: one endpoint, or several whose lists name it with the same digest.
 *
 * @param model null where it is the list of models that is asked for
 * @param served what the list says of the model; null where no list has been read
 */
record Route(ModelName model, List<Endpoint> endpoints, ServedModel served) {
    /** The least busy endpoint, one not tried before wherever possible. */
    Endpoint choose(Set<Endpoint> tried) {
        List<Endpoint> fresh = endpoints.stream()
                .filter(endpoint -> tried.contains(endpoint) == false)
                .toList();
        Endpoint best = null;
        for (Endpoint endpoint : fresh.isEmpty() ? endpoints : fresh) {
            if (best == null || endpoint.urls.openCalls() < best.urls.openCalls()) {
                best = endpoint;
            }
        }
        return best;
    }

    EndpointConfig config() {
        return endpoints.get(0).config;
    }

    /**
     * Whether the server is known to be bicross' own: only its list has digests. Others speak the same dialect and may
     * refuse a field that they do not know.
     */
    boolean isOfBicross() {
        return served != null && served.digest() != null;
    }

    void requireTask(String task) throws CallFailure {
        if (served != null && served.task() != null && served.task().equals(task) == false) {
            throw new CallFailure(
                    ErrorCode.WRONG_TASK,
                    "[model_id] "
                            + about("does [" + served.task() + "], and here it takes a model" + " that does [" + task
                                    + "]"));
        }
    }

    /** Texts of one field must have vectors of one bundle: another digest or length than the list's is refused. */
    void requireSameModel(String answeredBy) throws CallFailure {
        int at = answeredBy == null ? -1 : answeredBy.lastIndexOf('@');
        if (at < 0) {
            return;
        }
        String digest = answeredBy.substring(at + 1);
        boolean asListed =
                served == null || served.digest() == null || served.digest().startsWith(digest);
        if (asListed == false || model.accepts(digest) == false) {
            throw new CallFailure(
                    ErrorCode.ENDPOINT_MISCONFIGURED,
                    about("was answered by [" + answeredBy + "], another bundle;"
                            + " all servers of an endpoint must serve the same"));
        }
    }

    void requireDimensions(Embeddings answer) throws CallFailure {
        int found = answer.dimensions();
        if (served != null && served.dimensions() > 0 && found > 0 && found != served.dimensions()) {
            throw new CallFailure(
                    ErrorCode.BAD_ANSWER, about("has " + served.dimensions() + " dimensions, the answer has " + found));
        }
    }

    /** A message that begins with the model, where it is about one, and its endpoint. */
    String about(String message) {
        String endpoint = "endpoint [" + config().name() + "] " + message;
        return model == null ? endpoint : "model [" + model.full() + "] at " + endpoint;
    }
}
