package org.bicross.client;

import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The URLs of one endpoint: the one with the fewest open calls is next, in turn where several have as few. One that
 * fails five times in a row rests, for a second at first and twice as long each time after; then a single call probes
 * it. The last one in use never rests: a caller then meets the failure itself rather than a guess.
 */
final class UrlPool {
    static final int FAILURES_TO_REST = 5;
    static final long FIRST_REST_MS = 1_000;
    static final long LONGEST_REST_MS = 15_000;

    private final List<EndpointUrl> urls;
    private final LongSupplier clockMs;
    private int turn;

    UrlPool(List<URI> uris, LongSupplier clockMs) {
        this.urls = uris.stream().map(EndpointUrl::new).toList();
        this.clockMs = clockMs;
    }

    /** The URL for the next call, now counted as open; {@link #close} gives it back. One not tried before wherever possible. */
    synchronized EndpointUrl open(Set<EndpointUrl> tried) {
        long now = clockMs.getAsLong();
        EndpointUrl chosen = null;
        List<EndpointUrl> usable = new ArrayList<>();
        for (EndpointUrl url : urls) {
            if (url.rests() && url.restsUntilMs <= now && url.isProbed == false && tried.contains(url) == false) {
                url.isProbed = true; // one call finds out; the others go elsewhere meanwhile
                chosen = url;
                break;
            }
            if (url.rests() == false) {
                usable.add(url);
            }
        }
        if (chosen == null) {
            chosen = leastBusy(usable.isEmpty() ? urls : usable, tried);
        }
        chosen.openCalls++;
        return chosen;
    }

    private EndpointUrl leastBusy(List<EndpointUrl> candidates, Set<EndpointUrl> tried) {
        List<EndpointUrl> fresh =
                candidates.stream().filter(url -> tried.contains(url) == false).toList();
        List<EndpointUrl> pool = fresh.isEmpty() ? candidates : fresh;
        int start = turn++ & Integer.MAX_VALUE;
        EndpointUrl best = null;
        for (int i = 0; i < pool.size(); i++) {
            EndpointUrl url = pool.get((start + i) % pool.size());
            if (best == null || url.openCalls < best.openCalls) {
                best = url;
            }
        }
        return best;
    }

    /**
     * {@code failure} is null where the server is well; what is the caller's fault does not count against it. Returns how
     * many failures in a row this makes.
     */
    synchronized int close(EndpointUrl url, String failure, boolean counts) {
        url.openCalls--;
        url.isProbed = false;
        if (counts == false) {
            url.failuresInARow = 0;
            url.restsUntilMs = 0;
            url.restMs = 0;
            return 0;
        }
        url.failuresInARow++;
        url.lastError = failure;
        boolean othersInUse = urls.stream().anyMatch(other -> other != url && other.rests() == false);
        if (url.rests() || url.failuresInARow >= FAILURES_TO_REST && othersInUse) {
            url.restMs = Math.min(LONGEST_REST_MS, url.restMs == 0 ? FIRST_REST_MS : 2 * url.restMs);
            url.restsUntilMs = Math.max(1, clockMs.getAsLong() + url.restMs);
        }
        return url.failuresInARow;
    }

    /** A call that was given up tells nothing about the server. */
    synchronized void abandon(EndpointUrl url) {
        url.openCalls--;
        url.isProbed = false;
    }

    synchronized int openCalls() {
        return urls.stream()
                .min(Comparator.comparingInt(url -> url.openCalls))
                .map(url -> url.openCalls)
                .orElse(0);
    }

    List<EndpointUrl> all() {
        return urls;
    }

    synchronized Map<String, Object> describe(EndpointUrl url) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("url", url.uri.toString());
        map.put("open_calls", url.openCalls);
        map.put("failures_in_a_row", url.failuresInARow);
        map.put("rests", url.rests());
        if (url.lastError != null) {
            map.put("last_error", url.lastError);
        }
        return map;
    }
}
