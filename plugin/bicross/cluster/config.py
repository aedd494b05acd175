"""bicross.toml: which cluster, which models, which indices. Credentials never stand in it."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bicross.errors import UsageError

CONFIG_FILE = Path("bicross.toml")
LOCAL_NODE = "http://127.0.0.1:9200"

Task = Literal["text_embedding", "rerank"]
Similarity = Literal["cosine", "dot_product", "l2_norm", "max_inner_product"]
ModelReference = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(@[0-9a-f]{6,64})?$")
]
# What Elasticsearch takes as an index name, less the names that begin with a dot.
IndexName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,199}$")]

_SECRETS = ("api_key", "username", "password", "basic_auth", "token")


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ClusterTable(Table):
    """`url` is one address or a list of addresses of the same cluster."""

    url: str | list[str] = LOCAL_NODE
    ca_certs: str | None = None

    @model_validator(mode="before")
    @classmethod
    def secrets_stay_outside(cls, raw: object) -> object:
        if isinstance(raw, dict) and (found := sorted(set(_SECRETS) & raw.keys())):
            raise ValueError(
                f"{found[0]} may not stand in the file; set BICROSS_ES_API_KEY, or "
                "BICROSS_ES_USERNAME and BICROSS_ES_PASSWORD, in the environment"
            )
        return raw

    @field_validator("url")
    @classmethod
    def addresses_are_plain(cls, url: str | list[str]) -> str | list[str]:
        for address in addresses(url):
            if not address.startswith(("http://", "https://")):
                raise ValueError(f"{address!r} does not begin with http:// or https://")
            if "@" in address:
                raise ValueError("an address may not hold credentials; set BICROSS_ES_API_KEY")
        return url


class ModelTable(Table):
    """A model of the cluster. Dimensions and similarity only for servers that do not tell them.

    `engine` and `precision` are the deployment's choice, which its servers must run.
    """

    model_id: ModelReference
    task: Task | None = None
    dimensions: Annotated[int, Field(ge=1, le=4096)] | None = None
    similarity: Similarity | None = None
    engine: Annotated[str, Field(min_length=1)] | None = None
    precision: Annotated[str, Field(min_length=1)] | None = None


class InputOutput(Table):
    input_field: Annotated[str, Field(min_length=1)]
    output_field: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def fields_differ(self) -> Self:
        if self.input_field == self.output_field:
            raise ValueError(f"input_field and output_field are both {self.input_field!r}")
        return self


TEXT_TO_VECTOR = InputOutput(input_field="text", output_field="text_vector")


class IndexTable(Table):
    """One index behind an alias. `model` and `reranker` name a [models] table or a served model."""

    model: ModelReference
    reranker: ModelReference | None = None
    input_output: Annotated[list[InputOutput], Field(min_length=1)] = [TEXT_TO_VECTOR]
    shards: Annotated[int, Field(ge=1, le=1024)] = 1
    replicas: Annotated[int, Field(ge=0)] = 1
    similarity: Similarity | None = None
    index_options: dict[str, Any] | None = None
    properties: dict[str, Any] = {}
    settings: dict[str, Any] = {}

    @model_validator(mode="after")
    def vectors_are_ours(self) -> Self:
        outputs = [pair.output_field for pair in self.input_output]
        if repeated := sorted({field for field in outputs if outputs.count(field) > 1}):
            raise ValueError(f"input_output writes {repeated[0]!r} twice")
        if taken := sorted(set(outputs) & self.properties.keys()):
            raise ValueError(
                f"properties.{taken[0]} is a vector that deploy maps itself; use similarity and "
                "index_options to change how"
            )
        return self


class Config(Table):
    cluster: ClusterTable = ClusterTable()
    models: dict[str, ModelTable] = {}
    indices: dict[IndexName, IndexTable] = {}

    def model(self, reference: str) -> ModelTable:
        """The table of that name, else a model served under that name."""
        return self.models.get(reference) or ModelTable(model_id=reference)


def addresses(url: str | list[str]) -> list[str]:
    return [url] if isinstance(url, str) else url


def load_config(path: Path) -> Config:
    """Raises `UsageError` that names the file and the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read ({error}); name another file by --config"
        ) from None
    return parse_config(text, str(path))


def load_config_or_default(path: Path) -> Config:
    """An empty configuration, the local node's, where no file was made yet."""
    return load_config(path) if path.exists() or path != CONFIG_FILE else Config()


def parse_config(text: str, source: str = str(CONFIG_FILE)) -> Config:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source} is not TOML: {error}") from None
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        raise UsageError(f"{source}: {_first_fault(error)}") from None


def _first_fault(error: ValidationError) -> str:
    """`indices.docs.shards: Input should be …, found 0`; the keys allowed where one is unknown."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part != "[key]"]
    key = ".".join(place) or "the file"
    if first["type"] == "extra_forbidden":
        allowed = ", ".join(_allowed_keys(place))
        return f"{key} is not a key of bicross.toml; allowed here: {allowed}"
    if first["type"] == "missing":
        return f"{key} is required"
    if first["type"] == "value_error":
        # Ours, and it says what was found; the input itself may hold what must not be shown.
        return f"{key}: {first['msg'].removeprefix('Value error, ')}"
    found = first["input"]
    shown = f", found {found!r}" if isinstance(found, str | int | float | bool) else ""
    return f"{key}: {first['msg']}{shown}"


def _allowed_keys(place: list[str]) -> list[str]:
    tables: dict[tuple[str, int], type[Table]] = {
        ("cluster", 2): ClusterTable,
        ("models", 3): ModelTable,
        ("indices", 3): IndexTable,
        ("indices", 5): InputOutput,
    }
    return sorted(tables.get((place[0], len(place)), Config).model_fields)
