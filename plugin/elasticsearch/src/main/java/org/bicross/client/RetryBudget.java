package org.bicross.client;

import java.util.function.LongSupplier;

/**
 * Retries are at most a tenth of the calls of the last ten seconds, three at the least, so that they never become the
 * load that keeps a server down.
 */
final class RetryBudget {
    static final long WINDOW_MS = 10_000;
    static final int FLOOR = 3;
    static final double RATIO = 0.1;

    private final LongSupplier clockMs;
    private long windowStartMs;
    private int calls;
    private int retries;
    private int callsBefore;

    RetryBudget(LongSupplier clockMs) {
        this.clockMs = clockMs;
        this.windowStartMs = clockMs.getAsLong();
    }

    synchronized void countCall() {
        roll();
        calls++;
    }

    synchronized boolean take() {
        roll();
        if (retries < Math.max(FLOOR, (int) (RATIO * Math.max(calls, callsBefore)))) {
            retries++;
            return true;
        }
        return false;
    }

    private void roll() {
        long now = clockMs.getAsLong();
        if (now - windowStartMs >= WINDOW_MS) {
            callsBefore = now - windowStartMs >= 2 * WINDOW_MS ? 0 : calls;
            windowStartMs = now;
            calls = 0;
            retries = 0;
        }
    }
}
