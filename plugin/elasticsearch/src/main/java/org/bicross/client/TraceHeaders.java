package org.bicross.client;

import java.net.http.HttpRequest;
import java.util.List;
import java.util.regex.Pattern;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.rest.RestHeaderDefinition;
import org.elasticsearch.tasks.Task;

/**
 * The trace that a search belongs to, as W3C Trace Context writes it: the server's spans become children of it.
 *
 * @param parent null where there is no trace
 * @param state null where the trace has none
 */
public record TraceHeaders(String parent, String state) {
    static final TraceHeaders NONE = new TraceHeaders(null, null);

    /**
     * The caller's headers, under names of our own in the thread context. Elasticsearch keeps what it calls traceparent
     * for its own tracing: a node that does not trace drops the caller's at the first task, from 9.5 on. Headers of HTTP
     * are found whatever their case, names in a thread context are not, so these are the same on the wire and another here.
     */
    private static final String CALLERS_PARENT = "Traceparent";

    private static final String CALLERS_STATE = "Tracestate";

    private static final Pattern PARENT =
            Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?");
    /** What a proxy must pass on; a longer one may be dropped. */
    private static final Pattern STATE = Pattern.compile("[ -~]{1,512}");

    private static final int LONGEST_PARENT = 512;

    /** What the node is to keep of a request's headers. Several of state are one list; several parents it refuses anyway. */
    public static List<RestHeaderDefinition> kept() {
        return List.of(new RestHeaderDefinition(CALLERS_PARENT, false), new RestHeaderDefinition(CALLERS_STATE, true));
    }

    /**
     * Elasticsearch's own span where it traces, and the caller's where it does not. The caller chose the headers' text, so
     * what is malformed is left out: no search fails for its trace.
     */
    static TraceHeaders of(ThreadContext context) {
        String own = context.getHeader(Task.TRACE_PARENT_HTTP_HEADER);
        return own != null
                ? checked(own, context.getHeader(Task.TRACE_STATE))
                : checked(context.getHeader(CALLERS_PARENT), context.getHeader(CALLERS_STATE));
    }

    private static TraceHeaders checked(String parent, String state) {
        if (parent == null
                || parent.length() > LONGEST_PARENT
                || PARENT.matcher(parent).matches() == false) {
            return NONE;
        }
        return new TraceHeaders(parent, state != null && STATE.matcher(state).matches() ? state : null);
    }

    void addTo(HttpRequest.Builder request) {
        if (parent != null) {
            request.header(Task.TRACE_PARENT_HTTP_HEADER, parent);
        }
        if (state != null) {
            request.header(Task.TRACE_STATE, state);
        }
    }
}
