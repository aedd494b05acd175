package org.bicross.client;

import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.elasticsearch.test.ESTestCase;

public class UrlPoolTests extends ESTestCase {
    private final AtomicLong nowMs = new AtomicLong(1);
    private final UrlPool two = pool("http://a", "http://b");

    private UrlPool pool(String... urls) {
        return new UrlPool(List.of(urls).stream().map(URI::create).toList(), nowMs::get);
    }

    private static void failAll(UrlPool pool, EndpointUrl url) {
        for (int i = 0; i < UrlPool.FAILURES_TO_REST; i++) {
            url.openCalls++;
            pool.close(url, "down", true);
        }
    }

    public void testIdleUrlsTakeTurnsAndABusyOneIsPassedOver() {
        EndpointUrl first = two.open(Set.of());
        EndpointUrl second = two.open(Set.of());
        assertNotSame(first, second);
        two.close(first, null, false);
        assertSame(first, two.open(Set.of()));
    }

    public void testASecondAttemptGoesElsewhere() {
        EndpointUrl first = two.open(Set.of());
        two.close(first, "down", true);
        assertNotSame(first, two.open(Set.of(first)));
        UrlPool one = pool("http://a");
        EndpointUrl only = one.open(Set.of());
        assertSame(only, one.open(Set.of(only)));
    }

    public void testFiveFailuresInARowRestAUrlUntilOneProbeSucceeds() {
        EndpointUrl bad = two.all().get(0);
        EndpointUrl good = two.all().get(1);
        failAll(two, bad);
        for (int i = 0; i < 10; i++) {
            assertSame(good, two.open(Set.of()));
        }
        nowMs.addAndGet(UrlPool.FIRST_REST_MS);
        assertSame(bad, two.open(Set.of()));
        assertSame("one call probes, the others go elsewhere", good, two.open(Set.of()));
        two.close(bad, "still down", true);
        nowMs.addAndGet(UrlPool.FIRST_REST_MS);
        assertSame("the second rest is twice as long", good, two.open(Set.of()));
        nowMs.addAndGet(UrlPool.FIRST_REST_MS);
        assertSame(bad, two.open(Set.of()));
        two.close(bad, null, false);
        assertSame(bad, two.open(Set.of()));
    }

    public void testTheLastUrlInUseNeverRests() {
        failAll(two, two.all().get(0));
        failAll(two, two.all().get(1));
        assertSame(two.all().get(1), two.open(Set.of()));
        UrlPool one = pool("http://a");
        failAll(one, one.all().get(0));
        assertSame(one.all().get(0), one.open(Set.of()));
    }

    public void testASuccessForgetsFailures() {
        EndpointUrl url = two.all().get(0);
        for (int i = 0; i < 20; i++) {
            url.openCalls += 2;
            assertEquals(1, two.close(url, "down", true));
            assertEquals(0, two.close(url, null, false));
        }
        Set<EndpointUrl> seen = new HashSet<>();
        seen.add(two.open(Set.of()));
        seen.add(two.open(Set.of()));
        assertEquals(2, seen.size());
    }

    public void testRetriesAreATenthOfTheCallsAndThreeAtLeast() {
        RetryBudget budget = new RetryBudget(nowMs::get);
        for (int i = 0; i < RetryBudget.FLOOR; i++) {
            assertTrue(budget.take());
        }
        assertFalse(budget.take());
        nowMs.addAndGet(RetryBudget.WINDOW_MS);
        for (int i = 0; i < 100; i++) {
            budget.countCall();
        }
        int allowed = 0;
        while (budget.take()) {
            allowed++;
        }
        assertEquals(10, allowed);
    }
}
