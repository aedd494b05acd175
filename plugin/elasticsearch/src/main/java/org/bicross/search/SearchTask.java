package org.bicross.search;

import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.tasks.Task;

/**
 * The outermost search's task, handed down in the thread context: neither a query vector builder nor a rank context is
 * told for which task it works, and without it a cancelled search would leave its HTTP call running.
 */
public final class SearchTask {
    private static final String KEY = "bicross.search_task";

    private SearchTask() {}

    /** Where this search is the outermost. Those inside it keep its task: cancelling that one cancels all. */
    static void put(ThreadContext context, Task task) {
        if (context.getTransient(KEY) == null && task instanceof CancellableTask) {
            context.putTransient(KEY, task);
        }
    }

    /** Null outside a search, and where the search came in on another node. */
    public static CancellableTask current(ThreadContext context) {
        return context.getTransient(KEY);
    }
}
