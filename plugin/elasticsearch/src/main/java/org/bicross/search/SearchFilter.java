package org.bicross.search;

import org.bicross.CallFailure;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.TransportSearchAction;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.Task;

/**
 * Around every search: hands its task down, so that its model calls end with it, warns in its headers where it is answered
 * with less than was asked for, and shows a failure of ours instead of the message of the compound retriever around it,
 * which says only that something inside failed.
 */
public final class SearchFilter implements MappedActionFilter {
    private static final String ALLOWED_BY_DEFAULT = "search.default_allow_partial_results";

    private final ThreadContext threadContext;
    private final ClusterSettings clusterSettings;

    public SearchFilter(ThreadContext threadContext, ClusterSettings clusterSettings) {
        this.threadContext = threadContext;
        this.clusterSettings = clusterSettings;
    }

    @Override
    public String actionName() {
        return TransportSearchAction.NAME;
    }

    @Override
    public <Q extends ActionRequest, S extends ActionResponse> void apply(
            Task task, String action, Q request, ActionListener<S> listener, ActionFilterChain<Q, S> chain) {
        try (ThreadContext.StoredContext ignored = threadContext.newStoredContext()) {
            SearchTask.put(threadContext, task);
            ActionListener<S> shown =
                    SearchOutcome.current(threadContext) == null ? outermost(request, listener) : listener;
            chain.proceed(task, action, request, shown);
        }
    }

    private <S> ActionListener<S> outermost(ActionRequest request, ActionListener<S> listener) {
        SearchOutcome outcome = new SearchOutcome(allowsPartialResults(request));
        outcome.putInto(threadContext);
        return listener.<S>delegateFailure((l, response) -> {
                    outcome.warn();
                    l.onResponse(response);
                })
                .delegateResponse((l, e) -> l.onFailure(CallFailure.outOfSearch(e)));
    }

    /** Elasticsearch fills its default in only later, and names the setting's constant differently in each line. */
    private boolean allowsPartialResults(ActionRequest request) {
        Boolean asked = request instanceof SearchRequest search ? search.allowPartialSearchResults() : null;
        return asked == null ? (Boolean) clusterSettings.get(clusterSettings.get(ALLOWED_BY_DEFAULT)) : asked;
    }
}
