package org.bicross.client;

import java.util.function.LongSupplier;

/** An instant on a clock that never goes back, in milliseconds. */
public record Deadline(LongSupplier clockMs, long atMs) {
    public static Deadline in(long ms, LongSupplier clockMs) {
        return new Deadline(clockMs, clockMs.getAsLong() + ms);
    }

    /** Never negative. */
    public long leftMs() {
        return Math.max(0, atMs - clockMs.getAsLong());
    }

    public boolean isOver() {
        return leftMs() == 0;
    }

    public Deadline atMostIn(long ms) {
        return new Deadline(clockMs, Math.min(atMs, clockMs.getAsLong() + ms));
    }
}
