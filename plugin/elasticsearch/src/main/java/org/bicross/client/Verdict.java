package org.bicross.client;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import org.bicross.BicrossSettings;
import org.bicross.CallFailure;
import org.bicross.ErrorCode;
import org.bicross.protocol.ProtocolException;
import org.bicross.protocol.ServerError;
import org.elasticsearch.common.settings.Setting;

/**
 * What one failed attempt means: the one table from trouble to error code, retry and the URL's reputation.
 *
 * @param failure what the caller is told if no retry helps
 * @param mayRetry whether another attempt could do better
 * @param waitMs how long the server asked to be left alone first
 * @param countsAgainstUrl whether five of these in a row rest the URL
 * @param isUnbegun no server was reached, or the connection broke before the answer began: tried again at once, and free
 *     of the retry budget, which bounds what retries add to servers at work
 */
record Verdict(CallFailure failure, boolean mayRetry, long waitMs, boolean countsAgainstUrl, boolean isUnbegun) {
    static CallFailure late(Route route, Deadline deadline) {
        return new CallFailure(
                ErrorCode.DEADLINE_EXCEEDED,
                route.about("did not answer within " + deadline.lengthMs()
                        + " ms; raise " + (deadline.isBudget() ? "[budget]" : "the timeout")
                        + " or lower the load or the window"));
    }

    /** No answer at all. */
    static Verdict ofTrouble(Route route, Endpoint endpoint, Deadline deadline, Exception trouble) {
        if (trouble instanceof CappedBody.TooLongException) {
            return new Verdict(badAnswer(route, endpoint, trouble.getMessage()), false, 0, true, false);
        }
        boolean connecting = trouble instanceof ConnectException || trouble instanceof HttpConnectTimeoutException;
        if (connecting == false && (trouble instanceof TimeoutException || trouble instanceof HttpTimeoutException)) {
            return new Verdict(late(route, deadline), false, 0, true, false);
        }
        if (trouble instanceof IOException) {
            String how = connecting ? "cannot be reached" : "broke the connection";
            CallFailure failure = new CallFailure(
                    ErrorCode.ENDPOINT_UNREACHABLE,
                    route.about(how + reason(trouble.getMessage()) + "; check ["
                            + endpoint.settingKey(BicrossSettings.URLS) + "] and that the server runs"));
            return new Verdict(failure, true, 0, true, connecting || trouble instanceof HttpCalls.NoAnswerException);
        }
        String kind = trouble.getClass().getSimpleName();
        return new Verdict(
                new CallFailure(ErrorCode.ENDPOINT_FAILED, route.about("was not asked: the node threw " + kind)),
                false,
                0,
                false,
                false);
    }

    /** An answer of status 200 that is not what was asked for. */
    static Verdict ofUnreadable(Route route, Exception unreadable) {
        if (unreadable instanceof CallFailure failure) {
            return new Verdict(failure, false, 0, true, false);
        }
        String what = unreadable instanceof ProtocolException
                ? unreadable.getMessage()
                : "the answer could not be read: " + unreadable.getClass().getSimpleName();
        return new Verdict(badAnswer(route, route.endpoints().get(0), what), false, 0, true, false);
    }

    static Verdict ofAnswer(Route route, Endpoint endpoint, HttpAnswer answer) {
        int status = answer.status();
        if (status == 200) {
            return new Verdict(badAnswer(route, endpoint, "the answer has a Content-Encoding"), false, 0, true, false);
        }
        ServerError error = endpoint.config.dialect().readError(answer.body());
        String said = "answered " + status + reason(error.message());
        return switch (status) {
            case 429 ->
                new Verdict(
                        new CallFailure(ErrorCode.OVERLOADED, route.about(said)),
                        true,
                        answer.retryAfterMs(),
                        false,
                        false);
            case 503, 502 ->
                new Verdict(
                        new CallFailure(ErrorCode.ENDPOINT_UNREACHABLE, route.about(said)),
                        true,
                        answer.retryAfterMs(),
                        true,
                        false);
            case 504 -> ofGatewayTimeout(route, error, said);
            case 400, 413, 422 ->
                new Verdict(
                        new CallFailure(callersFault(error), route.about(said), error.param()), false, 0, false, false);
            case 401, 403 -> misconfigured(route, endpoint, BicrossSettings.API_KEY, said);
            default -> ofOther(route, endpoint, status, error, said);
        };
    }

    private static Verdict ofGatewayTimeout(Route route, ServerError error, String said) {
        boolean ours = ErrorCode.DEADLINE_EXCEEDED.code().equals(error.code());
        ErrorCode code = ours ? ErrorCode.DEADLINE_EXCEEDED : ErrorCode.ENDPOINT_UNREACHABLE;
        return new Verdict(new CallFailure(code, route.about(said)), ours == false, 0, true, false);
    }

    private static Verdict ofOther(Route route, Endpoint endpoint, int status, ServerError error, String said) {
        if (status >= 500 || status == 424) { // 424: how text-embeddings-inference says that its model failed
            return new Verdict(new CallFailure(ErrorCode.ENDPOINT_FAILED, route.about(said)), false, 0, true, false);
        }
        boolean model = ErrorCode.MODEL_NOT_FOUND.code().equals(error.code());
        if (model) {
            return misconfigured(route, endpoint, BicrossSettings.MODELS, said);
        }
        boolean moved = status >= 300 && status < 400;
        return misconfigured(route, endpoint, moved ? BicrossSettings.URLS : BicrossSettings.EMBEDDINGS_PATH, said);
    }

    private static Verdict misconfigured(Route route, Endpoint endpoint, Setting.AffixSetting<?> setting, String said) {
        String key = endpoint.settingKey(setting).replace("path.embeddings", "path.*");
        return new Verdict(
                new CallFailure(ErrorCode.ENDPOINT_MISCONFIGURED, route.about(said + "; check [" + key + "]")),
                false,
                0,
                false,
                false);
    }

    private static CallFailure badAnswer(Route route, Endpoint endpoint, String what) {
        return new CallFailure(
                ErrorCode.BAD_ANSWER,
                route.about("gave a bad answer: " + what + "; check [" + endpoint.settingKey(BicrossSettings.DIALECT)
                        + "]"));
    }

    /** The server's own code where it is one of ours that puts the fault on the caller. */
    private static ErrorCode callersFault(ServerError error) {
        for (ErrorCode code : ErrorCode.values()) {
            if (code.isCallersFault()
                    && code.code()
                            .equals(error.code() == null ? "" : error.code().toLowerCase(Locale.ROOT))) {
                return code;
            }
        }
        return ErrorCode.INVALID_REQUEST;
    }

    private static String reason(String message) {
        return message == null ? "" : ": " + ServerError.shortened(message);
    }
}
