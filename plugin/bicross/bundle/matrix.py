"""Rows of numbers in a JSON file, every bit of them."""

import base64
import sys
from array import array
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from bicross.bundle.record import Record

Rows = Sequence[Sequence[float]]
FLOAT_BYTES = 4


class Matrix(Record):
    """Rows of float32: base64 of little-endian bytes, as embeddings travel on the wire."""

    columns: Annotated[int, Field(ge=1)]
    base64: str

    @model_validator(mode="after")
    def holds_whole_rows(self) -> Self:
        size = len(base64.b64decode(self.base64, validate=True))
        if not size or size % (FLOAT_BYTES * self.columns):
            raise ValueError(f"{size} bytes are no rows of {self.columns} float32")
        return self

    @classmethod
    def of(cls, rows: Rows) -> Self:
        flat = array("f", [value for row in rows for value in row])
        if sys.byteorder == "big":
            flat.byteswap()
        return cls(columns=len(rows[0]), base64=base64.b64encode(flat.tobytes()).decode("ascii"))

    def rows(self) -> list[list[float]]:
        flat = array("f", base64.b64decode(self.base64, validate=True))
        if sys.byteorder == "big":
            flat.byteswap()
        return [
            list(flat[start : start + self.columns]) for start in range(0, len(flat), self.columns)
        ]
