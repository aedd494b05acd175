"""The bodies of requests and answers, as /docs shows them.

An unknown field is refused by name; a field that another server's clients send and that means
nothing here is listed, accepted and ignored.
"""

from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from bicross.bundle.heads import Activation, Similarity
from bicross.bundle.record import InputType, Task
from bicross.errors import InvalidRequest
from bicross.runtime.quantized_vectors import OutputDtype

MAX_SHOWN = 80

# Checked by texts.py, whose messages name the position.
Texts = Annotated[
    Any,
    WithJsonSchema({"anyOf": [{"type": "string"}, {"items": {"type": "string"}, "type": "array"}]}),
]
Documents = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {
                        "type": "object",
                        "properties": {"text": {"type": "string"}},
                        "required": ["text"],
                    },
                ]
            },
        }
    ),
]
Text = Annotated[Any, WithJsonSchema({"type": "string"})]
Ignored = Annotated[Any, Field(default=None, description="Accepted and ignored.")]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    model: Annotated[str, Field(min_length=1, description="A name, or name@digest.")]

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """Raises `InvalidRequest` that names the first wrong field."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            _refuse(error, sorted(cls.model_fields))


class TextsRequest(Request):
    input: Texts
    input_type: InputType = "passage"
    truncate: bool = True
    user: Ignored


class EmbeddingsRequest(TextsRequest):
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    output_dtype: OutputDtype = "float"


class SparseEmbeddingsRequest(TextsRequest):
    """`tokens` gives an object for a field of type sparse_vector, `indices` a list of pairs."""

    encoding_format: Literal["tokens", "indices"] = "tokens"


class MultiVectorRequest(TextsRequest):
    """`document` is Jina's word for a passage."""

    input_type: Literal["query", "passage", "document"] = "passage"  # type: ignore[assignment]
    embedding_type: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None


class RerankRequest(Request):
    query: Text
    documents: Documents
    top_n: Annotated[int, Field(ge=1)] | None = None
    return_documents: bool | None = None
    max_tokens_per_doc: Annotated[int, Field(ge=1)] | None = None
    truncate: bool = True
    partial: Annotated[
        bool, Field(description="At the deadline, answer with the documents scored by then.")
    ] = False
    max_chunks_per_doc: Ignored
    priority: Ignored
    rank_fields: Ignored
    user: Ignored


class Usage(BaseModel):
    total_tokens: int
    truncated: int


class EmbeddingsUsage(Usage):
    prompt_tokens: int


class EmbeddingRecord(BaseModel):
    """Numbers of the request's `output_dtype`, or their bytes in base64."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | list[int] | str


class EmbeddingsAnswer(BaseModel):
    object: Literal["list"]
    model: str
    data: list[EmbeddingRecord]
    usage: EmbeddingsUsage


class SparseWeight(BaseModel):
    """As text-embeddings-inference has it; `index` is the token's id."""

    index: int
    value: float


class SparseEmbeddingRecord(BaseModel):
    """Weights by token, heaviest first, or by index, in its order; none is 0 or below."""

    object: Literal["embedding"]
    index: int
    embedding: dict[str, float] | list[SparseWeight]


class SparseEmbeddingsAnswer(BaseModel):
    object: Literal["list"]
    model: str
    data: list[SparseEmbeddingRecord]
    usage: EmbeddingsUsage


class MultiVectorRecord(BaseModel):
    """One vector per token, in the text's order, for a field of type rank_vectors."""

    object: Literal["embedding"]
    index: int
    embeddings: list[list[float]] | list[str]


class MultiVectorAnswer(BaseModel):
    object: Literal["list"]
    model: str
    data: list[MultiVectorRecord]
    usage: EmbeddingsUsage


class DocumentRecord(BaseModel):
    text: str


class RerankResult(BaseModel):
    """`logit` is the raw output, `relevance_score` the same under the model's own activation."""

    index: int
    relevance_score: float
    logit: float
    document: DocumentRecord | None = None


class RerankAnswer(BaseModel):
    """Results best first; equal ones keep the order of the documents.

    Where the request has `partial`: whether the deadline came before all were scored, and how
    many were.
    """

    id: str
    object: Literal["list"]
    model: str
    results: list[RerankResult]
    meta: dict[str, Any]
    usage: Usage
    partial: bool | None = None
    scored: int | None = None


class ModelRecord(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "bicross"
    digest: str
    task: Task
    engine: str
    precision: str
    max_tokens: int
    dimensions: int | None = None
    offered_dimensions: tuple[int, ...] | None = None
    output_dtypes: tuple[OutputDtype, ...] | None = None
    similarity: Similarity | Literal["maxsim", "meanmaxsim"] | None = None
    activation: Activation | None = None
    ready: bool


class ModelsAnswer(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelRecord]


class ErrorRecord(BaseModel):
    message: str
    type: str
    param: str | None
    code: str


class ErrorAnswer(BaseModel):
    """Rerank's errors have `message` at the top as well."""

    error: ErrorRecord
    message: str | None = None


def _refuse(error: ValidationError, fields: list[str]) -> NoReturn:
    """Says what pydantic found, without the value: it may be a text."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = repr(str(first["loc"][0])[:MAX_SHOWN])[1:-1]
    if first["type"] == "missing":
        message = f"`{name}` is missing"
    elif first["type"] == "extra_forbidden":
        message = f"`{name}` is not a field of this request; its fields are {', '.join(fields)}"
    else:
        message = f"`{name}`: {first['msg']}"
    raise InvalidRequest(message, param=name) from None
