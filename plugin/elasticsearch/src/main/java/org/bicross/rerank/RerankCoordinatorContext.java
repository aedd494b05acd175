package org.bicross.rerank;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.bicross.CallFailure;
import org.bicross.ScoreMap;
import org.bicross.client.Deadline;
import org.bicross.client.Purpose;
import org.bicross.compat.Compat;
import org.bicross.protocol.RerankRequest;
import org.bicross.search.SearchOutcome;
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
    private final RerankTerms terms;
    private final RerankServices services;
    private final FirstPass firstPass;

    RerankCoordinatorContext(
            int size,
            int from,
            int window,
            RerankRankBuilder.Question question,
            RerankTerms terms,
            RerankServices services,
            FirstPass firstPass) {
        super(size, from, window, false);
        this.question = question;
        this.terms = terms;
        this.services = services;
        this.firstPass = firstPass;
    }

    /**
     * Puts {@code docs} into first-pass order, those without a score last, so that the stable sort by score that follows
     * keeps this order among equals.
     */
    @Override
    protected void computeScores(RankFeatureDoc[] docs, ActionListener<float[]> listener) {
        Arrays.sort(docs, Comparator.comparingInt(firstPass::rank));
        List<RankFeatureDoc> asked = Arrays.stream(docs)
                .filter(doc -> Compat.text(doc).isBlank() == false)
                .toList();
        services.counters().increment(Counter.RERANKS);
        services.counters().add(Counter.RERANK_HITS, asked.size());
        services.counters().add(Counter.RERANK_HITS_WITHOUT_TEXT, docs.length - asked.size());
        if (asked.isEmpty()) {
            listener.onResponse(Unscored.fill(new float[docs.length], 0));
            return;
        }
        SearchOutcome outcome = services.outcome();
        boolean mayDegrade = terms.keepsFirstPass() && outcome != null && outcome.allowsDegraded();
        RerankRequest request = new RerankRequest(
                question.model(),
                question.text(),
                asked.stream().map(Compat::text).toList(),
                mayDegrade && terms.budgetMs() != null);
        Deadline endpoints = services.client().deadline(question.model(), Purpose.RERANK);
        ActionListener<float[]> shown = listener.delegateResponse((l, e) -> l.onFailure(CallFailure.forSearch(e)));
        ActionListener<float[]> scored = shown.map(logits -> scores(docs, asked, logits));
        services.client()
                .rerank(
                        request,
                        terms.within(endpoints, firstPass.answeredAtMs()),
                        mayDegrade ? degrading(outcome, asked.size(), scored) : scored);
    }

    /** Says aloud which hits have no score, and takes a failure that is not the caller's for a rerank without any. */
    private ActionListener<float[]> degrading(SearchOutcome outcome, int asked, ActionListener<float[]> scored) {
        ActionListener<float[]> counted = scored.delegateFailure((l, logits) -> {
            int missing = 0;
            for (float logit : logits) {
                missing += Float.isNaN(logit) ? 1 : 0;
            }
            if (missing > 0) {
                services.counters().increment(Counter.RERANKS_DEGRADED);
                services.counters().add(Counter.RERANK_HITS_UNSCORED, missing);
                outcome.degraded("[" + RerankRetrieverBuilder.NAME + "] scored " + (asked - missing) + " of " + asked
                        + " hits; the others keep the order of the first pass");
            }
            l.onResponse(logits);
        });
        return counted.delegateResponse((l, e) -> {
            if (e instanceof CallFailure call && call.code().isCallersFault() == false) {
                float[] none = new float[asked];
                Arrays.fill(none, Float.NaN);
                outcome.degraded("[" + RerankRetrieverBuilder.NAME + "] failed with ["
                        + call.code().code() + "]");
                l.onResponse(none);
            } else {
                l.onFailure(e);
            }
        });
    }

    /** {@code logits} belong to {@code asked}; NaN where there is none. Where there is not one, the first pass stands. */
    private float[] scores(RankFeatureDoc[] docs, List<RankFeatureDoc> asked, float[] logits) {
        for (int i = 0; i < logits.length; i++) {
            firstPass.asked(asked.get(i), logits[i]);
        }
        Arrays.sort(
                docs,
                Comparator.comparing((RankFeatureDoc doc) -> Float.isNaN(firstPass.logit(doc)))
                        .thenComparingInt(firstPass::rank));
        float[] scores = new float[docs.length];
        int scored = 0;
        while (scored < docs.length && Float.isNaN(firstPass.logit(docs[scored])) == false) {
            scores[scored] = ScoreMap.hitScore(firstPass.logit(docs[scored]));
            scored++;
        }
        if (scored == 0) {
            for (int i = 0; i < docs.length; i++) {
                scores[i] = firstPass.score(docs[i]);
            }
            return scores;
        }
        return Unscored.fill(scores, scored);
    }
}
