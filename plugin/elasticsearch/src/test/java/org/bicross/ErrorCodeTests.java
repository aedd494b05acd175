package org.bicross;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.test.ESTestCase;

public class ErrorCodeTests extends ESTestCase {
    public void testCodesAndStatusesAreThoseOfTheProtocol() {
        Set<String> ofTheNode = new HashSet<>();
        for (Object row : Protocol.list("errors.json")) {
            Map<?, ?> error = (Map<?, ?>) row;
            Map<?, ?> status = (Map<?, ?>) error.get("status");
            if (status.containsKey("node") == false) {
                continue;
            }
            String code = (String) error.get("code");
            ofTheNode.add(code);
            ErrorCode ours = ErrorCode.valueOf(code.toUpperCase(java.util.Locale.ROOT));
            assertEquals(code, status.get("node"), ours.searchStatus().getStatus());
            Object ingest = status.containsKey("ingest") ? status.get("ingest") : status.get("node");
            assertEquals(code, ingest, ours.ingestStatus().getStatus());
        }
        for (ErrorCode ours : ErrorCode.values()) {
            assertTrue(ours.code(), ofTheNode.contains(ours.code()));
        }
    }

    public void testEachPlaceShowsItsOwnStatusAndTheCode() {
        for (ErrorCode code : ErrorCode.values()) {
            CallFailure failure = new CallFailure(code, "what happened");
            assertEquals(code.searchStatus(), ExceptionsHelper.status(CallFailure.forSearch(failure)));
            Exception item = CallFailure.forIngest(failure);
            assertEquals(code.ingestStatus(), ExceptionsHelper.status(item));
            assertEquals("what happened", item.getMessage());
            if (code.isCallersFault() == false) {
                assertEquals(
                        java.util.List.of(code.code()),
                        ((ElasticsearchException) item).getMetadata(CallFailure.CODE_METADATA));
            }
        }
    }

    public void testAFailureOfOursIsFoundUnderWhatACompoundRetrieverMakesOfIt() {
        for (ErrorCode code : ErrorCode.values()) {
            Exception ours = CallFailure.forSearch(new CallFailure(code, "what happened"));
            Exception outer = new ElasticsearchStatusException("search failed", code.searchStatus());
            outer.addSuppressed(new ElasticsearchException("phase failed", ours));
            Exception shown = CallFailure.outOfSearch(outer);
            assertEquals("what happened", shown.getMessage());
            assertEquals(code.searchStatus(), ExceptionsHelper.status(shown));
            boolean plain = shown.getClass() == IllegalArgumentException.class;
            assertEquals(code.isCallersFault(), plain);
        }
    }

    public void testAFailureOfOthersIsShownAsItCame() {
        Exception other = new IllegalStateException("not ours", new RuntimeException());
        assertSame(other, CallFailure.outOfSearch(other));
        assertSame(other, CallFailure.forSearch(other));
        assertSame(other, CallFailure.forIngest(other));
    }
}
