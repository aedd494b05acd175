package org.bicross.rerank;

import org.bicross.client.ModelClient;
import org.bicross.status.Counters;

/** What the node gives to every rerank: neither sent nor compared. */
public record RerankServices(ModelClient client, Counters counters, int maxRankWindow, MappedFields fields) {}
