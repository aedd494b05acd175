package org.bicross.rerank;

import java.util.Arrays;
import java.util.Locale;
import org.bicross.client.Deadline;

/**
 * How long a rerank may take, and what becomes of its search when it fails. Known to the coordinator only.
 *
 * @param budgetMs from the first pass's answer to the last score used; null for as long as the endpoint has
 */
record RerankTerms(Integer budgetMs, OnFailure onFailure) {
    /** The name in lower case is the value of {@code on_rerank_failure}. */
    enum OnFailure {
        FAIL,
        KEEP_FIRST_PASS;

        static OnFailure named(String name) {
            return Arrays.stream(values())
                    .filter(value -> value.toString().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("[on_rerank_failure] must be one of "
                            + Arrays.toString(values()) + ", found [" + name + "]"));
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static final RerankTerms USUAL = new RerankTerms(null, OnFailure.FAIL);

    RerankTerms {
        if (budgetMs != null && budgetMs < 1) {
            throw new IllegalArgumentException("[budget] must be at least 1 millisecond, found [" + budgetMs + "]");
        }
    }

    boolean keepsFirstPass() {
        return onFailure == OnFailure.KEEP_FIRST_PASS;
    }

    Deadline within(Deadline endpoints, long firstPassMs) {
        return budgetMs == null ? endpoints : endpoints.orBudget(budgetMs, firstPassMs);
    }
}
