package org.bicross.rerank;

import java.io.IOException;
import java.util.List;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.Query;
import org.bicross.compat.Compat;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.WireVersion;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.rank.RankBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.rank.context.QueryPhaseRankCoordinatorContext;
import org.elasticsearch.search.rank.context.QueryPhaseRankShardContext;
import org.elasticsearch.search.rank.context.RankFeaturePhaseRankCoordinatorContext;
import org.elasticsearch.search.rank.context.RankFeaturePhaseRankShardContext;
import org.elasticsearch.search.rank.rerank.RerankingQueryPhaseRankShardContext;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * What the retriever adds to the search of its first pass. It travels to the shards, which give the texts of their hits
 * to the coordinator; the model is asked there. Made anew for each search, since it carries what its stages learn.
 */
public final class RerankRankBuilder extends RankBuilder {
    public static final String NAME = "bicross_rerank";

    /** @param field the hit's text, @param text the query's */
    record Question(String field, ModelName model, String text) {}

    private final Question question;
    private final RerankTerms terms;
    private final RerankServices services;
    private final FirstPass firstPass;

    RerankRankBuilder(
            int rankWindowSize, Question question, RerankTerms terms, RerankServices services, FirstPass firstPass) {
        super(rankWindowSize);
        this.question = question;
        this.terms = terms;
        this.services = services;
        this.firstPass = firstPass;
    }

    public RerankRankBuilder(StreamInput in, RerankServices services) throws IOException {
        super(in);
        WireVersion.read(in, NAME);
        String field = in.readString();
        ModelName model = ModelName.parse("model_id", in.readString());
        this.question = new Question(field, model, in.readString());
        this.terms = RerankTerms.USUAL;
        this.services = services;
        this.firstPass = new FirstPass();
    }

    @Override
    protected void doWriteTo(StreamOutput out) throws IOException {
        WireVersion.write(out);
        out.writeString(question.field);
        out.writeString(question.model.full());
        out.writeString(question.text);
    }

    /** Compound are several queries in one shard request; here is one, reranked. */
    @Override
    public boolean isCompoundBuilder() {
        return false;
    }

    @Override
    public QueryPhaseRankShardContext buildQueryPhaseShardContext(List<Query> queries, int from) {
        return new RerankingQueryPhaseRankShardContext(queries, rankWindowSize());
    }

    @Override
    public QueryPhaseRankCoordinatorContext buildQueryPhaseCoordinatorContext(int size, int from) {
        return new FirstPassContext(rankWindowSize(), firstPass, services.threadPool()::rawRelativeTimeInMillis);
    }

    @Override
    public RankFeaturePhaseRankShardContext buildRankFeaturePhaseShardContext() {
        return new RerankShardContext(question.field);
    }

    @Override
    public RankFeaturePhaseRankCoordinatorContext buildRankFeaturePhaseCoordinatorContext(
            int size, int from, Client ignored) {
        return new RerankCoordinatorContext(size, from, rankWindowSize(), question, terms, services, firstPass);
    }

    @Override
    public Explanation explainHit(Explanation base, RankDoc doc, List<String> queryNames) {
        return Explanation.match(doc.score, NAME + " at rank " + doc.rank, base);
    }

    @Override
    protected void doXContent(XContentBuilder builder, Params params) throws IOException {
        builder.field("field", question.field)
                .field("model_id", question.model.full())
                .field("model_text", question.text);
    }

    @Override
    protected boolean doEquals(RankBuilder other) {
        return question.equals(((RerankRankBuilder) other).question);
    }

    @Override
    protected int doHashCode() {
        return question.hashCode();
    }

    @Override
    public String getWriteableName() {
        return NAME;
    }

    @Override
    public TransportVersion getMinimalSupportedVersion() {
        return Compat.minimumVersion();
    }
}
