package org.bicross.client;

import java.net.URI;

/** One URL of an endpoint and how it has done lately. Guarded by its {@link UrlPool}. */
final class EndpointUrl {
    final URI uri;
    int openCalls;
    int failuresInARow;
    /** While failures go on: how long it rests next. */
    long restMs;
    /** On the pool's clock; 0 while it is in use. */
    long restsUntilMs;

    boolean isProbed;
    String lastError;

    EndpointUrl(URI uri) {
        this.uri = uri;
    }

    boolean rests() {
        return restsUntilMs != 0;
    }
}
