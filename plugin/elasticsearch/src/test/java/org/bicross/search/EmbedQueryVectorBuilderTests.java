package org.bicross.search;

import java.io.IOException;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.test.ESTestCase;
import org.elasticsearch.xcontent.XContentParseException;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;

public class EmbedQueryVectorBuilderTests extends ESTestCase {
    private static EmbedQueryVectorBuilder parse(String json) throws IOException {
        try (XContentParser parser = JsonXContent.jsonXContent.createParser(XContentParserConfiguration.EMPTY, json)) {
            return EmbedQueryVectorBuilder.fromXContent(parser, null);
        }
    }

    private static EmbedQueryVectorBuilder any() {
        return new EmbedQueryVectorBuilder(randomAlphaOfLength(5), randomAlphaOfLength(20), null);
    }

    public void testWhatIsWrittenAsJsonIsReadTheSame() throws IOException {
        EmbedQueryVectorBuilder builder = any();
        assertEquals(builder, parse(Strings.toString(builder)));
    }

    public void testWhatIsSentIsReadTheSame() throws IOException {
        EmbedQueryVectorBuilder builder = any();
        BytesStreamOutput out = new BytesStreamOutput();
        builder.writeTo(out);
        EmbedQueryVectorBuilder read = new EmbedQueryVectorBuilder(out.bytes().streamInput(), null);
        assertEquals(builder, read);
        assertEquals(builder.hashCode(), read.hashCode());
        assertNotEquals(builder, any());
    }

    public void testANewerWireVersionIsRefusedClearly() throws IOException {
        BytesStreamOutput out = new BytesStreamOutput();
        out.writeByte((byte) 99);
        StreamInput in = out.bytes().streamInput();
        IOException e = expectThrows(IOException.class, () -> new EmbedQueryVectorBuilder(in, null));
        assertTrue(e.getMessage(), e.getMessage().contains("wire version 99"));
    }

    public void testAnEmptyTextNamesItsField() {
        for (String text : new String[] {"", "  ", "\\n"}) {
            Exception e = expectThrows(
                    ParsingException.class, () -> parse("{\"model_id\":\"m\",\"model_text\":\"" + text + "\"}"));
            assertTrue(e.getMessage(), e.getMessage().contains("[model_text]"));
        }
    }

    public void testMissingAndUnknownKeysAreRefused() {
        Exception missing = expectThrows(IllegalArgumentException.class, () -> parse("{\"model_id\":\"m\"}"));
        assertTrue(missing.getMessage(), missing.getMessage().contains("[model_text]"));
        for (String key : new String[] {"endpoint", "url", "headers"}) {
            String json = "{\"model_id\":\"m\",\"model_text\":\"t\",\"" + key + "\":\"x\"}";
            Exception e = expectThrows(XContentParseException.class, () -> parse(json));
            assertTrue(e.getMessage(), e.getMessage().contains("[" + key + "]"));
        }
    }
}
