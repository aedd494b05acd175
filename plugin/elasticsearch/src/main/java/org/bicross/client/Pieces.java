package org.bicross.client;

import java.util.Arrays;
import java.util.List;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.CountDownActionListener;
import org.elasticsearch.core.CheckedFunction;

/** One request as several calls, since servers limit the texts of one; the answers in the order of the texts. */
final class Pieces {
    interface Piece<T> {
        void run(int from, int to, ActionListener<T> listener);
    }

    private Pieces() {}

    static <T> void run(
            int count,
            int most,
            CheckedFunction<List<T>, T, Exception> join,
            ActionListener<T> listener,
            Piece<T> piece) {
        if (count <= most) {
            piece.run(0, count, listener);
            return;
        }
        int pieces = (count + most - 1) / most;
        Object[] parts = new Object[pieces];
        ActionListener<Void> all =
                new CountDownActionListener(pieces, listener.map(ignored -> join.apply(typed(parts))));
        for (int i = 0; i < pieces; i++) {
            int index = i;
            piece.run(i * most, Math.min(count, (i + 1) * most), all.map(part -> {
                parts[index] = part;
                return null;
            }));
        }
    }

    @SuppressWarnings("unchecked")
    private static <T> List<T> typed(Object[] parts) {
        return Arrays.stream(parts).map(part -> (T) part).toList();
    }
}
