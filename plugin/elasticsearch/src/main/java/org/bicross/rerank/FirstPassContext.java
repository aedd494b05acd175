package org.bicross.rerank;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongSupplier;
import org.apache.lucene.search.ScoreDoc;
import org.elasticsearch.action.search.SearchPhaseController;
import org.elasticsearch.search.query.QuerySearchResult;
import org.elasticsearch.search.rank.context.QueryPhaseRankCoordinatorContext;
import org.elasticsearch.search.rank.feature.RankFeatureDoc;
import org.elasticsearch.search.rank.feature.RankFeatureShardResult;

/**
 * Merges the shards' first-pass hits into the window and remembers their order, which the later stages do not carry: it
 * decides ties, and places the hits without text. Equal first-pass scores stand as in any search: by shard, then by document.
 */
final class FirstPassContext extends QueryPhaseRankCoordinatorContext {
    private static final Comparator<RankFeatureDoc> FIRST_PASS_ORDER = Comparator.<RankFeatureDoc>comparingDouble(
                    doc -> doc.score)
            .reversed()
            .thenComparingInt(doc -> doc.shardIndex)
            .thenComparingInt(doc -> doc.doc);

    private final FirstPass firstPass;
    private final LongSupplier clockMs;

    FirstPassContext(int rankWindowSize, FirstPass firstPass, LongSupplier clockMs) {
        super(rankWindowSize);
        this.firstPass = firstPass;
        this.clockMs = clockMs;
    }

    @Override
    public ScoreDoc[] rankQueryPhaseResults(List<QuerySearchResult> results, SearchPhaseController.TopDocsStats stats) {
        List<RankFeatureDoc> docs = new ArrayList<>();
        for (QuerySearchResult result : results) {
            if (result.getRankShardResult() instanceof RankFeatureShardResult shard) {
                for (RankFeatureDoc doc : shard.rankFeatureDocs) {
                    doc.shardIndex = result.getShardIndex();
                    docs.add(doc);
                }
            }
        }
        docs.sort(FIRST_PASS_ORDER);
        RankFeatureDoc[] window = docs.stream().limit(rankWindowSize).toArray(RankFeatureDoc[]::new);
        firstPass.record(window, clockMs.getAsLong());
        stats.fetchHits = window.length;
        return window;
    }
}
