"""What an adopted folder's JSON files say, and what is said for them where they are silent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from bicross.bundle.layout import CONFIG, TOKENIZER
from bicross.bundle.record import Task
from bicross.errors import UsageError
from onnx_export.adopt.graph_config import config_from_graph
from onnx_export.adopt.onnx_folder import OnnxGraph
from onnx_export.source.model_files import read_json, read_max_tokens, read_modules
from onnx_export.source.spec import detect_task

LIBRARY_CONFIG = "config_sentence_transformers.json"


def config_and_task(
    folder: Path, graph: OnnxGraph, wanted: Task | None, narrate: Callable[[str], None]
) -> tuple[dict[str, Any], Task]:
    """Raises `UsageError` where neither the caller nor the folder names the task."""
    config = read_json(folder, CONFIG)
    kind = read_json(folder, LIBRARY_CONFIG).get("model_type")
    # Token embeddings may be a late-interaction model's, which its outputs do not tell.
    task = wanted or (graph.task if kind in {None, "SentenceTransformer"} else None)
    if config and task is None:
        task = detect_task(folder, config, read_modules(folder))
    task = task or graph.task
    if task is None:
        raise UsageError(f"the outputs of {graph.file.name} do not tell its task; give --task")
    if not config:
        narrate("config.json is missing: completed from the graph's shapes")
        config = config_from_graph(graph, task) | _padding(folder)
        if task == "rerank":
            narrate("no activation is named: the logits are taken as they are (identity)")
    return config, task


def max_tokens(folder: Path, config: dict[str, Any], wanted: int | None) -> int:
    """The least of what the folder's files and the caller say; more than the model takes is
    refused.
    """
    limits = [wanted, read_max_tokens(folder, config)]
    limits.append((read_json(folder, TOKENIZER).get("truncation") or {}).get("max_length"))
    known = [limit for limit in limits if limit]
    if not known:
        raise UsageError("the folder names no longest sequence; give it with --max-tokens")
    if wanted and wanted > min(known):
        raise UsageError(f"--max-tokens {wanted}: the model takes {min(known)}")
    return min(known)


def padding_side(folder: Path) -> Literal["left"] | None:
    side = read_json(folder, "tokenizer_config.json").get("padding_side")
    return "left" if side == "left" else None


def _padding(folder: Path) -> dict[str, int]:
    """BERT's padding token by its name in tokenizer.json."""
    tokens = read_json(folder, TOKENIZER).get("added_tokens") or []
    found = next((row["id"] for row in tokens if row.get("content") == "[PAD]"), 0)
    return {"pad_token_id": int(found)}
