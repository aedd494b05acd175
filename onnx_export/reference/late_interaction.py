"""A MultiVectorEncoder's token vectors."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from torch import nn

from bicross.bundle.heads import LateInteraction
from bicross.bundle.record import InputType
from bicross.bundle.sequences import Expansion, Sequences
from bicross.errors import UnsupportedArchitecture
from bicross.runtime import FloatArray
from onnx_export.reference.original import BATCH_ROWS, Original, prompt_arguments
from onnx_export.source.prompts import PromptChoice, PromptChoices
from onnx_export.source.spec import ModelSpec

TASKS: dict[InputType, str] = {"query": "query", "passage": "document"}
TOKENS = "token_embeddings"


class LateInteractionReference(Original[MultiVectorEncoder]):
    @classmethod
    def of(cls, spec: ModelSpec, model: MultiVectorEncoder) -> "LateInteractionReference":
        """With what the library has found of lengths, prompts, skipped tokens and expansion.

        Raises `UnsupportedArchitecture`, naming the part, for what a bundle cannot say.
        """
        first = model[0]
        if not isinstance(first, Transformer) or not isinstance(spec.head, LateInteraction):
            raise TypeError(spec.name)
        _require_known(spec.folder.model, model, first)
        _cut(first, spec)
        prompts = PromptChoices(
            _loaded_prompt(model, spec.prompts.query, "query"),
            _loaded_prompt(model, spec.prompts.passage, "document"),
        )
        most = first.document_length or spec.max_tokens
        sequences = _query_rows(first, most, spec)
        head = _head(spec.head, model, prompts)
        own = replace(spec, head=head, prompts=prompts, max_tokens=most, sequences=sequences)
        return cls(own, model)

    @property
    def sequences(self) -> dict[InputType, Sequences] | None:
        return self.spec.sequences

    def cut_sequences(self) -> None:
        """Done by `of`, since each input type has a length of its own."""

    @property
    def head_modules(self) -> list[nn.Module]:
        """What makes a transformer's output token vectors; the mask is the runtime's work."""
        later = list(self.model)[1:]
        return [module for module in later if not isinstance(module, MultiVectorMask)]

    def matrices(self, texts: Sequence[str], input_type: InputType) -> list[FloatArray]:
        """float32 [tokens, dimensions] for each text, without the tokens that are skipped."""
        found = self.model.encode(
            list(texts),
            batch_size=BATCH_ROWS,
            show_progress_bar=False,
            convert_to_numpy=True,
            task=TASKS[input_type],
            **prompt_arguments(getattr(self.spec.prompts, input_type)),
        )
        return [np.asarray(rows, np.float32) for rows in found]


def _loaded_prompt(model: MultiVectorEncoder, choice: PromptChoice, default: str) -> PromptChoice:
    """The library's own text: it makes prompts of the marker tokens of older layouts."""
    name = choice.name or ("" if choice.text else default)
    text = model.prompts.get(name) or ""
    return PromptChoice(text, name) if text else choice


def _head(
    head: LateInteraction, model: MultiVectorEncoder, prompts: PromptChoices
) -> LateInteraction:
    shaping = [module for module in model if isinstance(module, Dense | Normalize)]
    return head.model_copy(
        update={
            "dimensions": int(model.get_embedding_dimension() or 0),
            "similarity": model.similarity_fn_name,
            "normalize": isinstance(shaping[-1], Normalize),
            "prompts": prompts.texts,
            "skip_query_ids": _skipped(model, "query"),
            "skip_passage_ids": _skipped(model, "document"),
        }
    )


def _skipped(model: MultiVectorEncoder, task: str) -> tuple[int, ...]:
    ids: set[int] = set()
    for module in model:
        if isinstance(module, MultiVectorMask) and task in module.skiplist_tasks:
            found = module._skiplist_ids  # noqa: SLF001  the ids have no other name
            ids |= set() if found is None else set(found.tolist())
    return tuple(sorted(ids))


def _query_rows(
    first: Transformer, most: int, spec: ModelSpec
) -> dict[InputType, Sequences] | None:
    """How queries' rows differ from passages', which have `most` tokens."""
    expansion = first.query_expansion
    longest = first.query_length or spec.max_tokens
    found: Expansion | None = None
    if expansion is not None:
        token = _expansion_token(first, expansion["token"])
        length = int(expansion["length"])
        longest = length if expansion["strategy"] == "fixed" else max(longest, length)
        found = Expansion(length=length, token_id=token, attended=bool(expansion["attend"]))
    if found is None and longest == most:
        return None
    rows = Sequences(max_tokens=None if longest == most else longest, expansion=found)
    return {"query": rows}


def _expansion_token(first: Transformer, token: str | None) -> int:
    """As the library chooses it: the one that is named, else a mask, else an end of sequence."""
    tokenizer: Any = first.tokenizer
    if token is not None:
        return int(tokenizer.convert_tokens_to_ids(token))
    mask = tokenizer.mask_token_id
    return int(tokenizer.eos_token_id if mask is None else mask)


def _cut(first: Transformer, spec: ModelSpec) -> None:
    """The library takes a length of its own for longer than the model has positions."""
    most = spec.max_tokens
    first.max_seq_length = most
    first.document_length = min(first.document_length or most, most)
    if first.query_expansion is None:
        first.query_length = min(first.query_length or most, most)
    elif first.query_length is not None:
        first.query_length = max(min(first.query_length, most), first.query_expansion["length"])


def _require_known(who: str, model: MultiVectorEncoder, first: Transformer) -> None:
    if "message" in first.modality_config:
        raise UnsupportedArchitecture(
            f"{who}: its texts go through a chat template, which is not exported for token vectors"
        )
    masks = [module for module in model if isinstance(module, MultiVectorMask)]
    if any(mask.keep_only_token_ids for mask in masks):
        raise UnsupportedArchitecture(
            f"{who}: MultiVectorMask keeps only the tokens of pictures (keep_only_token_ids); "
            "exported are models of text"
        )
    left = first.tokenizer is not None and first.tokenizer.padding_side == "left"
    if first.query_expansion is not None and (left or not masks):
        reason = "pads on the left" if left else "has no MultiVectorMask, which scores its tokens"
        raise UnsupportedArchitecture(f"{who}: query expansion, and the model {reason}")
    for module in model:
        if isinstance(module, Dense | Normalize) and {
            module.module_input_name,
            module.module_output_name,
        } != {TOKENS}:
            raise UnsupportedArchitecture(
                f"{who}: {type(module).__name__} reads {module.module_input_name}; in a "
                f"late-interaction model it must read and write {TOKENS}"
            )
