package org.bicross.ingest;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.elasticsearch.action.ActionListener;

/** Outcomes by text, each at most once. */
final class Outcomes {
    final Map<String, float[]> vectors = new ConcurrentHashMap<>();
    final Map<String, Exception> failures = new ConcurrentHashMap<>();

    ActionListener<float[]> of(String text) {
        return new ActionListener<>() {
            @Override
            public void onResponse(float[] vector) {
                assertFalse(failures.containsKey(text));
                assertNull(vectors.put(text, vector));
                assertEquals("no text gets another's vector", text.hashCode(), vector[0], 0f);
            }

            @Override
            public void onFailure(Exception e) {
                assertFalse(vectors.containsKey(text));
                assertNull(failures.put(text, e));
            }
        };
    }

    int told() {
        return vectors.size() + failures.size();
    }

    ErrorCode code(String text) {
        return ((CallFailure) failures.get(text)).code();
    }
}
