"""What /docs says about a route whose body we read ourselves, within limits."""

from typing import Any

from pydantic import BaseModel

from bicross.server.endpoints.schemas import ErrorAnswer

ERROR_STATUSES = {
    400: "A field is wrong: `param` names it.",
    401: "The API key is missing or wrong.",
    404: "No such model.",
    413: "Over a limit, which the message names.",
    429: "A queue is full, or too long for the deadline: see Retry-After.",
    503: "Not ready, or shutting down.",
    504: "The deadline passed.",
}


def documented(request: type[BaseModel], answer: type[BaseModel]) -> dict[str, Any]:
    """Keyword arguments of FastAPI's route decorators."""
    schema = request.model_json_schema()
    return {
        "openapi_extra": {
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema}},
            }
        },
        "responses": {
            200: {"model": answer},
            **{
                status: {"model": ErrorAnswer, "description": meaning}
                for status, meaning in ERROR_STATUSES.items()
            },
        },
    }
