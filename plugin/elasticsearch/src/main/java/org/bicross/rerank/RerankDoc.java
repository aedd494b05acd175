package org.bicross.rerank;

import java.io.IOException;
import java.util.Objects;
import org.apache.lucene.search.Explanation;
import org.bicross.compat.Compat;
import org.bicross.protocol.WireVersion;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.xcontent.XContentBuilder;

/** A reranked hit that can say, under {@code explain}, what each pass made of it. */
public final class RerankDoc extends RankDoc {
    public static final String NAME = "bicross_rerank_doc";

    private final String model;
    private final String field;
    private final int firstPassRank;
    private final float firstPassScore;
    private final boolean hasText;
    private final float logit;

    RerankDoc(RankDoc hit, float score, RerankRankBuilder.Question question, FirstPass.Stage stage) {
        super(hit.doc, score, hit.shardIndex);
        this.rank = hit.rank;
        this.model = question.model().full();
        this.field = question.field();
        this.firstPassRank = stage == null ? NO_RANK : stage.rank();
        this.firstPassScore = stage == null ? Float.NaN : stage.firstPassScore();
        this.hasText = stage != null && stage.hasText();
        this.logit = stage == null ? Float.NaN : stage.logit();
    }

    public RerankDoc(StreamInput in) throws IOException {
        super(in);
        WireVersion.read(in, NAME);
        this.model = in.readString();
        this.field = in.readString();
        this.firstPassRank = in.readInt();
        this.firstPassScore = in.readFloat();
        this.hasText = in.readBoolean();
        this.logit = in.readFloat();
    }

    @Override
    protected void doWriteTo(StreamOutput out) throws IOException {
        WireVersion.write(out);
        out.writeString(model);
        out.writeString(field);
        out.writeInt(firstPassRank);
        out.writeFloat(firstPassScore);
        out.writeBoolean(hasText);
        out.writeFloat(logit);
    }

    @Override
    public Explanation explain(Explanation[] sources, String[] queryNames) {
        String why = hasText ? "no score in time for field [" : "no text in field [";
        String second = Float.isNaN(logit)
                ? why + field + "], so the first pass's order below all scored hits"
                : "model [" + model + "] gave field [" + field + "] the raw score [" + logit + "]";
        String first = "first pass: rank [" + firstPassRank + "] with score [" + firstPassScore + "]";
        return Explanation.match(score, "bicross_rerank at rank [" + rank + "]: " + second + "; " + first, sources);
    }

    @Override
    protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
        builder.field("model_id", model);
        builder.field("field", field);
        builder.field("first_pass_rank", firstPassRank);
    }

    @Override
    protected boolean doEquals(RankDoc other) {
        RerankDoc that = (RerankDoc) other;
        return model.equals(that.model)
                && field.equals(that.field)
                && firstPassRank == that.firstPassRank
                && Float.compare(firstPassScore, that.firstPassScore) == 0
                && hasText == that.hasText
                && Float.compare(logit, that.logit) == 0;
    }

    @Override
    protected int doHashCode() {
        return Objects.hash(model, field, firstPassRank, firstPassScore, hasText, logit);
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
