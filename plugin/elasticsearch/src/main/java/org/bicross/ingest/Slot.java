package org.bicross.ingest;

import org.bicross.client.Deadline;
import org.elasticsearch.action.ActionListener;

/**
 * One text on its way to a vector.
 *
 * @param waitsUntil when it is no longer worth sending
 * @param timeoutMs of its call, from the sending
 * @param listener called exactly once, in the document's thread context
 */
record Slot(String text, Deadline waitsUntil, long timeoutMs, ActionListener<float[]> listener) {
    /** What the text weighs in the node's memory: a Java character takes two bytes at most. */
    long bytes() {
        return 2L * text.length();
    }
}
