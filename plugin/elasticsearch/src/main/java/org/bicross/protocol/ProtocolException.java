package org.bicross.protocol;

/** An answer that is not what the dialect promises. The server is broken or speaks another dialect. */
public final class ProtocolException extends Exception {
    private static final long serialVersionUID = 1L;

    public ProtocolException(String message) {
        super(message, null, false, false);
    }
}
