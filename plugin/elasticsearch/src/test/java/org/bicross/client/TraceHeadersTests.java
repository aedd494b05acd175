package org.bicross.client;

import static org.bicross.client.FaultyServer.answer;

import java.util.List;
import java.util.Map;
import org.bicross.protocol.EmbedRequest;
import org.bicross.protocol.InputType;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.rest.RestHeaderDefinition;

/** The trace of a search reaches the server; that of one request among many of ingest does not. */
public class TraceHeadersTests extends HttpModelClientTestCase {
    private static final String PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private static final String OTHER = "00-11111111111111111111111111111111-2222222222222222-00";

    private ThreadContext context() {
        return threadPool.getThreadContext();
    }

    private Map<String, String> headOfRerank() throws Exception {
        FaultyServer server = server(request -> answer(200, ONE_SCORE));
        rerank(client(server.url()), 5_000, "a").value();
        return server.requests.get(0).head();
    }

    public void testTheNodeKeepsTheCallersHeadersUnderTheNamesThatAreRead() {
        List<String> names =
                TraceHeaders.kept().stream().map(RestHeaderDefinition::getName).toList();
        assertEquals(List.of("Traceparent", "Tracestate"), names);
        for (String name : names) {
            context().putHeader(name, PARENT);
        }
        assertEquals(new TraceHeaders(PARENT, PARENT), TraceHeaders.of(context()));
    }

    public void testTheCallersTraceIsSentOn() throws Exception {
        context().putHeader("Traceparent", PARENT);
        context().putHeader("Tracestate", "vendor=value");
        Map<String, String> head = headOfRerank();
        assertEquals(PARENT, head.get("traceparent"));
        assertEquals("vendor=value", head.get("tracestate"));
    }

    public void testElasticsearchsOwnSpanGoesBeforeItsCallers() throws Exception {
        context().putHeader("Traceparent", OTHER);
        context().putHeader("Tracestate", "vendor=outer");
        context().putHeader("traceparent", PARENT);
        Map<String, String> head = headOfRerank();
        assertEquals(PARENT, head.get("traceparent"));
        assertFalse("the state of another span", head.containsKey("tracestate"));
    }

    public void testASearchOutsideATraceSendsNone() throws Exception {
        Map<String, String> head = headOfRerank();
        assertFalse(head.containsKey("traceparent"));
        assertFalse(head.containsKey("tracestate"));
    }

    public void testWhatIsNoTraceIsLeftOutAndTheSearchAnswered() throws Exception {
        for (String malformed : List.of("", "x", PARENT + "\r\nx: y", PARENT + "é", PARENT + "-" + "x".repeat(600))) {
            try (ThreadContext.StoredContext ignored = context().stashContext()) {
                context().putHeader("Traceparent", malformed);
                context().putHeader("Tracestate", "vendor=value");
                Map<String, String> head = headOfRerank();
                assertFalse(malformed, head.containsKey("traceparent"));
                assertFalse(malformed, head.containsKey("tracestate"));
            }
        }
    }

    public void testAMalformedStateCostsNotTheParent() throws Exception {
        context().putHeader("Traceparent", PARENT);
        context().putHeader("Tracestate", "a\nb");
        Map<String, String> head = headOfRerank();
        assertEquals(PARENT, head.get("traceparent"));
        assertFalse(head.containsKey("tracestate"));
    }

    public void testEveryAttemptOfACallHasItsTrace() throws Exception {
        context().putHeader("Traceparent", PARENT);
        FaultyServer full = server(request -> answer(503, "{}"));
        FaultyServer free = server(request -> answer(200, ONE_SCORE));
        HttpModelClient client = client(full.url(), free.url());
        rerank(client, 5_000, "a").value();
        rerank(client, 5_000, "a").value();
        assertFalse(full.requests.isEmpty());
        for (FaultyServer server : List.of(full, free)) {
            server.requests.forEach(
                    request -> assertEquals(PARENT, request.head().get("traceparent")));
        }
    }

    public void testIngestHasNoSingleParent() throws Exception {
        context().putHeader("Traceparent", PARENT);
        FaultyServer server = server(request -> answer(200, ONE_VECTOR));
        HttpModelClient client = client(server.url());
        embed(client, 5_000, "a").value();
        assertFalse(server.requests.get(0).head().containsKey("traceparent"));
        Outcome<Object> query = new Outcome<>();
        EmbedRequest request = new EmbedRequest(EMBEDDER, List.of("q"), InputType.QUERY);
        client.embed(request, Purpose.QUERY, in(5_000), query.delegateFailureAndWrap((l, v) -> l.onResponse(v)));
        query.value();
        assertEquals(PARENT, server.requests.get(1).head().get("traceparent"));
    }
}
