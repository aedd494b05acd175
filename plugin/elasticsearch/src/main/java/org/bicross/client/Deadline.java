package org.bicross.client;

import java.util.function.LongSupplier;

/**
 * An instant on a clock that never goes back, in milliseconds.
 *
 * @param lengthMs how far away it was when it was set
 * @param isBudget whether a search set it for itself: then it says nothing about the server that it came too early
 */
public record Deadline(LongSupplier clockMs, long atMs, long lengthMs, boolean isBudget) {
    public static Deadline in(long ms, LongSupplier clockMs) {
        return new Deadline(clockMs, clockMs.getAsLong() + ms, ms, false);
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

    /** This one, or the end of a budget of {@code ms} that runs since {@code sinceMs} of the same clock, whichever is earlier. */
    public Deadline orBudget(long ms, long sinceMs) {
        return sinceMs + ms < atMs ? new Deadline(clockMs, sinceMs + ms, ms, true) : this;
    }
}
