package org.bicross.rerank;

/** The place of hits that the second pass could not score: below all that it did, in the order of the first pass. */
final class Unscored {
    private Unscored() {}

    /**
     * Fills in the scores from index {@code scored} on, which have none and are in first-pass order. Hit i of these n,
     * from 0, gets {@code lowest * (n - i) / (n + 1)}, where lowest is the smallest score given, or 1 where none was.
     */
    static float[] fill(float[] scores, int scored) {
        float lowest = scored == 0 ? 1 : Float.POSITIVE_INFINITY;
        for (int i = 0; i < scored; i++) {
            lowest = Math.min(lowest, scores[i]);
        }
        int missing = scores.length - scored;
        for (int i = 0; i < missing; i++) {
            scores[scored + i] = (float) ((double) lowest * (missing - i) / (missing + 1));
        }
        return scores;
    }
}
