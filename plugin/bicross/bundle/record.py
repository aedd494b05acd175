"""What every record of a bundle's JSON files is made of."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bicross.bundle.layout import safe_path

# Elasticsearch's own names of the task types, and the field's own for token-level vectors.
Task = Literal["text_embedding", "sparse_embedding", "late_interaction", "rerank"]
InputType = Literal["query", "passage"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
BundlePath = Annotated[str, AfterValidator(safe_path)]
TokenId = Annotated[int, Field(ge=0)]


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
