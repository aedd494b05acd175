package org.bicross.protocol;

import java.io.IOException;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;

/**
 * The version of what this plugin sends between nodes, its own: the byte before every object. Elasticsearch's transport
 * version says nothing about a plugin, and during a rolling upgrade two versions of it meet.
 */
public final class WireVersion {
    private static final byte CURRENT = 1;

    private WireVersion() {}

    public static void write(StreamOutput out) throws IOException {
        out.writeByte(CURRENT);
    }

    /** The version written, at most this plugin's own; throws an IOException for a newer one. */
    public static int read(StreamInput in, String what) throws IOException {
        byte version = in.readByte();
        if (version < 1 || version > CURRENT) {
            throw new IOException(
                    "[" + what + "] came with wire version " + version + ", and this node's bicross reads up to "
                            + CURRENT + "; install one version of bicross on all nodes");
        }
        return version;
    }
}
