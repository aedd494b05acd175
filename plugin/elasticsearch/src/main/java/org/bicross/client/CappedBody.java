package org.bicross.client;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** Collects an answer and stops reading at a cap, whatever the server says about its length. */
final class CappedBody implements HttpResponse.BodySubscriber<byte[]> {
    /** The answer is longer than anything that was asked for. */
    static final class TooLongException extends IOException {
        private static final long serialVersionUID = 1L;

        TooLongException(long cap) {
            super("the answer is longer than " + cap + " bytes");
        }
    }

    private final long cap;
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
    private final List<ByteBuffer> parts = new ArrayList<>();
    private long size;
    private Flow.Subscription subscription;

    CappedBody(long cap) {
        this.cap = cap;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return whole;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            size += buffer.remaining();
            parts.add(buffer);
        }
        if (size > cap) {
            parts.clear();
            subscription.cancel();
            whole.completeExceptionally(new TooLongException(cap));
        }
    }

    @Override
    public void onError(Throwable failure) {
        parts.clear();
        whole.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        ByteBuffer body = ByteBuffer.allocate((int) Math.min(size, cap));
        if (whole.isDone() == false) {
            parts.forEach(body::put);
        }
        whole.complete(body.array());
    }
}
