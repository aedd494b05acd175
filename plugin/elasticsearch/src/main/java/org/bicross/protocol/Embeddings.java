package org.bicross.protocol;

import java.util.ArrayList;
import java.util.List;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;

/**
 * The vectors of one call, in the order of its texts, all of one length and checked: finite and not all zero. A vector
 * that is neither is the fault of its own text's slot only, so the texts beside it keep theirs.
 *
 * @param servedModel what the server says that it ran, as in {@code minilm@1f3a9c4b2d10}; null where it does not say
 * @param vectors one for each text; null where {@code problems} says why
 */
public record Embeddings(String servedModel, List<float[]> vectors, List<String> problems) {
    static Embeddings check(String servedModel, List<float[]> vectors) throws ProtocolException {
        int dimensions = -1;
        List<float[]> checked = new ArrayList<>(vectors.size());
        List<String> problems = new ArrayList<>(vectors.size());
        for (int i = 0; i < vectors.size(); i++) {
            float[] vector = vectors.get(i);
            if (vector != null && dimensions >= 0 && vector.length != dimensions) {
                throw new ProtocolException(
                        "vectors of different lengths in one answer: " + dimensions + " and " + vector.length);
            }
            dimensions = vector == null ? dimensions : vector.length;
            String problem = problem(i, vector);
            problems.add(problem);
            checked.add(problem == null ? vector : null);
        }
        return new Embeddings(servedModel, checked, problems);
    }

    /** One answer of several, in order. */
    public static Embeddings join(List<Embeddings> parts) throws CallFailure {
        List<float[]> vectors = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        int dimensions = parts.get(0).dimensions();
        for (Embeddings part : parts) {
            if (part.dimensions() >= 0 && part.dimensions() != dimensions) {
                throw new CallFailure(
                        ErrorCode.BAD_ANSWER,
                        "vectors of different lengths: " + dimensions + " and " + part.dimensions());
            }
            vectors.addAll(part.vectors);
            problems.addAll(part.problems);
        }
        return new Embeddings(parts.get(0).servedModel, vectors, problems);
    }

    private static String problem(int index, float[] vector) {
        if (vector == null) {
            return "the vector of input " + index + " is null or holds something else than numbers";
        }
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        if (Double.isFinite(squares) == false) {
            return "the vector of input " + index + " holds a value that is not finite";
        }
        return squares == 0 ? "the vector of input " + index + " is all zero" : null;
    }

    /** The length of the vectors, or -1 where not one is usable. */
    public int dimensions() {
        return vectors.stream()
                .filter(v -> v != null)
                .mapToInt(v -> v.length)
                .findFirst()
                .orElse(-1);
    }

    public float[] vector(int index) throws CallFailure {
        if (problems.get(index) != null) {
            throw new CallFailure(ErrorCode.BAD_ANSWER, problems.get(index));
        }
        return vectors.get(index);
    }
}
