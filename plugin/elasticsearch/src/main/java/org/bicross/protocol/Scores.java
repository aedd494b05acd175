package org.bicross.protocol;

import java.util.List;

/**
 * Raw scores in the order of the passages, every one finite, NaN where a partial answer has none.
 *
 * @param servedModel what the server says that it ran; null where it does not say
 */
public record Scores(String servedModel, float[] values) {
    /** One array of several, in order. */
    public static float[] join(List<float[]> parts) {
        float[] whole = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, whole, at, part.length);
            at += part.length;
        }
        return whole;
    }
}
