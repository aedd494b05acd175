package org.bicross.rerank;

import java.util.HashMap;
import java.util.Map;
import org.apache.lucene.search.ScoreDoc;
import org.elasticsearch.search.rank.RankDoc.RankKey;

/**
 * What the stages of one rerank know of each hit, handed from the coordinator's contexts to the retriever. One object per
 * search; each stage runs after the one before it, never beside it.
 */
final class FirstPass {
    /**
     * @param rank of the first pass, from 1
     * @param logit what the model gave; NaN where it was not asked or gave none in time
     */
    record Stage(int rank, float firstPassScore, boolean hasText, float logit) {}

    private final Map<RankKey, Stage> stages = new HashMap<>();
    private long answeredAtMs;

    /** {@code ranked} in first-pass order, as they came at {@code nowMs}. */
    synchronized void record(ScoreDoc[] ranked, long nowMs) {
        answeredAtMs = nowMs;
        for (int i = 0; i < ranked.length; i++) {
            stages.put(key(ranked[i]), new Stage(i + 1, ranked[i].score, false, Float.NaN));
        }
    }

    /** When the first pass answered, on the clock that it was recorded by. */
    synchronized long answeredAtMs() {
        return answeredAtMs;
    }

    /** The hit has a text, to which the model gave {@code logit}; NaN where it gave none in time. */
    synchronized void asked(ScoreDoc doc, float logit) {
        stages.computeIfPresent(key(doc), (key, stage) -> new Stage(stage.rank, stage.firstPassScore, true, logit));
    }

    /** NaN where the model gave none. */
    synchronized float logit(ScoreDoc doc) {
        Stage stage = stages.get(key(doc));
        return stage == null ? Float.NaN : stage.logit;
    }

    /** 0 where the first pass is not known to have returned the hit. */
    synchronized float score(ScoreDoc doc) {
        Stage stage = stages.get(key(doc));
        return stage == null ? 0 : stage.firstPassScore;
    }

    /** The rank from 1; behind all others where the first pass is not known to have returned the hit. */
    synchronized int rank(ScoreDoc doc) {
        Stage stage = stages.get(key(doc));
        return stage == null ? Integer.MAX_VALUE : stage.rank;
    }

    /** Null where the first pass is not known to have returned the hit. */
    synchronized Stage stage(ScoreDoc doc) {
        return stages.get(key(doc));
    }

    private static RankKey key(ScoreDoc doc) {
        return new RankKey(doc.doc, doc.shardIndex);
    }
}
