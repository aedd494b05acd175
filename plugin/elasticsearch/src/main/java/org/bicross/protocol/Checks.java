package org.bicross.protocol;

import java.util.function.Supplier;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.xcontent.XContentParser;

/** Refusals of what a request holds. */
public final class Checks {
    private Checks() {}

    /**
     * What {@code build} makes of parsed values; its IllegalArgumentException becomes a ParsingException with the place.
     * Thrown inside an ObjectParser it would be buried under "failed to build".
     */
    public static <T> T named(XContentParser parser, String what, Supplier<T> build) {
        try {
            return build.get();
        } catch (IllegalArgumentException refused) {
            throw new ParsingException(parser.getTokenLocation(), "[{}] {}", what, refused.getMessage());
        }
    }
}
