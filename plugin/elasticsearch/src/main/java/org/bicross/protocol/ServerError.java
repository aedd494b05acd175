package org.bicross.protocol;

import java.util.Map;

/**
 * What a server said when it refused. Every part may be null: any proxy on the way may have answered.
 *
 * @param message at most 200 printable characters
 * @param code the server's own, one of errors.json where it is ours
 * @param param the field refused, as in {@code input[3]}
 */
public record ServerError(String message, String code, String param) {
    private static final int LONGEST = 200;

    /** OpenAI's {@code {"error": {...}}}, Cohere's {@code {"message"}}, text-embeddings-inference's {@code {"error"}}. */
    static ServerError from(Map<?, ?> body) {
        if (body.get("error") instanceof Map<?, ?> error) {
            return new ServerError(text(error.get("message")), text(error.get("code")), text(error.get("param")));
        }
        Object message = body.get("error") instanceof String ? body.get("error") : body.get("message");
        return new ServerError(text(message), text(body.get("error_type")), null);
    }

    private static String text(Object value) {
        return value instanceof String text ? shortened(text) : null;
    }

    /** An answer is not trusted: no control characters into a log or an error, and no essay. */
    public static String shortened(String text) {
        StringBuilder kept = new StringBuilder();
        text.codePoints().limit(LONGEST).forEach(c -> kept.appendCodePoint(Character.isISOControl(c) ? ' ' : c));
        return kept.toString();
    }
}
