package org.bicross.client;

import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.bicross.CallFailure;
import org.bicross.protocol.RerankRequest;
import org.bicross.status.Counters;
import org.elasticsearch.action.ActionListener;

/**
 * Keeps the scores of a partial rerank's calls where others of them fail: those leave NaN. A request that is not partial
 * fails with the first of its calls, as every other.
 */
final class Gaps {
    private final RerankRequest request;
    private final Counters counters;
    private final Queue<CallFailure> failures = new ConcurrentLinkedQueue<>();

    Gaps(RerankRequest request, Counters counters) {
        this.request = request;
        this.counters = counters;
    }

    /** For one call: its scores, or {@code passages} times NaN. What is the caller's fault, or cancelled, stays a failure. */
    ActionListener<float[]> allowed(int passages, ActionListener<float[]> piece) {
        return piece.delegateResponse((l, e) -> {
            if (request.partial()
                    && e instanceof CallFailure call
                    && call.code().isCallersFault() == false) {
                failures.add(call);
                float[] none = new float[passages];
                Arrays.fill(none, Float.NaN);
                l.onResponse(none);
            } else {
                l.onFailure(e);
            }
        });
    }

    /** For all calls: the first failure where there is not one score. Other failures are counted here, that one by whom it reaches. */
    ActionListener<float[]> unlessAll(ActionListener<float[]> whole) {
        return whole.delegateFailure((l, scores) -> {
            if (failures.isEmpty() == false && hasNone(scores)) {
                l.onFailure(failures.peek());
                return;
            }
            failures.forEach(failure -> counters.failed(failure.code()));
            l.onResponse(scores);
        });
    }

    private static boolean hasNone(float[] scores) {
        for (float score : scores) {
            if (Float.isNaN(score) == false) {
                return false;
            }
        }
        return true;
    }
}
