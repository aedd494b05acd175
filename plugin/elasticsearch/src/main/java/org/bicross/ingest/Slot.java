package org.bicross.ingest;

import org.bicross.client.Deadline;
import org.elasticsearch.action.ActionListener;

/**
 * One text on its way to a vector.
 *
 * @param timeoutMs the deadline's length: only texts of one length share a call, so that none is cut short by another
 * @param listener called exactly once, in the document's thread context
 */
record Slot(String text, Deadline deadline, long timeoutMs, ActionListener<float[]> listener) {
    /** What the text weighs in the node's memory: a Java character takes two bytes at most. */
    long bytes() {
        return 2L * text.length();
    }
}
