package org.bicross.search;

import static org.elasticsearch.xcontent.ConstructingObjectParser.constructorArg;

import java.io.IOException;
import java.util.List;
import org.bicross.CallFailure;
import org.bicross.client.ModelClient;
import org.bicross.client.Purpose;
import org.bicross.compat.Compat;
import org.bicross.protocol.Checks;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.InputType;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.WireVersion;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.vectors.QueryVectorBuilder;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/**
 * {@code "query_vector_builder": {"bicross": {"model_id", "model_text"}}} in the knn query, the top-level knn and the knn
 * retriever. Runs once, on the node that coordinates the search, while the request is rewritten.
 */
public final class EmbedQueryVectorBuilder implements QueryVectorBuilder {
    public static final String NAME = "bicross";

    /** What the node gives to every builder: it is neither sent nor compared. */
    public record Services(ModelClient client, Counters counters) {}

    private static final ParseField MODEL_ID = new ParseField("model_id");
    private static final ParseField MODEL_TEXT = new ParseField("model_text");
    private static final ConstructingObjectParser<String[], Void> PARSER =
            new ConstructingObjectParser<>(NAME, false, args -> new String[] {(String) args[0], (String) args[1]});

    static {
        PARSER.declareString(constructorArg(), MODEL_ID);
        PARSER.declareString(constructorArg(), MODEL_TEXT);
    }

    private final ModelName model;
    private final String text;
    private final Services services;

    EmbedQueryVectorBuilder(String modelId, String text, Services services) {
        this.model = ModelName.parse(MODEL_ID.getPreferredName(), modelId);
        this.text = text;
        this.services = services;
        if (text.isBlank()) {
            throw new IllegalArgumentException("[model_text] must hold the text of the query, found an empty one");
        }
    }

    public EmbedQueryVectorBuilder(StreamInput in, Services services) throws IOException {
        WireVersion.read(in, NAME);
        this.model = ModelName.parse(MODEL_ID.getPreferredName(), in.readString());
        this.text = in.readString();
        this.services = services;
    }

    public static EmbedQueryVectorBuilder fromXContent(XContentParser parser, Services services) {
        String[] read = PARSER.apply(parser, null);
        return Checks.named(parser, NAME, () -> new EmbedQueryVectorBuilder(read[0], read[1], services));
    }

    @Override
    public void buildVector(Client ignored, ActionListener<float[]> listener) {
        services.counters.increment(Counter.QUERY_VECTORS);
        EmbedRequest request = new EmbedRequest(model, List.of(text), InputType.QUERY);
        ActionListener<float[]> shown = listener.delegateResponse((l, e) -> l.onFailure(CallFailure.forSearch(e)));
        services.client.embed(
                request,
                Purpose.QUERY,
                services.client.deadline(model, Purpose.QUERY),
                shown.map(answer -> answer.vector(0)));
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
        WireVersion.write(out);
        out.writeString(model.full());
        out.writeString(text);
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        return builder.startObject()
                .field(MODEL_ID.getPreferredName(), model.full())
                .field(MODEL_TEXT.getPreferredName(), text)
                .endObject();
    }

    @Override
    public String getWriteableName() {
        return NAME;
    }

    @Override
    public TransportVersion getMinimalSupportedVersion() {
        return Compat.minimumVersion();
    }

    /** Elasticsearch rewrites until nothing changes, and compares. */
    @Override
    public boolean equals(Object other) {
        return other instanceof EmbedQueryVectorBuilder that && model.equals(that.model) && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return 31 * model.hashCode() + text.hashCode();
    }
}
