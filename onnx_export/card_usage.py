"""The part of a model card that shows how the bundle is loaded, by each library that can."""

import json
from collections.abc import Iterator

from bicross.bundle import Manifest
from bicross.bundle.heads import Embedding, Rerank

FOLDER = "FOLDER"


def usage(manifest: Manifest) -> Iterator[str]:
    """Markdown lines; `FOLDER` stands for the bundle's path."""
    yield "## How to load it"
    yield ""
    yield from _code("sh", *_serve(manifest))
    if manifest.query_graph is not None:
        yield "Queries go through a graph of their own, which other libraries do not know."
        yield ""
        return
    head = manifest.head
    if isinstance(head, Embedding) and "pooling_mask" not in manifest.graph.inputs:
        yield from _sentence_transformers(manifest, "SentenceTransformer", "encode_query")
        yield from _fastembed_embedding(manifest, head)
    if isinstance(head, Rerank) and head.template is None:
        yield from _sentence_transformers(manifest, "CrossEncoder", "predict")
        if head.labels == 1:
            yield from _fastembed_rerank(manifest)


def main_precision(manifest: Manifest) -> str:
    """fp32 where there is one, else the first by name."""
    return "fp32" if "fp32" in manifest.precisions else min(manifest.precisions)


def _serve(manifest: Manifest) -> list[str]:
    names = [main_precision(manifest), *sorted(manifest.precisions)]
    return [
        f"bicross serve {FOLDER}" + ("" if name == "fp32" else f" --precision {name}")
        for name in dict.fromkeys(names)
    ]


def _sentence_transformers(manifest: Manifest, kind: str, method: str) -> Iterator[str]:
    """The last versions whose `onnx` extra can be installed are 5."""
    file = manifest.precisions[main_precision(manifest)].file
    yield "With sentence-transformers 5 and its `onnx` extra:"
    yield ""
    what = '[("a query", "a passage")]' if kind == "CrossEncoder" else '["a query"]'
    yield from _code(
        "python",
        f"from sentence_transformers import {kind}",
        "",
        f'model = {kind}("{FOLDER}", backend="onnx", model_kwargs={{"file_name": "{file}"}})',
        f"model.{method}({what})",
    )


def _fastembed_embedding(manifest: Manifest, head: Embedding) -> Iterator[str]:
    """It knows no prompts: its caller puts them before each text."""
    name = f"bicross/{manifest.name}"
    file = manifest.precisions[main_precision(manifest)].file
    yield "With fastembed:"
    yield ""
    yield from _code(
        "python",
        "from fastembed import TextEmbedding",
        "from fastembed.common.model_description import ModelSource, PoolingType",
        "",
        "TextEmbedding.add_custom_model(",
        f'    model="{name}",',
        f'    sources=ModelSource(hf="{name}"),',
        f'    model_file="{file}",',
        f"    dim={head.dimensions},",
        "    pooling=PoolingType.DISABLED,",
        "    normalization=False,",
        f'    output_name="{manifest.graph.output}",',
        ")",
        f'model = TextEmbedding("{name}", specific_model_path="{FOLDER}")',
        f'list(model.embed([{json.dumps(head.prompts.query)} + "a query"]))',
    )


def _fastembed_rerank(manifest: Manifest) -> Iterator[str]:
    name = f"bicross/{manifest.name}"
    file = manifest.precisions[main_precision(manifest)].file
    yield "With fastembed, whose scores are logits:"
    yield ""
    yield from _code(
        "python",
        "from fastembed.common.model_description import ModelSource",
        "from fastembed.rerank.cross_encoder import TextCrossEncoder",
        "",
        "TextCrossEncoder.add_custom_model(",
        f'    model="{name}", sources=ModelSource(hf="{name}"), model_file="{file}"',
        ")",
        f'model = TextCrossEncoder("{name}", specific_model_path="{FOLDER}")',
        'list(model.rerank("a query", ["a passage"]))',
    )


def _code(language: str, *lines: str) -> Iterator[str]:
    yield f"```{language}"
    yield from lines
    yield "```"
    yield ""
