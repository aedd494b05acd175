package org.bicross.protocol;

import java.util.Locale;

/** What a text is to the model, which picks its prompt. */
public enum InputType {
    QUERY,
    PASSAGE;

    /** As it stands on the wire. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
