package org.bicross;

import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.rest.RestStatus;

/**
 * Why a call to a model failed, before it is known whether a document or a search asked. The message is whole: what was
 * found, what is allowed, what to do; it holds names and numbers, never a text or a key.
 */
public final class CallFailure extends Exception {
    /** Elasticsearch shows metadata whose key begins with {@code es.} in the error's JSON, without that prefix. */
    public static final String CODE_METADATA = "es.bicross_code";

    private static final int DEEPEST = 20;
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String param;

    public CallFailure(ErrorCode code, String message) {
        this(code, message, null);
    }

    /** {@code param} is the field of the HTTP request that the server refused, as in {@code input[3]}; may be null. */
    public CallFailure(ErrorCode code, String message, String param) {
        super(message, null, false, false);
        this.code = code;
        this.param = param;
    }

    public ErrorCode code() {
        return code;
    }

    /** True where one text of several may be at fault, so that the others deserve another call without it. */
    public boolean mayBeOneText() {
        return code.isCallersFault()
                && code != ErrorCode.WRONG_TASK
                && code != ErrorCode.MODEL_NOT_FOUND
                && (param == null || param.startsWith("input"));
    }

    /** As a search shows it. What is the caller's fault is marked, so that {@link #outOfSearch} finds it again. */
    public static Exception forSearch(Exception failure) {
        if (failure instanceof CallFailure call) {
            return call.code.isCallersFault()
                    ? new CallersFault(call.getMessage())
                    : call.withStatus(call.code.searchStatus());
        }
        return failure;
    }

    /** As an item of a bulk shows it: what the caller did wrong is an {@code illegal_argument_exception}. */
    public static Exception forIngest(Exception failure) {
        if (failure instanceof CallFailure call) {
            RestStatus status = call.code.ingestStatus();
            return call.code.isCallersFault()
                    ? new IllegalArgumentException(call.getMessage())
                    : call.withStatus(status);
        }
        return failure;
    }

    /**
     * The failure of ours that lies in {@code failure} as a cause or suppressed, or {@code failure} itself where there is
     * none. A compound retriever says only that its inner searches failed, and suppresses what they threw.
     */
    public static Exception outOfSearch(Exception failure) {
        Throwable found = find(failure, 0);
        if (found instanceof CallersFault) {
            return new IllegalArgumentException(found.getMessage());
        }
        return found instanceof ElasticsearchException ours ? ours : failure;
    }

    private static Throwable find(Throwable failure, int depth) {
        if (failure == null || depth > DEEPEST) {
            return null;
        }
        boolean ours = failure instanceof CallersFault
                || failure instanceof ElasticsearchException e
                        && e.getMetadataKeys().contains(CODE_METADATA);
        if (ours) {
            return failure;
        }
        Throwable found = find(failure.getCause(), depth + 1);
        for (Throwable suppressed : failure.getSuppressed()) {
            found = found == null ? find(suppressed, depth + 1) : found;
        }
        return found;
    }

    private Exception withStatus(RestStatus status) {
        ElasticsearchException shown = new ElasticsearchStatusException("{}", status, getMessage());
        shown.addMetadata(CODE_METADATA, code.code());
        return shown;
    }

    /** Stays on this node: the outermost search shows the plain exception in its place. */
    private static final class CallersFault extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        CallersFault(String message) {
            super(message);
        }
    }
}
