package org.bicross.protocol;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;

/** JSON in and out by the node's own parser. */
final class Json {
    /** Writes the fields of one object. */
    interface Fields {
        void write(XContentBuilder object) throws IOException;
    }

    private Json() {}

    static byte[] bytes(Fields fields) {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            builder.startObject();
            fields.write(builder);
            builder.endObject();
            return BytesReference.toBytes(BytesReference.bytes(builder));
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory only
        }
    }

    static Map<String, Object> object(byte[] body) throws ProtocolException {
        return read(body, XContentParser::map);
    }

    static List<Object> array(byte[] body) throws ProtocolException {
        return read(body, XContentParser::list);
    }

    /** The items of an array of objects at {@code key}. */
    static List<Map<?, ?>> objects(Map<String, Object> body, String key) throws ProtocolException {
        if (body.get(key) instanceof List<?> items) {
            return objects(items, key);
        }
        throw new ProtocolException("the answer has no array `" + key + "`");
    }

    static List<Map<?, ?>> objects(List<?> items, String what) throws ProtocolException {
        for (Object item : items) {
            if (item instanceof Map == false) {
                throw new ProtocolException("`" + what + "` holds something else than objects");
            }
        }
        return items.stream().<Map<?, ?>>map(item -> (Map<?, ?>) item).toList();
    }

    static float finite(Object value, String what) throws ProtocolException {
        if (value instanceof Number number && Float.isFinite(number.floatValue())) {
            return number.floatValue();
        }
        throw new ProtocolException("`" + what + "` is not a finite number");
    }

    /** Null where the list holds anything but numbers. */
    static float[] floats(List<?> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            if (values.get(i) instanceof Number number) {
                floats[i] = number.floatValue();
            } else {
                return null;
            }
        }
        return floats;
    }

    private interface Reading<T> {
        T from(XContentParser parser) throws IOException;
    }

    private static <T> T read(byte[] body, Reading<T> reading) throws ProtocolException {
        try (XContentParser parser = JsonXContent.jsonXContent.createParser(XContentParserConfiguration.EMPTY, body)) {
            T value = reading.from(parser);
            if (value == null || parser.nextToken() != null) {
                throw new ProtocolException("the answer is not one JSON value");
            }
            return value;
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            throw new ProtocolException("the answer is not the JSON that was expected"); // its own words may hold text
        }
    }
}
