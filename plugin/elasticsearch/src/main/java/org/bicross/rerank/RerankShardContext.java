package org.bicross.rerank;

import java.util.stream.Collectors;
import org.bicross.compat.Compat;
import org.elasticsearch.common.document.DocumentField;
import org.elasticsearch.search.SearchHit;
import org.elasticsearch.search.SearchHits;
import org.elasticsearch.search.rank.RankShardResult;
import org.elasticsearch.search.rank.context.RankFeaturePhaseRankShardContext;
import org.elasticsearch.search.rank.feature.RankFeatureDoc;
import org.elasticsearch.search.rank.feature.RankFeatureShardResult;

/** On a shard: the text of each hit of the window. Several values of a field are joined by a space. */
final class RerankShardContext extends RankFeaturePhaseRankShardContext {
    RerankShardContext(String field) {
        super(field);
    }

    /** A hit without the field has an empty text, not none: Elasticsearch drops hits without feature data. */
    @Override
    public RankShardResult buildRankFeatureShardResult(SearchHits hits, int shardIndex) {
        RankFeatureDoc[] docs = new RankFeatureDoc[hits.getHits().length];
        for (int i = 0; i < docs.length; i++) {
            SearchHit hit = hits.getHits()[i];
            docs[i] = new RankFeatureDoc(hit.docId(), hit.getScore(), shardIndex);
            Compat.setText(docs[i], text(hit.field(field)));
        }
        return new RankFeatureShardResult(docs);
    }

    private static String text(DocumentField values) {
        return values == null
                ? ""
                : values.getValues().stream().map(String::valueOf).collect(Collectors.joining(" "));
    }
}
