"""Rows of cross-encoders: classifiers of each architecture, language models that say yes or no."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.cross_encoder.modules import LogitScore
from sentence_transformers.sentence_transformer.modules import Pooling

from onnx_export.source.spec import Options
from onnx_export.tests.matrix.architectures import BERT, DECODERS, ENCODERS, QWEN3, Architecture
from onnx_export.tests.matrix.comparing import compare_logits
from onnx_export.tests.matrix.row import Row
from onnx_export.tests.matrix.workshop import MAX_TOKENS, Workshop, draw

# A template takes tokens too, and small vocabularies cut words into many.
LONG = 3 * MAX_TOKENS
ROLE = "{{ messages | selectattr('role', 'eq', '%s') | map(attribute='content') | first%s }}"
CHAT_TEMPLATE = (
    "{%- for message in messages if message.role == 'system' %}"
    "<|im_start|>system\n{{ message.content }}<|im_end|>\n{% endfor -%}"
    f"<|im_start|>user\nQuery: {ROLE % ('query', '')}\nDocument: {ROLE % ('document', '')}"
    "<|im_end|>\n<|im_start|>assistant\n"
)
STRIPPING_TEMPLATE = f"q: {ROLE % ('query', ' | trim')} d: {ROLE % ('document', ' | trim')} ="
# T5 classifies with a decoder of its own; EmbeddingGemma's attention is an embedding model's.
NO_CLASSIFIERS = ("T5 encoder", "EmbeddingGemma")
DAILY = (BERT, QWEN3)


def classifier(architecture: Architecture, labels: int = 1, wanted: str | None = None) -> Row:
    name = f"cross-{architecture.slug}{f'-{labels}' * (labels > 1)}"

    def build(workshop: Workshop) -> Path:
        tokenizer = getattr(workshop.vocabularies, architecture.tokenizer)
        config = _config(architecture, tokenizer, num_labels=labels)
        make: Any = transformers.AutoModelForSequenceClassification.from_config
        return workshop.plain(name, lambda: make(config), tokenizer, architecture.spread)

    head = "one label" if labels == 1 else f"{labels} labels"
    return Row(name, architecture.name, head, build, compare_logits, Options(label=wanted))


def language_model(
    architecture: Architecture, template: str | None = CHAT_TEMPLATE, prompt: str = ""
) -> Row:
    """Scores by the tokens `yes` and `no`; the template is the tokenizer's."""
    kind = {CHAT_TEMPLATE: "chat template", STRIPPING_TEMPLATE: "template that trims"}.get(
        template or "", "plain pairs"
    )
    name = f"cross-{architecture.slug}-{kind.replace(' ', '-')}{'-prompt' * bool(prompt)}"

    def build(workshop: Workshop) -> Path:
        tokenizer = _chatting(getattr(workshop.vocabularies, architecture.tokenizer), template)
        config = _config(architecture, tokenizer, max_position_embeddings=LONG)
        make: Any = transformers.AutoModelForCausalLM.from_config
        # The vocabulary's weights widen the logits once more, and with them float32's error.
        spread = 0.75 * architecture.spread
        base = workshop.plain(f"{name}-base", lambda: make(config), tokenizer, spread)
        return workshop.folder(name, lambda folder: _save_scoring(base, folder, prompt))

    head = f"yes or no, {kind}{', prompt' * bool(prompt)}"
    return Row(name, architecture.name, head, build, compare_logits)


def pooled_scores(architecture: Architecture) -> Row:
    """A Dense after a Pooling gives the score."""
    name = f"cross-{architecture.slug}-dense"

    def write(base: Path, folder: Path) -> None:
        transformer = Transformer(str(base))
        width = transformer.get_embedding_dimension()
        dense = Dense(
            width,
            1,
            activation_function=torch.nn.Identity(),
            module_input_name="sentence_embedding",
            module_output_name="scores",
        )
        pooling = Pooling(width, pooling_mode="mean")
        CrossEncoder(
            modules=[transformer, pooling, draw(dense, 0.3)], device="cpu"
        ).save_pretrained(str(folder))

    def build(workshop: Workshop) -> Path:
        base = architecture.build(workshop)
        return workshop.folder(name, lambda folder: write(base, folder))

    return Row(name, architecture.name, "one label, mean pooling, Dense", build, compare_logits)


def _config(
    architecture: Architecture, tokenizer: transformers.PreTrainedTokenizerBase, **more: Any
) -> transformers.PretrainedConfig:
    sizes = architecture.sizes | {"pad_token_id": tokenizer.pad_token_id} | more
    return architecture.config(vocab_size=len(tokenizer), **sizes)


def _chatting(
    tokenizer: transformers.PreTrainedTokenizerBase, template: str | None
) -> transformers.PreTrainedTokenizerBase:
    """A copy with the tokens that a template and a score need."""
    found = copy.deepcopy(tokenizer)
    found.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    found.add_tokens(["yes", "no"])
    found.chat_template = template
    found.model_max_length = LONG
    return found


def _save_scoring(base: Path, folder: Path, prompt: str) -> None:
    transformer = Transformer(str(base), transformer_task="text-generation")
    scoring = [transformer.tokenizer.convert_tokens_to_ids(token) for token in ("yes", "no")]
    prompts: dict[str, Any] = (
        {"prompts": {"instruction": prompt}, "default_prompt_name": "instruction"} if prompt else {}
    )
    modules = [transformer, LogitScore(*scoring)]
    CrossEncoder(modules=modules, device="cpu", **prompts).save_pretrained(str(folder))


def _all(rows: Callable[[Architecture], Row], *architectures: Architecture) -> tuple[Row, ...]:
    """The ordinary suite has the others' transformers as bi-encoders."""
    return tuple(
        replace(rows(each), is_daily=each in DAILY)
        for each in architectures
        if each.name not in NO_CLASSIFIERS
    )


ROWS: tuple[Row, ...] = (
    *_all(classifier, *ENCODERS, *DECODERS),
    classifier(BERT, 2, "1"),
    classifier(BERT, 3, "LABEL_2"),
    classifier(QWEN3, 2, "1"),
    pooled_scores(BERT),
    *_all(language_model, *DECODERS),
    language_model(QWEN3, prompt="Judge the document."),
    language_model(QWEN3, STRIPPING_TEMPLATE),
    language_model(QWEN3, None),
)
