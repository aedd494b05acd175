package org.bicross.client;

import java.net.http.HttpRequest;
import java.util.regex.Pattern;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.Task;

/**
 * The trace that a search belongs to, as W3C Trace Context writes it: the server's spans become children of it.
 *
 * @param parent null where there is no trace
 * @param state null where the trace has none
 */
record TraceHeaders(String parent, String state) {
    static final TraceHeaders NONE = new TraceHeaders(null, null);

    /** Elasticsearch names them so when it moves a caller's header aside, 8.19 without a constant for it. */
    private static final String MOVED = "parent_";

    private static final Pattern PARENT =
            Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?");
    /** What a proxy must pass on; a longer one may be dropped. */
    private static final Pattern STATE = Pattern.compile("[ -~]{1,512}");

    private static final int LONGEST_PARENT = 512;

    /**
     * Elasticsearch's own span where it traces, and the caller's header where it does not. The caller chose the header's
     * text, so what is malformed is left out: no search fails for its trace.
     */
    static TraceHeaders of(ThreadContext context) {
        String parent = read(context, Task.TRACE_PARENT_HTTP_HEADER);
        if (parent == null
                || parent.length() > LONGEST_PARENT
                || PARENT.matcher(parent).matches() == false) {
            return NONE;
        }
        String state = read(context, Task.TRACE_STATE);
        return new TraceHeaders(parent, state != null && STATE.matcher(state).matches() ? state : null);
    }

    private static String read(ThreadContext context, String name) {
        String own = context.getHeader(Task.TRACE_PARENT_HTTP_HEADER);
        return own != null ? context.getHeader(name) : context.getTransient(MOVED + name);
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
