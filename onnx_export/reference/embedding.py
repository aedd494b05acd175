"""A SentenceTransformer's vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self, cast

import numpy as np
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from torch import nn

from bicross.bundle.layout import TOKENIZER
from bicross.bundle.record import InputType
from bicross.bundle.sequences import Sequences
from bicross.errors import UnsupportedArchitecture
from bicross.runtime import FloatArray
from onnx_export.reference import pipeline
from onnx_export.reference.original import BATCH_ROWS, Original, prompt_arguments
from onnx_export.source.spec import ModelSpec

QUERY_TOKENIZER = "query_tokenizer.json"
INPUT_TYPES: tuple[InputType, ...] = ("query", "passage")


class EmbeddingReference(Original[SentenceTransformer]):
    """Queries and passages may go through different modules."""

    @classmethod
    def of(cls, spec: ModelSpec, model: SentenceTransformer) -> Self:
        """Raises `UnsupportedArchitecture` where the two sides' vectors cannot be compared."""
        # What the model's files say is in the spec, and is told to `encode`.
        model.truncate_dim = None
        widths = {
            kind: pipeline.width(pipeline.pipeline(model, spec.routes[kind].task))
            for kind in INPUT_TYPES
        }
        if widths["query"] != widths["passage"]:
            raise UnsupportedArchitecture(
                f"{spec.folder.model}: queries have {widths['query']} dimensions and passages "
                f"{widths['passage']}; both routes must end in as many"
            )
        return cls(spec.with_dimensions(widths["passage"]), model)

    def modules(self, input_type: InputType) -> list[nn.Module]:
        return pipeline.pipeline(self.model, self.spec.routes[input_type].task)

    def entry(self, input_type: InputType) -> pipeline.Entry:
        return pipeline.entry(self.modules(input_type), self.spec.folder.model)

    @property
    def transformer(self) -> transformers.PreTrainedModel:
        """The passages'; a static embedding stands for itself."""
        first = self.entry("passage")
        found = first if isinstance(first, StaticEmbedding) else first.model
        return cast("transformers.PreTrainedModel", found)

    @property
    def padding_side(self) -> Literal["left"] | None:
        """The transformers' common side; a static embedding has none."""
        takers = [self.entry(kind) for kind in INPUT_TYPES]
        sides = {
            pipeline.tokenizer_of(taker).padding_side
            for taker in takers
            if not isinstance(taker, StaticEmbedding)
        }
        if len(sides) > 1:
            raise UnsupportedArchitecture(
                f"{self.spec.folder.model}: its routes' tokenizers pad on different sides; "
                "save them with one padding_side"
            )
        return "left" if sides == {"left"} else None

    @property
    def sequences(self) -> dict[InputType, Sequences] | None:
        """What one input type's rows have of their own."""
        found = {kind: self._rows(kind) for kind in INPUT_TYPES}
        kept = {kind: rows for kind, rows in found.items() if rows != Sequences()}
        return kept or None

    def vectors(self, texts: Sequence[str], input_type: InputType) -> FloatArray:
        """float32 [len(texts), dimensions]. What is cut short gets unit length again."""
        cut = self.spec.cut.dimensions
        found = self.model.encode(
            list(texts),
            batch_size=BATCH_ROWS,
            show_progress_bar=False,
            task=self.spec.routes[input_type].task,
            truncate_dim=cut,
            normalize_embeddings=cut is not None and self._normalizes,
            **prompt_arguments(getattr(self.spec.prompts, input_type)),
        )
        return np.asarray(found, np.float32)

    def count_tokens(self, text: str) -> int:
        first = self.entry("passage")
        if isinstance(first, StaticEmbedding):
            return len(first.tokenizer.encode(text, add_special_tokens=False))
        return len(pipeline.tokenizer_of(first).tokenize(text))

    def cut_sequences(self) -> None:
        for kind in INPUT_TYPES:
            limit = self.spec.limits[kind]
            if limit.is_cut:
                pipeline.set_longest(self.entry(kind), limit.max_tokens)

    def write_tokenizer_and_config(self, target: Path) -> None:
        """The passages' under the usual names, the queries' tokenizer beside it if it differs."""
        first = self.entry("passage")
        pieces = pipeline.backend(first, self.spec.folder.model)
        if isinstance(first, StaticEmbedding):
            pieces.save(str(target / TOKENIZER))
        else:
            self.write_transformer_files(target, pipeline.tokenizer_of(first), first.model.config)
        if self._has_query_tokenizer:
            queries = pipeline.backend(self.entry("query"), self.spec.folder.model)
            queries.save(str(target / QUERY_TOKENIZER))

    @property
    def _normalizes(self) -> bool:
        return bool(getattr(self.spec.head, "normalize", False))

    @property
    def _has_query_tokenizer(self) -> bool:
        takers = [self.entry(kind) for kind in INPUT_TYPES]
        if takers[0] is takers[1]:
            return False
        query, passage = (pipeline.backend(taker, self.spec.folder.model) for taker in takers)
        return bool(query.to_str() != passage.to_str())

    def _rows(self, input_type: InputType) -> Sequences:
        own = self.spec.limits[input_type].max_tokens
        is_static = isinstance(self.entry(input_type), StaticEmbedding)
        return Sequences(
            tokenizer=QUERY_TOKENIZER
            if input_type == "query" and self._has_query_tokenizer
            else None,
            max_tokens=own if own != self.spec.max_tokens else None,
            special_tokens=False if is_static else None,
        )
