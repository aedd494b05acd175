"""A cross-encoder as one module."""

import copy
import inspect
from dataclasses import dataclass
from typing import Any, cast

from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.cross_encoder.modules import LogitScore
from torch import Tensor, nn
from transformers import PreTrainedModel

from bicross.errors import UnsupportedArchitecture
from onnx_export.graph.unpadding import layers_without_padding


@dataclass(frozen=True)
class Reading:
    """Which of the transformer's outputs is read, and as which feature the head knows it.

    `arguments` go to the transformer with every call.
    """

    output: str
    feature: str
    arguments: dict[str, Any]


class ScoreGraph(nn.Module):
    """Logits [batch, labels]: the transformer's own, or what a head makes of its output."""

    outputs = ("logits",)

    def __init__(
        self,
        transformer: nn.Module,
        head: list[nn.Module],
        inputs: tuple[str, ...],
        reading: Reading,
        *,
        skips_padding: bool,
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.skips_padding = skips_padding
        self.head = nn.ModuleList(head)
        self.inputs = inputs
        self.reading = reading

    def forward(self, *tensors: Tensor) -> Tensor:
        features: dict[str, Any] = dict(zip(self.inputs, tensors, strict=True))
        with layers_without_padding(self.transformer, features, wanted=self.skips_padding):
            found = self.transformer(**features, **self.reading.arguments, return_dict=True)
        features[self.reading.feature] = found[self.reading.output]
        for module in self.head:
            features = module(features)
        scores: Tensor = features["scores"]
        return scores


def score_graph(model: CrossEncoder, inputs: tuple[str, ...], *, skips_padding: bool) -> ScoreGraph:
    """The original's modules, sharing its weights; of a language model's head only the rows of the
    tokens that score.

    Raises `UnsupportedArchitecture` for a language model without such rows.
    """
    first, head = cast("Transformer", model[0]), list(model.children())[1:]
    transformer: nn.Module = first.model
    ways = first.modality_config
    output = ways["message" if "message" in ways else "text"]["method_output_name"]
    arguments = {}
    if head and isinstance(head[0], LogitScore):
        taken = inspect.signature(transformer.forward).parameters
        arguments = {"logits_to_keep": 1} if "logits_to_keep" in taken else {}
        transformer, head[0] = _only_scoring_rows(first.model, head[0])
    return ScoreGraph(
        transformer,
        head,
        inputs,
        Reading(str(output), first.module_output_name, arguments),
        skips_padding=skips_padding,
    )


def _only_scoring_rows(
    language_model: PreTrainedModel, score: LogitScore
) -> tuple[nn.Module, LogitScore]:
    """The language model with a vocabulary of the one or two tokens that `score` reads."""
    tokens = [score.true_token_id]
    if score.false_token_id is not None:
        tokens.append(score.false_token_id)
    whole = language_model.get_output_embeddings()  # type: ignore[no-untyped-call]
    names = [name for name, child in language_model.named_children() if child is whole]
    if not isinstance(whole, nn.Linear) or not names:
        raise UnsupportedArchitecture(
            f"{type(language_model).__name__} has no linear layer of its own that gives the "
            "logits of tokens; only such language models are exported as rerankers"
        )
    rows = nn.Linear(whole.in_features, len(tokens), bias=whole.bias is not None)
    rows.weight = nn.Parameter(whole.weight[tokens].detach().clone())
    if whole.bias is not None:
        rows.bias = nn.Parameter(whole.bias[tokens].detach().clone())
    # A shallow copy: every other module is the original's own.
    narrow = copy.copy(language_model)
    narrow._modules = {**language_model._modules, names[0]: rows}  # noqa: SLF001
    return narrow, LogitScore(0, 1 if len(tokens) > 1 else None, score.module_input_name)
