"""Rows of what may follow, or stand instead of, a bi-encoder's transformer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sentence_transformers
import torch
from safetensors.torch import save_file
from sentence_transformers.base.modules import Dense, Normalize, Router, Transformer
from sentence_transformers.sentence_transformer.modules import (
    LayerNorm,
    Pooling,
    StaticEmbedding,
)
from torch import nn

from onnx_export.source.spec import Options
from onnx_export.tests.matrix.architectures import BERT, HIDDEN, QWEN3, ROBERTA
from onnx_export.tests.matrix.comparing import compare_cut_vectors, compare_vectors
from onnx_export.tests.matrix.row import Compare, Row
from onnx_export.tests.matrix.workshop import MAX_TOKENS, SPREAD, Workshop, draw

EVERY_POOLING = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
# The architectures' rows try them all.
PRECISIONS = ("fp16", "int8")
PROMPTS = {"query": "query: ", "document": "represent this passage: "}
# One layer: what is proven here stands behind it, and the exporter takes its time for each.
SHALLOW_BERT, SHALLOW_QWEN, SHALLOW_ROBERTA = (
    replace(each, name=f"{each.name} shallow", sizes=each.sizes | {"num_hidden_layers": 1})
    for each in (BERT, QWEN3, ROBERTA)
)
Build = Callable[[Workshop], Sequence[nn.Module]]


@dataclass(frozen=True)
class Head:
    """`modules` are a whole model's, its transformer included."""

    id: str
    architecture: str
    says: str
    modules: Build
    prompts: dict[str, str] | None = None
    options: Options = field(default_factory=Options)
    compare: Compare = compare_vectors

    def row(self) -> Row:
        return Row(
            f"head-{self.id}",
            self.architecture,
            self.says,
            self._build,
            self.compare,
            self.options,
            PRECISIONS,
        )

    def _build(self, workshop: Workshop) -> Path:
        def write(folder: Path) -> None:
            model = sentence_transformers.SentenceTransformer(
                modules=list(self.modules(workshop)), prompts=self.prompts, device="cpu"
            )
            model.save(str(folder), create_model_card=False)

        return workshop.folder(f"head-{self.id}", write)


def bert(workshop: Workshop) -> nn.Module:
    return transformer(SHALLOW_BERT.build(workshop))


def qwen(workshop: Workshop) -> nn.Module:
    return transformer(SHALLOW_QWEN.build(workshop))


def roberta(workshop: Workshop) -> nn.Module:
    """With half of the others' longest sequence."""
    return transformer(SHALLOW_ROBERTA.build(workshop), MAX_TOKENS // 2)


def transformer(base: Path, max_tokens: int = MAX_TOKENS) -> nn.Module:
    made: nn.Module = Transformer(str(base), max_seq_length=max_tokens)
    return made


def pooling(*modes: str, include_prompt: bool = True) -> nn.Module:
    names: Any = modes
    made: nn.Module = Pooling(HIDDEN, names, include_prompt=include_prompt)
    return made


def dense(
    width: int, dimensions: int, activation: nn.Module | None = None, on: str | None = None
) -> nn.Module:
    """Seeded by its dimensions, so that two of them differ."""
    made = Dense(
        width,
        dimensions,
        activation_function=activation or nn.Identity(),
        module_input_name=on or "sentence_embedding",
    )
    return draw(made, SPREAD, seed=dimensions)


def static(workshop: Workshop) -> nn.Module:
    """Without special tokens, however long the text."""
    pieces = workshop.vocabularies.bert.backend_tokenizer
    return draw(StaticEmbedding(pieces, embedding_dim=HIDDEN), SPREAD)


def model2vec_folder(workshop: Workshop) -> Path:
    """model2vec's own layout: rows shared by several tokens, and a weight for each token."""

    def write(folder: Path) -> None:
        folder.mkdir()
        vocabulary = workshop.vocabularies.bert
        source = torch.Generator().manual_seed(11)
        size, rows = len(vocabulary), len(vocabulary) // 2
        tensors = {
            "embeddings": torch.randn(rows, HIDDEN, generator=source).half(),
            "mapping": torch.randint(rows, (size,), generator=source),
            "weights": torch.rand(size, generator=source),
        }
        save_file(tensors, folder / "model.safetensors")
        vocabulary.backend_tokenizer.save(str(folder / "tokenizer.json"))
        about = {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True}
        (folder / "config.json").write_text(json.dumps(about))
        names = ("StaticEmbedding", ""), ("Normalize", "1_Normalize")
        modules = [
            {
                "idx": index,
                "name": str(index),
                "path": path,
                "type": f"sentence_transformers.models.{name}",
            }
            for index, (name, path) in enumerate(names)
        ]
        (folder / "modules.json").write_text(json.dumps(modules))

    return workshop.folder("head-model2vec", write)


def routed(query: Build, passage: Build, *shared: nn.Module) -> Build:
    def build(workshop: Workshop) -> list[nn.Module]:
        sides: dict[str, Any] = {
            "query": list(query(workshop)),
            "document": list(passage(workshop)),
        }
        return [Router(sides), *shared]

    return build


HEADS = (
    Head(
        "every-pooling",
        BERT.name,
        f"{' + '.join(EVERY_POOLING)}",
        lambda workshop: [bert(workshop), pooling(*EVERY_POOLING)],
    ),
    Head(
        "every-pooling-left",
        QWEN3.name,
        f"{' + '.join(EVERY_POOLING)}, padded on the left",
        lambda workshop: [qwen(workshop), pooling(*EVERY_POOLING)],
    ),
    Head(
        "dense",
        BERT.name,
        "mean, Dense with tanh, Dense with GELU, LayerNorm",
        lambda workshop: [
            bert(workshop),
            pooling("mean"),
            dense(HIDDEN, 24, activation=nn.Tanh()),
            dense(24, 40, activation=nn.GELU()),
            draw(LayerNorm(40), SPREAD),
        ],
    ),
    Head(
        "token-dense",
        BERT.name,
        "Dense on tokens, max, normalised",
        lambda workshop: [
            bert(workshop),
            dense(HIDDEN, HIDDEN, on="token_embeddings"),
            pooling("max"),
            Normalize(),
        ],
    ),
    Head(
        "prompts",
        BERT.name,
        "prompts, cls, normalised",
        lambda workshop: [bert(workshop), pooling("cls"), Normalize()],
        PROMPTS,
    ),
    Head(
        "prompts-not-pooled",
        BERT.name,
        f"prompts left out of {' + '.join(EVERY_POOLING)}",
        lambda workshop: [bert(workshop), pooling(*EVERY_POOLING, include_prompt=False)],
        PROMPTS,
    ),
    Head(
        "prompts-not-pooled-left",
        QWEN3.name,
        f"prompts left out of {' + '.join(EVERY_POOLING)}, padded on the left",
        lambda workshop: [qwen(workshop), pooling(*EVERY_POOLING, include_prompt=False)],
        PROMPTS,
    ),
    Head(
        "matryoshka",
        BERT.name,
        "mean, normalised, cut to 24 dimensions, 16 on request",
        lambda workshop: [bert(workshop), pooling("mean"), Normalize()],
        options=Options(dimensions=24, matryoshka=(16,)),
        compare=compare_cut_vectors(24, 16),
    ),
    Head(
        "static",
        "StaticEmbedding",
        "mean of static tokens, normalised",
        lambda workshop: [static(workshop), Normalize()],
        options=Options(max_tokens=256),
    ),
    Head(
        "router-static",
        "Router",
        "queries: StaticEmbedding, passages: BERT with mean, both normalised",
        routed(
            lambda workshop: [static(workshop)],
            lambda workshop: [bert(workshop), pooling("mean")],
            Normalize(),
        ),
        options=Options(max_tokens=MAX_TOKENS),
    ),
    Head(
        "router-transformers",
        "Router",
        "queries: RoBERTa with cls, passages: BERT with mean, each with prompts",
        routed(
            lambda workshop: [roberta(workshop), pooling("cls")],
            lambda workshop: [bert(workshop), pooling("mean")],
            Normalize(),
        ),
        PROMPTS,
    ),
    Head(
        "router-dense",
        "Router",
        "BERT with mean, a Dense for queries and one for passages, normalised",
        lambda workshop: [
            bert(workshop),
            pooling("mean"),
            *routed(lambda _: [dense(HIDDEN, 24)], lambda _: [dense(HIDDEN, 40), dense(40, 24)])(
                workshop
            ),
            Normalize(),
        ],
    ),
)
ROWS = (
    *(head.row() for head in HEADS),
    Row(
        "head-model2vec",
        "StaticEmbedding",
        "model2vec's own folder: shared rows, token weights",
        model2vec_folder,
        compare_vectors,
        Options(max_tokens=256),
        PRECISIONS,
    ),
    Row(
        "head-plain",
        BERT.name,
        "a folder of transformers alone: mean",
        SHALLOW_BERT.build,
        compare_vectors,
        Options(task="text_embedding"),
        PRECISIONS,
    ),
)
