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

    public static Exception forSearch(Exception failure) {
        return failure instanceof CallFailure call ? call.withStatus(call.code.searchStatus()) : failure;
    }

    public static Exception forIngest(Exception failure) {
        return failure instanceof CallFailure call ? call.withStatus(call.code.ingestStatus()) : failure;
    }

    /**
     * The failure of ours that lies in {@code failure} as a cause or suppressed, or {@code failure} itself where there is
     * none or it is ours already. A compound retriever suppresses what its inner searches threw.
     */
    public static Exception innermost(Exception failure) {
        Throwable found = find(failure, 0);
        return found instanceof ElasticsearchException ours ? ours : failure;
    }

    private static Throwable find(Throwable failure, int depth) {
        if (failure == null || depth > DEEPEST) {
            return null;
        }
        if (failure instanceof ElasticsearchException e && e.getMetadataKeys().contains(CODE_METADATA)) {
            return e;
        }
        Throwable found = find(failure.getCause(), depth + 1);
        for (Throwable suppressed : failure.getSuppressed()) {
            found = found == null ? find(suppressed, depth + 1) : found;
        }
        return found;
    }

    /** What the caller did wrong is an {@code illegal_argument_exception}, as everywhere in Elasticsearch. */
    private Exception withStatus(RestStatus status) {
        if (status == RestStatus.BAD_REQUEST) {
            return new IllegalArgumentException(getMessage());
        }
        ElasticsearchException shown = new ElasticsearchStatusException("{}", status, getMessage());
        shown.addMetadata(CODE_METADATA, code.code());
        return shown;
    }
}
