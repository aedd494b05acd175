package org.bicross.rerank;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.bicross.CallFailure;
import org.bicross.ScoreMap;
import org.bicross.client.ModelClient;
import org.bicross.client.Purpose;
import org.bicross.compat.Compat;
import org.bicross.protocol.RerankRequest;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.search.rank.context.RankFeaturePhaseRankCoordinatorContext;
import org.elasticsearch.search.rank.feature.RankFeatureDoc;

/**
 * On the coordinator: one call with the texts of the whole window, then a score for every hit. Elasticsearch's own path
 * for failures is not used: it would degrade without a word.
 */
final class RerankCoordinatorContext extends RankFeaturePhaseRankCoordinatorContext {
    private final RerankRankBuilder.Question question;
    private final RerankServices services;
    private final FirstPass firstPass;

    RerankCoordinatorContext(
            int size,
            int from,
            int window,
            RerankRankBuilder.Question question,
            RerankServices services,
            FirstPass firstPass) {
        super(size, from, window, false);
        this.question = question;
        this.services = services;
        this.firstPass = firstPass;
    }

    /**
     * Puts {@code docs} into first-pass order, those without text last, so that the stable sort by score that follows
     * keeps this order among equals.
     */
    @Override
    protected void computeScores(RankFeatureDoc[] docs, ActionListener<float[]> listener) {
        Arrays.sort(
                docs,
                Comparator.comparing(RerankCoordinatorContext::isWithoutText).thenComparingInt(firstPass::rank));
        List<String> passages = Arrays.stream(docs)
                .filter(doc -> isWithoutText(doc) == false)
                .map(Compat::text)
                .toList();
        ModelClient client = services.client();
        services.counters().increment(Counter.RERANKS);
        services.counters().add(Counter.RERANK_HITS, passages.size());
        services.counters().add(Counter.RERANK_HITS_WITHOUT_TEXT, docs.length - passages.size());
        if (passages.isEmpty()) {
            listener.onResponse(scores(docs, new float[0]));
            return;
        }
        RerankRequest request = new RerankRequest(question.model(), question.text(), passages);
        ActionListener<float[]> shown = listener.delegateResponse((l, e) -> l.onFailure(CallFailure.forSearch(e)));
        client.rerank(
                request, client.deadline(question.model(), Purpose.RERANK), shown.map(logits -> scores(docs, logits)));
    }

    /** {@code logits} belong to the first of {@code docs}, which have text; the rest has none. */
    private float[] scores(RankFeatureDoc[] docs, float[] logits) {
        float[] scores = new float[docs.length];
        for (int i = 0; i < logits.length; i++) {
            scores[i] = ScoreMap.hitScore(logits[i]);
            firstPass.scored(docs[i], logits[i]);
        }
        return Unscored.fill(scores, logits.length);
    }

    private static boolean isWithoutText(RankFeatureDoc doc) {
        return Compat.text(doc).isBlank();
    }
}
