package org.bicross.ingest;

import java.util.List;
import java.util.Map;
import org.elasticsearch.ingest.IngestDocument;

/** Reads the text of a document's field, or says why there is none to embed. */
final class TextField {
    private TextField() {}

    /**
     * Null where the field is missing, null, empty or white space and {@code ignoreMissing} is set. Throws
     * IllegalArgumentException, naming field and type, for such a field without it and for anything but one string.
     */
    static String read(IngestDocument document, String path, boolean ignoreMissing) {
        Object value = document.getFieldValue(path, Object.class, true);
        if (value instanceof String text && text.isBlank() == false) {
            return text;
        }
        if (value != null && value instanceof String == false) {
            throw new IllegalArgumentException("field [" + path + "] holds " + kind(value)
                    + ", and only one string is embedded; give the processor a field with a string");
        }
        if (ignoreMissing) {
            return null;
        }
        String found = value != null ? "empty" : document.hasField(path) ? "null" : "missing";
        throw new IllegalArgumentException("field [" + path + "] is " + found
                + "; supply a text, or set [ignore_missing] to index such documents without a vector");
    }

    private static String kind(Object value) {
        if (value instanceof List<?> list) {
            boolean strings = list.isEmpty() == false && list.stream().allMatch(String.class::isInstance);
            return strings ? "a list of strings" : "a list";
        }
        if (value instanceof Map) {
            return "an object";
        }
        if (value instanceof Boolean) {
            return "a boolean";
        }
        return value instanceof Number
                ? "a number"
                : "a value of type [" + value.getClass().getSimpleName() + "]";
    }
}
