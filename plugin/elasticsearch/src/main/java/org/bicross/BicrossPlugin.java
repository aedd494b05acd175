package org.bicross;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.bicross.client.EndpointConfig;
import org.bicross.client.EndpointStatus;
import org.bicross.client.HttpModelClient;
import org.bicross.client.TraceHeaders;
import org.bicross.compat.Compat;
import org.bicross.compat.RestPlugin;
import org.bicross.ingest.EmbedCoordinator;
import org.bicross.ingest.EmbedProcessorFactory;
import org.bicross.rerank.MappedFields;
import org.bicross.rerank.RerankDoc;
import org.bicross.rerank.RerankRankBuilder;
import org.bicross.rerank.RerankRetrieverBuilder;
import org.bicross.rerank.RerankServices;
import org.bicross.search.EmbedQueryVectorBuilder;
import org.bicross.search.SearchFilter;
import org.bicross.status.Counters;
import org.bicross.status.StatusReport;
import org.elasticsearch.action.support.MappedActionFilter;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.IngestPlugin;
import org.elasticsearch.plugins.SearchPlugin;
import org.elasticsearch.rest.RestHeaderDefinition;
import org.elasticsearch.search.rank.RankBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.threadpool.ThreadPool;

/**
 * What the node gets: an ingest processor, a query vector builder, a retriever, a status page. Registration only. Every
 * name begins with {@code bicross}, since a clash with another plugin's stops the node.
 */
public final class BicrossPlugin extends RestPlugin implements IngestPlugin, SearchPlugin {
    private final Settings settings;
    private final List<EndpointConfig> endpoints;
    private final Counters counters = new Counters();
    // Set by createComponents, which Elasticsearch calls once, before anything is parsed, made or read from the wire.
    private ThreadPool threadPool;
    private HttpModelClient client;
    private EmbedCoordinator coordinator;
    private SearchFilter searchFilter;

    /** The keystore is open only now, so the endpoints are read here; what is wrong with them stops the node. */
    public BicrossPlugin(Settings settings) {
        this.settings = settings;
        this.endpoints = EndpointConfig.read(settings);
    }

    @Override
    public Collection<?> createComponents(PluginServices services) {
        threadPool = services.threadPool();
        client = new HttpModelClient(endpoints, BicrossSettings.SEARCH_CALLS.get(settings), threadPool, counters);
        var limits = new EmbedCoordinator.Limits(
                BicrossSettings.INGEST_CALLS.get(settings),
                BicrossSettings.INGEST_TEXTS_PER_CALL.get(settings),
                BicrossSettings.INGEST_BYTES_PER_CALL.get(settings).getBytes(),
                BicrossSettings.INGEST_WAITING_TEXTS.get(settings),
                BicrossSettings.INGEST_WAITING_BYTES.get(settings).getBytes(),
                BicrossSettings.INGEST_MAX_WAIT.get(settings).millis());
        coordinator = new EmbedCoordinator(
                client, limits, threadPool.getThreadContext(), threadPool::relativeTimeInMillis, counters);
        searchFilter = new SearchFilter(
                threadPool.getThreadContext(), services.clusterService().getClusterSettings());
        var status = new EndpointStatus(client, threadPool::relativeTimeInMillis);
        return List.of(new StatusReport(status, coordinator, counters));
    }

    @Override
    public List<Setting<?>> getSettings() {
        return BicrossSettings.all();
    }

    @Override
    public Map<String, Processor.Factory> getProcessors(Processor.Parameters parameters) {
        // Asked for before createComponents, used after it.
        return Map.of(
                EmbedProcessorFactory.TYPE,
                Compat.processorFactory((tag, description, config) -> new EmbedProcessorFactory(
                                client, coordinator, BicrossSettings.INGEST_MAX_TIMEOUT.get(settings), counters)
                        .create(tag, description, config)));
    }

    @Override
    public List<QueryVectorBuilderSpec<?>> getQueryVectorBuilders() {
        return List.of(new QueryVectorBuilderSpec<>(
                EmbedQueryVectorBuilder.NAME,
                in -> new EmbedQueryVectorBuilder(in, queryServices()),
                (parser, nothing) -> EmbedQueryVectorBuilder.fromXContent(parser, queryServices())));
    }

    @Override
    public List<RetrieverSpec<?>> getRetrievers() {
        MappedFields fields = new MappedFields();
        return List.of(new RetrieverSpec<>(
                RerankRetrieverBuilder.NAME,
                (parser, context) -> RerankRetrieverBuilder.fromXContent(parser, context, rerankServices(fields))));
    }

    /** The retriever stays on the coordinator; these travel. */
    @Override
    public List<NamedWriteableRegistry.Entry> getNamedWriteables() {
        MappedFields none = new MappedFields();
        return List.of(
                new NamedWriteableRegistry.Entry(
                        RankBuilder.class,
                        RerankRankBuilder.NAME,
                        in -> new RerankRankBuilder(in, rerankServices(none))),
                new NamedWriteableRegistry.Entry(RankDoc.class, RerankDoc.NAME, RerankDoc::new));
    }

    @Override
    public Collection<MappedActionFilter> getMappedActionFilters() {
        return List.of(searchFilter);
    }

    @Override
    public Collection<RestHeaderDefinition> getRestHeaders() {
        return TraceHeaders.kept();
    }

    private EmbedQueryVectorBuilder.Services queryServices() {
        return new EmbedQueryVectorBuilder.Services(client, counters);
    }

    private RerankServices rerankServices(MappedFields fields) {
        int maxWindow = BicrossSettings.MAX_RANK_WINDOW.get(settings);
        return new RerankServices(client, counters, maxWindow, fields, threadPool);
    }

    @Override
    public void close() throws IOException {
        coordinator.close();
        client.close();
    }
}
