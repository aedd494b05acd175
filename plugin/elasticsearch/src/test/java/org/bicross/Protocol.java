package org.bicross;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.elasticsearch.core.PathUtils;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;

/** The files that both languages are tested on. */
public final class Protocol {
    private Protocol() {}

    public static byte[] bytes(String name) {
        try {
            return Files.readAllBytes(PathUtils.get(System.getProperty("bicross.protocol"), name));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    public static Map<String, Object> object(String name) {
        return map(bytes(name));
    }

    public static List<Object> list(String name) {
        try (XContentParser parser = parser(bytes(name))) {
            return parser.list();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    public static Map<String, Object> map(byte[] json) {
        try (XContentParser parser = parser(json)) {
            return parser.map();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static XContentParser parser(byte[] json) throws IOException {
        return JsonXContent.jsonXContent.createParser(XContentParserConfiguration.EMPTY, json);
    }
}
