package org.bicross.protocol;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Collects the items of an answer by their {@code index}: every index in range, once. A repeated one, or a missing one
 * where all were asked for, would hand a text another text's number, so the whole answer is refused.
 */
final class ByIndex<T> {
    private final List<T> values;
    private final boolean[] seen;

    ByIndex(int count) {
        values = new ArrayList<>(Collections.nCopies(count, null));
        seen = new boolean[count];
    }

    void put(Object index, T value) throws ProtocolException {
        if (index instanceof Integer == false) {
            throw new ProtocolException("an item has no whole number as `index`");
        }
        int i = (Integer) index;
        if (i < 0 || i >= seen.length) {
            throw new ProtocolException("index " + i + " where " + seen.length + " texts were sent");
        }
        if (seen[i]) {
            throw new ProtocolException("index " + i + " comes twice");
        }
        seen[i] = true;
        values.set(i, value);
    }

    /** Null where an index did not come. */
    List<T> sparse() {
        return values;
    }

    List<T> complete() throws ProtocolException {
        for (int i = 0; i < seen.length; i++) {
            if (seen[i] == false) {
                throw new ProtocolException("index " + i + " is missing of the " + seen.length + " texts sent");
            }
        }
        return values;
    }
}
