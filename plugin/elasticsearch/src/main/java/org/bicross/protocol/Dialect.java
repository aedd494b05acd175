package org.bicross.protocol;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** How one kind of server is spoken to: bodies out, checked answers in. Nothing here knows of HTTP. */
public interface Dialect {
    String name();

    String embeddingsPath();

    String rerankPath();

    /** Null where the server has no list of its models. */
    String modelsPath();

    /** More texts travel in several calls. */
    int maxTextsPerCall();

    /** Whether the server picks the model's prompt by the input type; else a call has to name it. */
    boolean picksPrompts();

    byte[] embedBody(EmbedRequest request);

    byte[] rerankBody(RerankRequest request);

    /** Vectors in the order of the {@code count} texts sent. */
    Embeddings readEmbeddings(byte[] body, int count) throws ProtocolException;

    /**
     * Raw scores in the order of the {@code request}'s passages, logits wherever the server has them. All of them and
     * finite, unless partial ones were asked for.
     */
    Scores readScores(byte[] body, RerankRequest request) throws ProtocolException;

    List<ServedModel> readModels(byte[] body) throws ProtocolException;

    /** Never fails: a body that cannot be read gives an error without words. */
    default ServerError readError(byte[] body) {
        try {
            return ServerError.from(Json.object(body));
        } catch (ProtocolException unreadable) {
            return new ServerError(null, null, null);
        }
    }

    /** {@code promptNames} are those that a call names where the server does not pick; without one there is none. */
    static Dialect named(String setting, String name, Map<InputType, String> promptNames) {
        List<Dialect> known = List.of(new BicrossDialect(), new TeiDialect(promptNames));
        return known.stream()
                .filter(dialect -> dialect.name().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("[" + setting + "] is [" + name + "]; known are "
                        + Arrays.toString(known.stream()
                                .map(Dialect::name)
                                .collect(Collectors.toList())
                                .toArray())));
    }
}
