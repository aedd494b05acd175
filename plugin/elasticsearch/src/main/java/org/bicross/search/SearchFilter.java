package org.bicross.search;

import org.bicross.CallFailure;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.search.TransportSearchAction;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.Task;

/**
 * Around every search: hands its task down, so that its model calls end with it, and shows a failure of ours instead of
 * the message of the compound retriever around it, which says only that something inside failed.
 */
public final class SearchFilter implements MappedActionFilter {
    private final ThreadContext threadContext;

    public SearchFilter(ThreadContext threadContext) {
        this.threadContext = threadContext;
    }

    @Override
    public String actionName() {
        return TransportSearchAction.NAME;
    }

    @Override
    public <Q extends ActionRequest, S extends ActionResponse> void apply(
            Task task, String action, Q request, ActionListener<S> listener, ActionFilterChain<Q, S> chain) {
        try (ThreadContext.StoredContext ignored = threadContext.newStoredContext()) {
            boolean outermost = SearchTask.put(threadContext, task);
            ActionListener<S> shown =
                    outermost ? listener.delegateResponse((l, e) -> l.onFailure(CallFailure.outOfSearch(e))) : listener;
            chain.proceed(task, action, request, shown);
        }
    }
}
