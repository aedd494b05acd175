package org.bicross;

import org.elasticsearch.rest.RestStatus;

/**
 * The stable names of everything that can go wrong in the node, and the status that each has in a search and in an
 * item of a bulk. Temporary failures of ingest are 429, since that is the status that the official clients retry.
 *
 * <p>The rows of {@code protocol/errors.json} that have a status for the node; a test holds the two together.
 */
public enum ErrorCode {
    INVALID_REQUEST(RestStatus.BAD_REQUEST),
    TEXT_TOO_LONG(RestStatus.BAD_REQUEST),
    QUERY_TOO_LONG(RestStatus.BAD_REQUEST),
    MODEL_NOT_FOUND(RestStatus.BAD_REQUEST),
    WRONG_TASK(RestStatus.BAD_REQUEST),
    UNSUPPORTED_FIELD_TYPE(RestStatus.BAD_REQUEST),
    MISSING_FIELD(RestStatus.BAD_REQUEST),
    OVERLOADED(RestStatus.TOO_MANY_REQUESTS),
    DEADLINE_EXCEEDED(RestStatus.GATEWAY_TIMEOUT, RestStatus.TOO_MANY_REQUESTS),
    ENDPOINT_UNREACHABLE(RestStatus.SERVICE_UNAVAILABLE, RestStatus.TOO_MANY_REQUESTS),
    ENDPOINT_MISCONFIGURED(RestStatus.BAD_GATEWAY),
    ENDPOINT_FAILED(RestStatus.BAD_GATEWAY),
    BAD_ANSWER(RestStatus.BAD_GATEWAY);

    private final RestStatus search;
    private final RestStatus ingest;

    ErrorCode(RestStatus everywhere) {
        this(everywhere, everywhere);
    }

    ErrorCode(RestStatus search, RestStatus ingest) {
        this.search = search;
        this.ingest = ingest;
    }

    /** The name in {@code errors.json}, as in {@code deadline_exceeded}. */
    public String code() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    public RestStatus searchStatus() {
        return search;
    }

    public RestStatus ingestStatus() {
        return ingest;
    }

    /** True where the request is at fault: another server or another attempt would refuse it too. */
    public boolean isCallersFault() {
        return search == RestStatus.BAD_REQUEST;
    }
}
