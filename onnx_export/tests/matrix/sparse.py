"""Rows of learned sparse encoders."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling

from onnx_export.source.spec import Options
from onnx_export.tests.matrix.comparing import compare_weights
from onnx_export.tests.matrix.row import Row
from onnx_export.tests.matrix.workshop import MAX_TOKENS, Workshop, draw

HIDDEN = 32
# Wider than elsewhere, so that a text's logits depend on more than its length.
WIDE = 0.5
# Added to every logit, so that two thirds of them are below 0; a trained model's nearly all are.
BIAS = -0.8
MaskedModel = Callable[[Workshop], transformers.PreTrainedModel]


def bert(workshop: Workshop) -> transformers.PreTrainedModel:
    return transformers.BertForMaskedLM(
        transformers.BertConfig(
            vocab_size=len(workshop.vocabularies.bert),
            hidden_size=HIDDEN,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=MAX_TOKENS,
        )
    )


def distilbert(workshop: Workshop) -> transformers.PreTrainedModel:
    return transformers.DistilBertForMaskedLM(
        transformers.DistilBertConfig(
            vocab_size=len(workshop.vocabularies.bert),
            dim=HIDDEN,
            n_layers=2,
            n_heads=4,
            hidden_dim=64,
            max_position_embeddings=MAX_TOKENS,
        )
    )


def masked_lm(workshop: Workshop, model: MaskedModel) -> Path:
    """A plain folder of a masked language model whose logits are below 0 for most tokens."""

    def write(folder: Path) -> None:
        made = draw(model(workshop), WIDE)
        with torch.no_grad():
            head: Any = made.get_output_embeddings()  # type: ignore[no-untyped-call]
            head.bias.add_(BIAS)
        made.save_pretrained(folder)
        workshop.vocabularies.bert.save_pretrained(folder)

    return workshop.folder(f"masked-{model.__name__}", write)


def splade(workshop: Workshop, model: MaskedModel, pooling: SpladePooling) -> list[torch.nn.Module]:
    path = str(masked_lm(workshop, model))
    transformer = Transformer(path, transformer_task="fill-mask", max_seq_length=MAX_TOKENS)
    return [transformer, pooling]


def saved(
    workshop: Workshop, name: str, modules: Sequence[torch.nn.Module], most: int | None = None
) -> Path:
    def write(folder: Path) -> None:
        model = SparseEncoder(modules=list(modules), device="cpu", max_active_dims=most)
        model.save_pretrained(str(folder), create_model_card=False)

    return workshop.folder(name, write)


def row(name: str, model: MaskedModel, architecture: str, pooling: SpladePooling) -> Row:
    head = f"SPLADE, {pooling.pooling_strategy}, {pooling.activation_function}"
    return Row(
        name,
        architecture,
        head,
        lambda workshop: saved(workshop, name, splade(workshop, model, pooling)),
        compare_weights,
    )


def table(workshop: Workshop) -> SparseStaticEmbedding:
    """A weight for each token, as inverse document frequencies are: none below 0, some 0."""
    source = torch.Generator().manual_seed(7)
    tokenizer: Any = workshop.vocabularies.bert
    weight = (4 * torch.rand(len(tokenizer), generator=source) - 0.5).relu()
    return SparseStaticEmbedding(tokenizer=tokenizer, weight=weight, frozen=True)


def inference_free(workshop: Workshop) -> Path:
    pooling = SpladePooling("max", "log1p_relu")
    documents: list[Any] = splade(workshop, bert, pooling)
    router = Router.for_query_document([table(workshop)], documents)
    return saved(workshop, "splade-inference-free", [router])


def pruned(workshop: Workshop) -> Path:
    modules = splade(workshop, bert, SpladePooling("max"))
    return saved(workshop, "splade-max-active", modules, most=40)


ROWS: tuple[Row, ...] = (
    row("splade-max", bert, "BERT", SpladePooling("max")),
    row("splade-sum", bert, "BERT", SpladePooling("sum")),
    row("splade-log1p-relu", bert, "BERT", SpladePooling("max", "log1p_relu")),
    row("splade-distilbert", distilbert, "DistilBERT", SpladePooling("max")),
    Row("splade-max-active", "BERT", "SPLADE, 40 largest weights", pruned, compare_weights),
    Row(
        "splade-inference-free",
        "BERT",
        "SPLADE, log1p_relu; queries by a table of weights",
        inference_free,
        compare_weights,
    ),
    Row(
        "splade-plain",
        "BERT",
        "SPLADE, max, of a plain masked language model",
        lambda workshop: masked_lm(workshop, bert),
        compare_weights,
        Options(task="sparse_embedding"),
    ),
)
