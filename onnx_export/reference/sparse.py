"""A SparseEncoder's token weights."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import transformers
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
from torch import nn

from bicross.bundle.heads import Sparse
from bicross.bundle.layout import CONFIG, TOKENIZER
from bicross.bundle.record import InputType
from bicross.bundle.sequences import Sequences
from bicross.errors import UnsupportedArchitecture
from bicross.runtime import FloatArray
from onnx_export.reference import pipeline
from onnx_export.reference.original import BATCH_ROWS, Original, prompt_arguments
from onnx_export.source.spec import ModelSpec

INPUT_TYPES: tuple[InputType, ...] = ("query", "passage")
QUERY_TOKENIZER = "query_tokenizer.json"
Entry = Transformer | SparseStaticEmbedding


class SparseReference(Original[SparseEncoder]):
    """Each side is a Transformer with its SpladePooling, or a SparseStaticEmbedding alone."""

    @classmethod
    def of(cls, spec: ModelSpec, model: SparseEncoder) -> "SparseReference":
        """With the dimensions that the loaded model has.

        Raises `UnsupportedArchitecture` where the two sides' weights cannot be compared.
        """
        if not isinstance(spec.head, Sparse):
            raise TypeError(spec.name)
        reference = cls(spec, model)
        widths = {kind: reference._width(kind) for kind in INPUT_TYPES}
        if widths["query"] != widths["passage"]:
            raise UnsupportedArchitecture(
                f"{spec.folder.model}: queries have {widths['query']} dimensions and passages "
                f"{widths['passage']}; give both the same vocabulary"
            )
        head = spec.head.model_copy(update={"dimensions": widths["passage"]})
        return cls(replace(spec, head=head), model)

    def modules(self, input_type: InputType) -> list[nn.Module]:
        return pipeline.pipeline(self.model, self.spec.routes[input_type].task)

    def entry(self, input_type: InputType) -> Entry:
        first = self.modules(input_type)[0]
        if not isinstance(first, Transformer | SparseStaticEmbedding):
            raise TypeError(self.spec.name)
        return first

    @property
    def transformer(self) -> transformers.PreTrainedModel:
        """The passages'; a table stands for itself."""
        first = self.entry("passage")
        found = first if isinstance(first, SparseStaticEmbedding) else first.model
        return cast("transformers.PreTrainedModel", found)

    @property
    def padding_side(self) -> Literal["left"] | None:
        tokenizer: Any = self.entry("passage").tokenizer
        return "left" if tokenizer.padding_side == "left" else None

    @property
    def sequences(self) -> dict[InputType, Sequences] | None:
        found = {kind: self._rows(kind) for kind in INPUT_TYPES}
        return {kind: rows for kind, rows in found.items() if rows != Sequences()} or None

    def vectors(self, texts: Sequence[str], input_type: InputType) -> FloatArray:
        """float32 [len(texts), dimensions], most of it 0."""
        found = self.model.encode(
            list(texts),
            batch_size=BATCH_ROWS,
            show_progress_bar=False,
            convert_to_sparse_tensor=False,
            task=self.spec.routes[input_type].task,
            **prompt_arguments(getattr(self.spec.prompts, input_type)),
        )
        return np.asarray(found, np.float32)

    def count_tokens(self, text: str) -> int:
        tokenizer: Any = self.entry("passage").tokenizer
        return len(tokenizer.tokenize(text))

    def cut_sequences(self) -> None:
        for kind in INPUT_TYPES:
            limit = self.spec.limits[kind]
            if limit.is_cut:
                tokenizer: Any = self.entry(kind).tokenizer
                tokenizer.model_max_length = limit.max_tokens

    def write_tokenizer_and_config(self, target: Path) -> None:
        """The passages' under the usual names, the queries' tokenizer beside it if it differs."""
        first, who = self.entry("passage"), self.spec.folder.model
        if isinstance(first, SparseStaticEmbedding):
            pipeline.backend(first, who).save(str(target / TOKENIZER))
            (target / CONFIG).unlink(missing_ok=True)
        else:
            tokenizer: Any = first.tokenizer
            self.write_transformer_files(target, tokenizer, first.model.config)
        if self._has_query_tokenizer:
            pipeline.backend(self.entry("query"), who).save(str(target / QUERY_TOKENIZER))

    @property
    def _has_query_tokenizer(self) -> bool:
        takers = [self.entry(kind) for kind in INPUT_TYPES]
        if takers[0] is takers[1]:
            return False
        pieces = [pipeline.backend(taker, self.spec.folder.model).to_str() for taker in takers]
        return bool(pieces[0] != pieces[1])

    def _rows(self, input_type: InputType) -> Sequences:
        own = self.spec.limits[input_type].max_tokens
        apart = input_type == "query" and self._has_query_tokenizer
        is_table = isinstance(self.entry(input_type), SparseStaticEmbedding)
        return Sequences(
            tokenizer=QUERY_TOKENIZER if apart else None,
            max_tokens=own if own != self.spec.max_tokens else None,
            special_tokens=False if is_table else None,
        )

    def _width(self, input_type: InputType) -> int:
        first, *rest = self.modules(input_type)
        who = self.spec.folder.model
        if isinstance(first, SparseStaticEmbedding) and not rest:
            if bool((first.weight < 0).any()):
                raise UnsupportedArchitecture(
                    f"{who}: SparseStaticEmbedding has weights below 0, which no index takes"
                )
            return int(first.num_dimensions)
        if isinstance(first, Transformer) and [type(module) for module in rest] == [SpladePooling]:
            _require_plain(who, first, input_type)
            return int(first.model.config.vocab_size)
        names = ", ".join(type(module).__name__ for module in (first, *rest))
        raise UnsupportedArchitecture(
            f"{who}: a {input_type} goes through {names}; exported are a Transformer and its "
            "SpladePooling, or a SparseStaticEmbedding"
        )


def _require_plain(who: str, first: Transformer, input_type: InputType) -> None:
    """Raises `UnsupportedArchitecture` for rows that are made in another way than by a limit."""
    way: Any = first.modality_config.get("text") or {}
    if "message" in first.modality_config or way.get("method_output_name") != "logits":
        raise UnsupportedArchitecture(
            f"{who}: {type(first.model).__name__} gives no logits for a plain text; exported are "
            "masked language models"
        )
    named = {"query": first.query_length, "passage": first.document_length}
    if named[input_type] is not None or first.query_expansion is not None:
        raise UnsupportedArchitecture(
            f"{who}: its Transformer has lengths or an expansion by task, without which sparse "
            "encoders are exported; set query_length, document_length and query_expansion to null"
        )
