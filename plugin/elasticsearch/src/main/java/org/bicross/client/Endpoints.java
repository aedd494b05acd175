package org.bicross.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import org.bicross.BicrossSettings;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.ServedModel;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.CountDownActionListener;
import org.elasticsearch.core.TimeValue;

/**
 * Finds the endpoint of a model: by the names in the settings, else by the lists of the servers, which are read when
 * first needed and never by a factory, so that a node starts and keeps its pipelines while every server is down.
 */
final class Endpoints {
    /** Reads one endpoint's list of models. */
    interface ListReader {
        void read(Endpoint endpoint, Deadline deadline, ActionListener<List<ServedModel>> listener);
    }

    private final List<Endpoint> all;
    private final ListReader reader;
    private final LongSupplier clockMs;

    Endpoints(List<EndpointConfig> configs, ListReader reader, LongSupplier clockMs) {
        this.all = configs.stream().map(config -> new Endpoint(config, clockMs)).toList();
        this.reader = reader;
        this.clockMs = clockMs;
    }

    List<Endpoint> all() {
        return all;
    }

    /** Of the endpoint that has the model as far as is known now, else the longest of any. */
    TimeValue timeout(ModelName model, Purpose purpose) {
        for (Endpoint endpoint : all) {
            if (endpoint.config.models().contains(model.base())
                    || endpoint.served(model).isPresent()) {
                return endpoint.config.timeouts().get(purpose);
            }
        }
        return all.stream()
                .map(endpoint -> endpoint.config.timeouts().get(purpose))
                .max(TimeValue::compareTo)
                .orElse(TimeValue.timeValueSeconds(1));
    }

    void requireKnown(ModelName model) {
        boolean namesAreAll = all.stream().allMatch(Endpoint::namesItsModels);
        if (namesAreAll && byName(model).isEmpty()) {
            throw new IllegalArgumentException("[model_id] " + unknown(model));
        }
    }

    void route(ModelName model, Deadline deadline, ActionListener<Route> listener) {
        List<Endpoint> named = byName(model);
        if (named.isEmpty() == false) {
            listener.onResponse(route(model, named));
            return;
        }
        List<Endpoint> listing = all.stream()
                .filter(endpoint -> endpoint.namesItsModels() == false)
                .toList();
        Route known = listed(model, listing);
        if (known != null) {
            listing.stream()
                    .filter(endpoint -> endpoint.models.isOlderThan(ModelList.STALE_MS))
                    .forEach(
                            endpoint -> read(endpoint, Deadline.in(deadline.leftMs(), clockMs), ActionListener.noop()));
            listener.onResponse(known);
            return;
        }
        List<Endpoint> unsure = listing.stream()
                .filter(endpoint -> endpoint.models.isOlderThan(ModelList.YOUNG_MS))
                .toList();
        if (unsure.isEmpty()) {
            listener.onFailure(missing(model, listing));
            return;
        }
        ActionListener<Void> afterReading =
                new CountDownActionListener(unsure.size(), listener.delegateFailure((l, ignored) -> {
                    Route found = listed(model, listing);
                    if (found == null) {
                        l.onFailure(missing(model, listing));
                    } else {
                        l.onResponse(found);
                    }
                }));
        unsure.forEach(endpoint -> read(endpoint, deadline, afterReading));
    }

    private void read(Endpoint endpoint, Deadline deadline, ActionListener<Void> listener) {
        endpoint.models.read(result -> reader.read(endpoint, deadline, result), listener);
    }

    private List<Endpoint> byName(ModelName model) {
        return all.stream()
                .filter(endpoint -> endpoint.config.models().contains(model.base()))
                .toList();
    }

    /** Servers of one name and another digest hold another model: their vectors must not meet in one field. */
    private static Route listed(ModelName model, List<Endpoint> listing) {
        List<Endpoint> found = new ArrayList<>();
        String digest = null;
        for (Endpoint endpoint : listing) {
            ServedModel served = endpoint.served(model).orElse(null);
            if (served == null || model.accepts(served.digest()) == false) {
                continue;
            }
            if (found.isEmpty()) {
                digest = served.digest();
            }
            if (Objects.equals(digest, served.digest())) {
                found.add(endpoint);
            }
        }
        return found.isEmpty() ? null : route(model, found);
    }

    private static Route route(ModelName model, List<Endpoint> endpoints) {
        return new Route(model, endpoints, endpoints.get(0).served(model).orElse(null));
    }

    private Exception missing(ModelName model, List<Endpoint> listing) {
        for (Endpoint endpoint : listing) {
            if (endpoint.models.known() == null && endpoint.models.lastFailure() != null) {
                return endpoint.models.lastFailure(); // the model may well be there
            }
        }
        for (Endpoint endpoint : listing) {
            ServedModel other = endpoint.served(model).orElse(null);
            if (other != null) {
                return new CallFailure(
                        ErrorCode.ENDPOINT_MISCONFIGURED,
                        "model [" + model.full() + "]: endpoint [" + endpoint.name() + "] serves [" + other.id()
                                + "] with the digest [" + other.digest()
                                + "]; serve the bundle asked for, or name this one");
            }
        }
        return new CallFailure(ErrorCode.MODEL_NOT_FOUND, "[model_id] " + unknown(model));
    }

    private String unknown(ModelName model) {
        if (all.isEmpty()) {
            return "[" + model.full() + "] is unknown: this node has no endpoint; set ["
                    + EndpointConfig.key(BicrossSettings.URLS, "<name>") + "]";
        }
        TreeSet<String> names = new TreeSet<>();
        for (Endpoint endpoint : all) {
            names.addAll(endpoint.config.models());
            List<ServedModel> known = endpoint.models.known();
            if (known != null) {
                known.forEach(served -> names.add(served.id()));
            }
        }
        return "[" + model.full() + "] is unknown to this node's endpoints; known are " + names;
    }
}
