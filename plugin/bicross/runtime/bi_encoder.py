"""Texts to vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bicross.bundle import Bundle
from bicross.bundle.record import InputType
from bicross.errors import InvalidManifest, InvalidRequest, UsageError
from bicross.runtime.batching import pad, plan_batches
from bicross.runtime.session import FloatArray, Session
from bicross.runtime.tokenization import Tokenizer, TokenSequence


@dataclass(frozen=True)
class BiEncoder:
    bundle: Bundle
    precision: str
    session: Session
    tokenizer: Tokenizer
    dimensions: int

    @classmethod
    def load(cls, bundle: Bundle, precision: str = "fp32", threads: int | None = None) -> Self:
        """A working encoder, or a `BundleError`. `threads` defaults to the cores available."""
        embedding = bundle.manifest.embedding
        if embedding is None:
            raise UsageError(f"bundle {bundle.manifest.name} is for {bundle.manifest.task}")
        session = Session.load(bundle, precision, threads)
        _require_width(session, session.output_width or embedding.dimensions, embedding.dimensions)
        return cls(bundle, precision, session, Tokenizer.load(bundle), embedding.dimensions)

    def encode(
        self, texts: Sequence[str], input_type: InputType, *, dimensions: int | None = None
    ) -> FloatArray:
        """Vectors of shape [len(texts), dimensions], float32, in the order of `texts`.

        Each text follows the bundle's prompt of `input_type`; one longer than `max_tokens` is cut.
        Raises `InvalidRequest` for other `dimensions` than the model's.
        """
        self.require_dimensions(dimensions)
        sequences = self.tokenize(texts, input_type)
        result = np.empty((len(texts), self.dimensions), np.float32)
        for batch in plan_batches([sequence.length for sequence in sequences]):
            result[batch] = self.run([sequences[index] for index in batch])
        return result

    def tokenize(self, texts: Sequence[str], input_type: InputType) -> list[TokenSequence]:
        return self.tokenizer.encode_texts(texts, self.prompt(input_type))

    def prompt(self, input_type: InputType) -> str:
        """What the model wants before a text of `input_type`; empty where it wants nothing."""
        embedding = self.bundle.manifest.embedding
        return getattr(embedding.prompts, input_type) if embedding else ""

    def run(self, sequences: Sequence[TokenSequence]) -> FloatArray:
        """One run of the model: [len(sequences), dimensions]. At least one sequence."""
        vectors = self.session.run(pad(sequences, self.tokenizer.pad_id))
        _require_width(self.session, vectors.shape[-1], self.dimensions)
        return vectors

    def require_dimensions(self, dimensions: int | None) -> None:
        if dimensions not in {None, self.dimensions}:
            raise InvalidRequest(
                f"`dimensions` {dimensions} is not offered; "
                f"{self.bundle.manifest.name} gives {self.dimensions}",
                param="dimensions",
            )


def _require_width(session: Session, found: int, dimensions: int) -> None:
    if found != dimensions:
        raise InvalidManifest(
            f"{session.who}: the graph's {session.output} has {found} dimensions "
            f"but manifest.json says {dimensions}; export again"
        )
