"""The one place where an error becomes a status, a body and headers."""

import logging
import math
import traceback
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bicross.errors import (
    BodyTooLarge,
    DeadlineExceeded,
    InvalidApiKey,
    MethodNotAllowed,
    ModelFailed,
    Overloaded,
    RequestError,
    RouteNotFound,
)

LOG = logging.getLogger("bicross.server")

# nginx's number for a client that left: nobody reads it but the metrics.
CLIENT_LEFT = 499
# After these the rest of a body may still be on its way; the connection cannot be used again.
CLOSING = (BodyTooLarge, DeadlineExceeded, Overloaded)


def failure_response(error: Exception, path: str) -> Response:
    """The answer to `error` on `path`; what nobody foresaw is logged by type and place alone.

    The message of such an error stays out of the log and the answer, for it may quote a text.
    """
    if isinstance(error, ClientDisconnect):
        return Response(status_code=CLIENT_LEFT)
    known = _known(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if known.retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(known.retry_after_s)))
    if isinstance(known, InvalidApiKey):
        headers["www-authenticate"] = "Bearer"
    if isinstance(known, CLOSING) and known.param == "body":
        headers["connection"] = "close"
    return Response(
        orjson.dumps(failure_body(known, path)),
        known.status,
        headers,
        media_type="application/json",
    )


def failure_body(error: RequestError, path: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "error": {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
        }
    }
    # Cohere's clients read it there.
    return {"message": error.message, **body} if path.endswith("/rerank") else body


def code_of(error: Exception) -> str:
    return "client_left" if isinstance(error, ClientDisconnect) else _known(error).code


def _known(error: Exception) -> RequestError:
    if isinstance(error, RequestError):
        return error
    if isinstance(error, HTTPException):
        if error.status_code == MethodNotAllowed.status:
            allowed = (error.headers or {}).get("Allow", "")
            return MethodNotAllowed(f"this path takes {allowed}")
        return RouteNotFound("no such path; see /docs for the paths of this server")
    place = "".join(traceback.format_tb(error.__traceback__))
    LOG.error("unforeseen %s:\n%s", type(error).__name__, place)
    return ModelFailed("the server failed; its log says where")
