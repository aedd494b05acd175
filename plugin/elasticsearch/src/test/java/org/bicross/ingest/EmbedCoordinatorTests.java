package org.bicross.ingest;

import java.util.List;
import org.bicross.ErrorCode;
import org.bicross.protocol.ModelName;
import org.bicross.status.Counters;
import org.bicross.status.Counters.Counter;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.DeterministicTaskQueue;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.test.ESTestCase;

/** The queue against schedules that no clock and no thread decides. */
public class EmbedCoordinatorTests extends ESTestCase {
    private static final ModelName MODEL = ModelName.parse("model_id", "m");
    private static final EmbedCoordinator.Limits LIMITS =
            new EmbedCoordinator.Limits(4, 64, 1 << 20, 10_000, 32 << 20, 60_000);

    private final DeterministicTaskQueue tasks = new DeterministicTaskQueue(random());
    private final ThreadContext context = new ThreadContext(Settings.EMPTY);
    private final Counters counters = new Counters();
    private final ScriptedClient client = new ScriptedClient(tasks, context, random());

    private EmbedCoordinator coordinator(EmbedCoordinator.Limits limits) {
        return new EmbedCoordinator(client, limits, context, tasks::getCurrentTimeMillis, counters);
    }

    public void testFiveHundredDocumentsMakeFewCalls() {
        EmbedCoordinator coordinator = coordinator(LIMITS);
        Outcomes outcomes = new Outcomes();
        for (int i = 0; i < 500; i++) {
            coordinator.embed(MODEL, "text " + i, null, outcomes.of("text " + i));
        }
        assertEquals("sent at once while a call slot is free", 4, client.requests.size());
        tasks.runAllTasks();
        assertEquals(500, outcomes.vectors.size());
        assertTrue("calls: " + client.requests.size(), client.requests.size() <= 12);
        assertEquals(4, client.mostOpen);
        assertEquals(0, coordinator.waitingBytes());
    }

    public void testOneBadTextFailsAloneAndItsBatchMatesDoNot() {
        EmbedCoordinator coordinator =
                coordinator(new EmbedCoordinator.Limits(1, 64, 1 << 20, 10_000, 32 << 20, 60_000));
        Outcomes outcomes = new Outcomes();
        for (int i = 0; i < 65; i++) {
            String text = i == 40 ? "bad" : "text " + i;
            coordinator.embed(MODEL, text, null, outcomes.of(text));
        }
        tasks.runAllTasks();
        assertEquals(64, outcomes.vectors.size());
        assertEquals(ErrorCode.INVALID_REQUEST, outcomes.code("bad"));
        assertTrue("calls: " + client.requests.size(), client.requests.size() <= 2 + 2 * 6);
    }

    public void testAFullQueueAnswersAtOnce() {
        EmbedCoordinator coordinator = coordinator(new EmbedCoordinator.Limits(1, 64, 1 << 20, 2, 32 << 20, 60_000));
        Outcomes outcomes = new Outcomes();
        for (int i = 0; i < 5; i++) {
            coordinator.embed(MODEL, "text " + i, null, outcomes.of("text " + i));
        }
        assertEquals("one on the wire, two waiting, two refused", 2, outcomes.failures.size());
        assertEquals(ErrorCode.OVERLOADED, outcomes.code("text 4"));
        tasks.runAllTasks();
        assertEquals(3, outcomes.vectors.size());
    }

    public void testBytesThatWaitAreBounded() {
        EmbedCoordinator coordinator = coordinator(new EmbedCoordinator.Limits(1, 64, 1 << 20, 100, 20, 60_000));
        Outcomes outcomes = new Outcomes();
        coordinator.embed(MODEL, "12345", null, outcomes.of("12345"));
        coordinator.embed(MODEL, "1234567890", null, outcomes.of("1234567890"));
        coordinator.embed(MODEL, "x", null, outcomes.of("x"));
        assertEquals(ErrorCode.OVERLOADED, outcomes.code("x"));
        tasks.runAllTasks();
        assertEquals(2, outcomes.vectors.size());
        assertEquals(0, coordinator.waitingBytes());
    }

    public void testWhatWaitsTooLongIsNotSent() {
        EmbedCoordinator coordinator = coordinator(new EmbedCoordinator.Limits(1, 64, 1 << 20, 100, 1 << 20, 0));
        Outcomes outcomes = new Outcomes();
        coordinator.embed(MODEL, "late", null, outcomes.of("late"));
        tasks.runAllTasks();
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, outcomes.code("late"));
        assertEquals(0, client.requests.size());
    }

    public void testTextsOfDifferentTimeoutsDoNotShareACall() {
        EmbedCoordinator coordinator = coordinator(new EmbedCoordinator.Limits(1, 64, 1 << 20, 100, 1 << 20, 60_000));
        Outcomes outcomes = new Outcomes();
        for (int i = 0; i < 7; i++) {
            TimeValue timeout = TimeValue.timeValueMillis(i < 4 ? 1_000 : 2_000);
            coordinator.embed(MODEL, "text " + i, timeout, outcomes.of("text " + i));
        }
        tasks.runAllTasks();
        List<Integer> sizes =
                client.requests.stream().map(request -> request.inputs().size()).toList();
        assertEquals("the first is sent at once", List.of(1, 3, 3), sizes);
        assertEquals(7, outcomes.vectors.size());
    }

    public void testAThousandCallsThatFailAtOnceAreNoDeepStack() {
        EmbedCoordinator coordinator =
                coordinator(new EmbedCoordinator.Limits(1, 1, 1 << 20, 20_000, 32 << 20, 60_000));
        Outcomes outcomes = new Outcomes();
        for (int i = 0; i < 20_000; i++) {
            coordinator.embed(MODEL, "text " + i, null, outcomes.of("text " + i));
        }
        client.failsAtOnce = true;
        tasks.runAllTasks();
        assertEquals(1, outcomes.vectors.size());
        assertEquals(19_999, outcomes.failures.size());
    }

    public void testAServerThatIsOverloadedIsAskedLessAtOnce() {
        EmbedCoordinator coordinator = coordinator(new EmbedCoordinator.Limits(4, 1, 1 << 20, 1_000, 1 << 20, 60_000));
        client.failInHundred = 100;
        client.failure = ErrorCode.OVERLOADED;
        Outcomes outcomes = new Outcomes();
        for (int i = 0; i < 8; i++) {
            coordinator.embed(MODEL, "text " + i, null, outcomes.of("text " + i));
        }
        tasks.runAllTasks();
        client.mostOpen = 0;
        coordinator.embed(MODEL, "more", null, outcomes.of("more"));
        coordinator.embed(MODEL, "and more", null, outcomes.of("and more"));
        assertEquals(1, client.mostOpen);
        tasks.runAllTasks();
        assertEquals(10, outcomes.failures.size());
    }

    public void testCallbacksRunInTheContextOfTheirOwnDocument() {
        EmbedCoordinator coordinator = coordinator(LIMITS);
        for (String who : List.of("ann", "ben")) {
            try (ThreadContext.StoredContext ignored = context.stashContext()) {
                context.putHeader("who", who);
                coordinator.embed(
                        MODEL, who, null, ActionListener.running(() -> assertEquals(who, context.getHeader("who"))));
            }
        }
        tasks.runAllTasks();
        assertEquals(2, counters.get(Counter.INGEST_TEXTS));
    }

    public void testEveryTextIsAnsweredOnceUnderAnySchedule() {
        for (int round = 0; round < 300; round++) {
            EmbedCoordinator coordinator = coordinator(new EmbedCoordinator.Limits(
                    between(1, 4),
                    between(1, 8),
                    between(10, 200),
                    between(5, 50),
                    between(100, 2_000),
                    between(1, 300)));
            client.failInHundred = between(0, 60);
            client.failure =
                    randomFrom(ErrorCode.OVERLOADED, ErrorCode.ENDPOINT_UNREACHABLE, ErrorCode.ENDPOINT_FAILED);
            Outcomes outcomes = new Outcomes();
            int texts = between(1, 100);
            for (int i = 0; i < texts; i++) {
                String text = (between(1, 20) == 1 ? "bad " : "text ") + round + " " + i;
                TimeValue timeout = randomBoolean() ? null : TimeValue.timeValueMillis(between(1, 300));
                tasks.scheduleAt(
                        tasks.getCurrentTimeMillis() + between(1, 300),
                        () -> coordinator.embed(MODEL, text, timeout, outcomes.of(text)));
            }
            if (randomBoolean()) {
                tasks.scheduleAt(tasks.getCurrentTimeMillis() + between(1, 300), coordinator::close);
            }
            tasks.runAllTasks();
            assertEquals(texts, outcomes.told());
            assertEquals(0, coordinator.waitingBytes());
            assertEquals(0, coordinator.waitingTexts());
            assertEquals(0, client.open);
        }
    }
}
