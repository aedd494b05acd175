package org.bicross.search;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.elasticsearch.common.logging.HeaderWarning;
import org.elasticsearch.common.util.concurrent.ThreadContext;

/**
 * What went less well than asked inside one search, collected in one object for all searches nested in it: a response
 * header that a nested one sets is lost on the way out.
 */
public final class SearchOutcome {
    private static final String KEY = "bicross.search_outcome";

    private final boolean allowsDegraded;
    private final Queue<String> warnings = new ConcurrentLinkedQueue<>();

    /** {@code allowsDegraded} is false where the search is to fail rather than to be answered with less. */
    public SearchOutcome(boolean allowsDegraded) {
        this.allowsDegraded = allowsDegraded;
    }

    void putInto(ThreadContext context) {
        context.putTransient(KEY, this);
    }

    /** Null outside a search. */
    public static SearchOutcome current(ThreadContext context) {
        return context.getTransient(KEY);
    }

    public boolean allowsDegraded() {
        return allowsDegraded;
    }

    /** From any thread. {@code warning} holds neither a text nor a key. */
    public void degraded(String warning) {
        warnings.add(warning);
    }

    /** Into the headers of the response that is about to be given. */
    void warn() {
        warnings.forEach(HeaderWarning::addWarning);
    }
}
