package org.bicross.client;

import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.bicross.protocol.ModelName;
import org.bicross.protocol.ServedModel;

/** One endpoint at run time: its settings, its URLs and what its servers say that they serve. */
final class Endpoint {
    final EndpointConfig config;
    final UrlPool urls;
    final ModelList models;

    Endpoint(EndpointConfig config, LongSupplier clockMs) {
        this.config = config;
        this.urls = new UrlPool(config.urls(), clockMs);
        this.models = new ModelList(clockMs);
    }

    String name() {
        return config.name();
    }

    boolean namesItsModels() {
        return config.models().isEmpty() == false;
    }

    /** What the last list says of the model; empty where there was none or it is not in it. */
    Optional<ServedModel> served(ModelName model) {
        List<ServedModel> known = models.known();
        return known == null
                ? Optional.empty()
                : known.stream()
                        .filter(served -> served.id().equals(model.base()))
                        .findFirst();
    }

    String settingKey(org.elasticsearch.common.settings.Setting.AffixSetting<?> setting) {
        return EndpointConfig.key(setting, name());
    }
}
