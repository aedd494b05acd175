package org.bicross.client;

import java.util.function.LongSupplier;

/**
 * An instant on a clock that never goes back, in milliseconds.
 *
 * @param lengthMs how far away it was when it was set
 */
public record Deadline(LongSupplier clockMs, long atMs, long lengthMs) {
    public static Deadline in(long ms, LongSupplier clockMs) {
        return new Deadline(clockMs, clockMs.getAsLong() + ms, ms);
    }

    /** Never negative. */
    public long leftMs() {
        return Math.max(0, atMs - clockMs.getAsLong());
    }

    public boolean isOver() {
        return leftMs() == 0;
    }

    public Deadline atMostIn(long ms) {
        Deadline other = in(ms, clockMs);
        return other.atMs < atMs ? other : this;
    }
}
