package org.bicross.rerank;

import org.bicross.client.ModelClient;
import org.bicross.search.SearchOutcome;
import org.bicross.status.Counters;
import org.elasticsearch.threadpool.ThreadPool;

/** What the node gives to every rerank: neither sent nor compared. */
public record RerankServices(
        ModelClient client, Counters counters, int maxRankWindow, MappedFields fields, ThreadPool threadPool) {
    /** Of the search that this thread works for; null outside one. */
    SearchOutcome outcome() {
        return SearchOutcome.current(threadPool.getThreadContext());
    }
}
