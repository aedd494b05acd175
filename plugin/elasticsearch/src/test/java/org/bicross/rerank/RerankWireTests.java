package org.bicross.rerank;

import java.io.IOException;
import org.bicross.protocol.ModelName;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.test.ESTestCase;

public class RerankWireTests extends ESTestCase {
    private static RerankRankBuilder.Question question() {
        return new RerankRankBuilder.Question(
                randomAlphaOfLength(5), ModelName.parse("model_id", randomAlphaOfLength(5)), randomAlphaOfLength(20));
    }

    public void testARankBuilderIsReadAsItWasSent() throws IOException {
        RerankRankBuilder builder =
                new RerankRankBuilder(between(1, 1_000), question(), RerankTerms.USUAL, null, new FirstPass());
        BytesStreamOutput out = new BytesStreamOutput();
        builder.writeTo(out);
        RerankRankBuilder read = new RerankRankBuilder(out.bytes().streamInput(), null);
        assertEquals(builder, read);
        assertEquals(builder.hashCode(), read.hashCode());
        assertNotEquals(
                builder,
                new RerankRankBuilder(builder.rankWindowSize(), question(), RerankTerms.USUAL, null, new FirstPass()));
    }

    public void testARankedHitIsReadAsItWasSentAndExplainsBothPasses() throws IOException {
        RankDoc hit = new RankDoc(between(0, 100), randomFloat(), between(0, 5));
        hit.rank = 1;
        FirstPass.Stage stage =
                randomBoolean() ? new FirstPass.Stage(7, 1.5f, true, randomBoolean() ? Float.NaN : -2f) : null;
        RerankDoc doc = new RerankDoc(hit, 0.25f, question(), stage);
        BytesStreamOutput out = new BytesStreamOutput();
        doc.writeTo(out);
        RerankDoc read = new RerankDoc(out.bytes().streamInput());
        assertEquals(doc, read);
        assertEquals(doc.hashCode(), read.hashCode());
        String words = read.explain(new org.apache.lucene.search.Explanation[0], new String[0])
                .getDescription();
        assertTrue(words, words.contains("bicross_rerank at rank [1]"));
        assertTrue(words, stage == null || words.contains("first pass: rank [7] with score [1.5]"));
    }
}
