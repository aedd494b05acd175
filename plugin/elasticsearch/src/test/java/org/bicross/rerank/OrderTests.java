package org.bicross.rerank;

import java.util.Arrays;
import org.apache.lucene.search.ScoreDoc;
import org.elasticsearch.test.ESTestCase;

/** Where hits stand that the model gave no score or the same one. */
public class OrderTests extends ESTestCase {
    private static ScoreDoc[] docs(float... scores) {
        ScoreDoc[] docs = new ScoreDoc[scores.length];
        for (int i = 0; i < scores.length; i++) {
            docs[i] = new ScoreDoc(i, scores[i], 0);
        }
        return docs;
    }

    public void testHitsWithoutTextStandBelowTheScoredInTheirOwnOrder() {
        float[] scores = Unscored.fill(new float[] {3, 0.5f, 2, 0, 0, 0}, 3);
        assertArrayEquals(new float[] {3, 0.5f, 2, 0.375f, 0.25f, 0.125f}, scores, 1e-6f);
    }

    public void testWhereNoHitHasTextTheFirstPassStands() {
        float[] scores = Unscored.fill(new float[4], 0);
        for (int i = 0; i < scores.length; i++) {
            assertTrue(scores[i] > 0);
            assertTrue(i == 0 || scores[i] < scores[i - 1]);
        }
        assertEquals(0, Unscored.fill(new float[0], 0).length);
    }

    public void testScoresThatDifferAreLeftAsTheyAre() {
        assertArrayEquals(new float[] {3, 2, 1}, Ties.separate(docs(3, 2, 1)), 0f);
    }

    public void testEqualScoresBecomeAnOrderThatNoMinScoreCuts() {
        int count = between(1, 1_000);
        float[] scores = new float[count];
        for (int i = 0; i < count; i++) {
            scores[i] = randomFrom(0f, Float.MIN_VALUE, 0.5f, 1f, 2f, 31f);
        }
        Arrays.sort(scores);
        ScoreDoc[] ranked = docs(scores);
        java.util.Collections.reverse(Arrays.asList(ranked));
        float[] separated = Ties.separate(ranked);
        for (int i = 0; i < count; i++) {
            assertTrue("never lower than the model's", separated[i] >= ranked[i].score);
            assertEquals(
                    "and hardly higher", ranked[i].score, separated[i], 1e-4f * Math.max(1, ranked[i].score) + 1e-3f);
            assertTrue(i == 0 || separated[i] < separated[i - 1]);
        }
    }

    public void testTheFirstPassIsRememberedByShardAndDocument() {
        FirstPass firstPass = new FirstPass();
        firstPass.record(new ScoreDoc[] {new ScoreDoc(5, 2f, 1), new ScoreDoc(5, 1f, 0)}, 7);
        assertEquals(7, firstPass.answeredAtMs());
        assertEquals(1, firstPass.rank(new ScoreDoc(5, 0f, 1)));
        assertEquals(2, firstPass.rank(new ScoreDoc(5, 0f, 0)));
        assertEquals(Integer.MAX_VALUE, firstPass.rank(new ScoreDoc(6, 0f, 0)));
        assertEquals(new FirstPass.Stage(2, 1f, false, Float.NaN), firstPass.stage(new ScoreDoc(5, 0f, 0)));
        firstPass.asked(new ScoreDoc(5, 0f, 0), -3f);
        assertEquals(new FirstPass.Stage(2, 1f, true, -3f), firstPass.stage(new ScoreDoc(5, 0f, 0)));
    }
}
