package org.bicross.protocol;

import java.util.List;
import java.util.Map;
import org.bicross.Protocol;
import org.elasticsearch.test.ESTestCase;

public class TeiDialectTests extends ESTestCase {
    private static Object promptOf(Map<InputType, String> names, InputType type) {
        Dialect tei = Dialect.named("setting", "tei", names);
        ModelName model = ModelName.parse("model_id", "minilm");
        return Protocol.map(tei.embedBody(new EmbedRequest(model, List.of("a cat"), type)))
                .get("prompt_name");
    }

    /** The server refuses a name that the model's folder lacks. */
    public void testAPromptIsNamedOnlyWhereTheEndpointNamesOne() {
        Map<InputType, String> names = Map.of(InputType.QUERY, "s2p");
        assertEquals("s2p", promptOf(names, InputType.QUERY));
        assertNull(promptOf(names, InputType.PASSAGE));
        assertNull(promptOf(Map.of(), InputType.QUERY));
    }
}
