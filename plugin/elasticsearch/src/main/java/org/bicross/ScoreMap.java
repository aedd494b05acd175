package org.bicross;

/**
 * The only map from a reranker's score to a hit score: {@code max(s, 0) + min(exp(s), 1)}, which Elasticsearch's own
 * reranker uses, so that a {@code min_score} chosen there keeps its meaning here.
 *
 * <p>Never negative, never decreasing, so the second pass alone decides the order. Large logits do not collapse as a
 * sigmoid's do in float32. {@code min_score} compares mapped values.
 *
 * <p>Python twin: {@code bicross/runtime/scores.py}. Both are tested on {@code protocol/scores.json}.
 */
public final class ScoreMap {
    private ScoreMap() {}

    /**
     * The hit score of a finite raw score: the answer's {@code logit} where it has one, else its
     * {@code relevance_score}. The exponential is taken in double and rounded once, so that both languages give the
     * same float.
     */
    public static float hitScore(float rawScore) {
        if (Float.isFinite(rawScore) == false) {
            throw new IllegalArgumentException("a raw score must be finite, found [" + rawScore + "]");
        }
        return Math.max(rawScore, 0f) + Math.min((float) Math.exp(rawScore), 1f);
    }
}
