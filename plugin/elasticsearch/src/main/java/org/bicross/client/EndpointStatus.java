package org.bicross.client;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.bicross.protocol.ServedModel;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.CountDownActionListener;

/** Asks every URL of every endpoint for its models, and tells what is known of it. No key is shown. */
public final class EndpointStatus {
    private static final long TIMEOUT_MS = 1_500;

    private final HttpModelClient client;
    private final LongSupplier clockMs;

    public EndpointStatus(HttpModelClient client, LongSupplier clockMs) {
        this.client = client;
        this.clockMs = clockMs;
    }

    /** Never fails. Each URL has a row with {@code answers}: true, false, or null where the dialect has no list to ask for. */
    public void ask(ActionListener<List<Map<String, Object>>> listener) {
        List<Map<String, Object>> rows = new ArrayList<>();
        int count = client.endpoints().all().stream()
                .mapToInt(endpoint -> endpoint.urls.all().size())
                .sum();
        if (count == 0) {
            listener.onResponse(rows);
            return;
        }
        ActionListener<Void> done = new CountDownActionListener(count, listener.map(ignored -> rows));
        for (Endpoint endpoint : client.endpoints().all()) {
            List<Map<String, Object>> urls =
                    endpoint.urls.all().stream().map(endpoint.urls::describe).toList();
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("name", endpoint.name());
            row.put("dialect", endpoint.config.dialect().name());
            row.put("models", List.copyOf(endpoint.config.models()));
            row.put("urls", urls);
            rows.add(row);
            for (int i = 0; i < urls.size(); i++) {
                askOne(endpoint, endpoint.urls.all().get(i), urls.get(i), done);
            }
        }
    }

    private void askOne(Endpoint endpoint, EndpointUrl url, Map<String, Object> row, ActionListener<Void> done) {
        if (endpoint.config.modelsPath() == null) {
            row.put("answers", null);
            done.onResponse(null);
            return;
        }
        client.readList(endpoint, url, Deadline.in(TIMEOUT_MS, clockMs), new ActionListener<>() {
            @Override
            public void onResponse(List<ServedModel> served) {
                row.put("answers", true);
                row.put("serves", served.stream().map(ServedModel::asMap).toList());
                done.onResponse(null);
            }

            @Override
            public void onFailure(Exception e) {
                row.put("answers", false);
                row.put("error", e.getMessage());
                done.onResponse(null);
            }
        });
    }
}
