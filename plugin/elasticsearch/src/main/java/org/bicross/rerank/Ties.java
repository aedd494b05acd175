package org.bicross.rerank;

import org.apache.lucene.search.ScoreDoc;

/** Keeps an order among hits of one score. */
final class Ties {
    private Ties() {}

    /**
     * The scores of {@code ranked}, strictly decreasing. Elasticsearch sorts the final hits by score and equal ones by
     * shard and document, which is not the order of the first pass; so where a hit's score does not exceed the next
     * one's, it is raised to the float above it. Upwards, lest a {@code min_score} drops what reached it.
     */
    static float[] separate(ScoreDoc[] ranked) {
        float[] scores = new float[ranked.length];
        for (int i = ranked.length - 1; i >= 0; i--) {
            scores[i] = ranked[i].score;
            if (i + 1 < ranked.length && scores[i] <= scores[i + 1]) {
                scores[i] = Math.nextUp(scores[i + 1]);
            }
        }
        return scores;
    }
}
