package org.bicross.protocol;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A model as pipelines and queries name it: {@code minilm}, or {@code minilm@1f3a9c} where it must be that very bundle.
 *
 * @param full what is sent to the server, the digest included
 * @param base the name alone
 * @param digest six or more hex digits, or null
 */
public record ModelName(String full, String base, String digest) {
    private static final int LONGEST = 256;
    private static final Pattern WITH_DIGEST = Pattern.compile("(.+)@([0-9a-fA-F]{6,64})");

    /** Throws IllegalArgumentException, naming the field, for what is no name: empty, a URL, with white space, too long. */
    public static ModelName parse(String field, String value) {
        if (value == null || value.isBlank()) {
            throw new IllegalArgumentException("[" + field + "] must name a model, found an empty text");
        }
        if (value.contains("://")) {
            throw new IllegalArgumentException("[" + field + "] takes names only, found a URL;"
                    + " URLs stand in the node's settings bicross.endpoint.<name>.urls");
        }
        if (value.length() > LONGEST
                || value.chars().anyMatch(c -> Character.isWhitespace(c) || Character.isISOControl(c))) {
            throw new IllegalArgumentException("[" + field + "] must be a name of at most " + LONGEST
                    + " characters without white space, found " + value.length() + " characters");
        }
        var parts = WITH_DIGEST.matcher(value);
        return parts.matches()
                ? new ModelName(value, parts.group(1), parts.group(2).toLowerCase(Locale.ROOT))
                : new ModelName(value, value, null);
    }

    /** True where {@code served}, a digest or the beginning of one, does not contradict the digest asked for. */
    public boolean accepts(String served) {
        if (digest == null || served == null) {
            return true;
        }
        int shared = Math.min(digest.length(), served.length());
        return digest.regionMatches(true, 0, served, 0, shared);
    }
}
