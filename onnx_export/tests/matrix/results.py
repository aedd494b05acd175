"""The recorded matrix: what each row gave, at which commit and with which versions."""

import json
from pathlib import Path

from pydantic import Field

from bicross.bundle.record import Record

DOCS = Path(__file__).parents[3] / "docs"
RECORD = DOCS / "models.json"


class PrecisionResult(Record):
    """`cosine_gap` is 1 less the smallest cosine to the original, `tau` the smallest Kendall's."""

    cosine_gap: float
    tau: float


class RowResult(Record):
    """`failure` is why there is no bundle, and empty where there is one; `refused` names the
    precisions that their gate kept out of it.
    """

    architecture: str
    head: str
    task: str = ""
    opset: int = 0
    precisions: dict[str, PrecisionResult] = Field(default_factory=dict)
    refused: tuple[str, ...] = ()
    failure: str = ""


class MatrixResult(Record):
    commit: str
    sample: str
    versions: dict[str, str]
    rows: dict[str, RowResult]

    def write(self, file: Path = RECORD) -> None:
        file.write_text(json.dumps(self.model_dump(mode="json"), indent=1) + "\n")

    @classmethod
    def read(cls, file: Path = RECORD) -> "MatrixResult":
        return cls.model_validate_json(file.read_bytes())
