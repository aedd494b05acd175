package org.bicross.local;

import java.lang.instrument.Instrumentation;

/**
 * Hands the JVM's instrumentation to the entitlement library; the agent jar of the distribution, whose
 * only work this is, is not published.
 */
public final class EntitlementAgent {
    private static final String DEFAULT = "org.elasticsearch.entitlement.initialization.EntitlementInitialization";

    private EntitlementAgent() {}

    /** {@code initializer} is the class to call; releases before 9.0 pass none. */
    public static void agentmain(String initializer, Instrumentation instrumentation) throws Exception {
        String name = initializer == null || initializer.isEmpty() ? DEFAULT : initializer;
        Class.forName(name).getMethod("initialize", Instrumentation.class).invoke(null, instrumentation);
    }
}
