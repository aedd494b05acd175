package org.bicross;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.elasticsearch.test.ESTestCase;

public class ScoreMapTests extends ESTestCase {
    public void testHitScoresAreThoseOfTheProtocolToTheBit() {
        List<?> rows = (List<?>) Protocol.object("scores.json").get("hit_score");
        assertTrue(rows.size() > 20);
        for (Object row : rows) {
            float logit = ((Number) ((Map<?, ?>) row).get("logit")).floatValue();
            float expected = ((Number) ((Map<?, ?>) row).get("hit_score")).floatValue();
            assertEquals("logit " + logit, expected, ScoreMap.hitScore(logit), 0f);
        }
    }

    public void testNoScoreForWhatIsNotFinite() {
        List<?> names = (List<?>) Protocol.object("scores.json").get("not_finite");
        assertEquals(3, names.size());
        for (Object name : names) {
            float value = Float.parseFloat((String) name);
            expectThrows(IllegalArgumentException.class, () -> ScoreMap.hitScore(value));
        }
    }

    public void testOrderIsKeptOverThousandsOfLogits() {
        float[] logits = new float[10_000];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (randomDouble() * 24 - 12);
        }
        Arrays.sort(logits);
        float before = 0;
        int distinct = 0;
        for (float logit : logits) {
            float score = ScoreMap.hitScore(logit);
            assertTrue(score >= before);
            distinct += score > before ? 1 : 0;
            before = score;
        }
        assertTrue(
                "a sigmoid in float32 keeps 84 % of these apart, this map nearly all: " + distinct, distinct > 9_950);
    }
}
