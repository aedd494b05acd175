"""Wall time and peak memory of an export, measured as the operating system counts them.

    python -m benchmarks.large_export MODEL [-- OPTION...]
    python -m benchmarks.large_export --billion [-- OPTION...]

MODEL is a folder; with --billion one is made: a decoder of 1.0 billion parameters with random
weights and mean pooling, 4.2 GB in float32. What stands after -- goes to `onnx-export model`. The
export runs in a process of its own; its peak is that process' largest resident set.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bicross.bundle.golden import PASSAGES, QUERIES
from bicross.runtime.ranking.samples import read_sample
from demo.weights import fetch

RESULTS = Path(__file__).parent / "results"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
# 18 layers of 2048 with 16 heads of 128 and 6,144 between: 18 x 54.5 million, and 62 million more.
SHAPE: dict[str, Any] = {
    "hidden_size": 2048,
    "num_hidden_layers": 18,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": 128,
    "intermediate_size": 6144,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
}


def write_billion(folder: Path) -> None:
    """The model's folder; in a process of its own, so that its memory is not counted."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from sentence_transformers.sentence_transformer.modules import (  # noqa: PLC0415
        Normalize,
        Pooling,
        Transformer,
    )

    torch.manual_seed(1)
    base = folder / "base"
    config = transformers.Qwen3Config(**SHAPE)
    model = transformers.Qwen3Model(config)
    count = sum(weights.numel() for weights in model.parameters())
    print(f"# {count / 1e9:.2f} billion parameters", flush=True)
    model.save_pretrained(base, max_shard_size="2GB")
    del model
    for name in TOKENIZER:
        shutil.copyfile(fetch("all-MiniLM-L6-v2") / name, base / name)
    transformer = Transformer(str(base), max_seq_length=64)
    pooling = Pooling(SHAPE["hidden_size"], pooling_mode="mean")
    whole = SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")
    whole.save(str(folder / "model"), create_model_card=False)
    shutil.rmtree(base)


def write_sample(file: Path) -> Path:
    """As few texts as the gate takes: what is measured is memory."""
    texts = read_sample()
    rows = [{"query": text} for text in texts.queries[:QUERIES]]
    rows += [{"passage": text} for text in texts.passages[:PASSAGES]]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return file


def measure(model: Path, options: list[str], scratch: Path) -> dict[str, object]:
    out = scratch / "bundle"
    command = [sys.executable, "-m", "onnx_export.cli", "model", str(model), str(out), *options]
    weights = sum(file.stat().st_size for file in model.glob("*.safetensors"))
    start = time.monotonic()
    process = subprocess.Popen(command)  # noqa: S603
    # Of this process alone: the largest of all children would be the one that made the model.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * 1024
    return {
        "model": model.name,
        "options": [option.replace(f"{scratch}/", "") for option in options],
        "exit_status": process.returncode,
        "wall_s": round(seconds, 1),
        "weights_bytes": weights,
        "peak_bytes": peak,
        "peak_by_weights": round(peak / weights, 2),
        "bundle_bytes": sum(file.stat().st_size for file in out.rglob("*") if file.is_file()),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, help="a folder; else all-MiniLM-L6-v2")
    parser.add_argument("--billion", action="store_true", help="make and export a large one")
    parser.add_argument("--write-billion", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="where the result is written as JSON")
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    asked, options = parser.parse_args(given[:end]), given[end + 1 :]
    if asked.write_billion:
        write_billion(asked.write_billion)
        return
    scratch = Path(tempfile.mkdtemp(prefix="large-export-"))
    try:
        model = asked.model or fetch("all-MiniLM-L6-v2")
        if asked.billion:
            make = [sys.executable, "-m", "benchmarks.large_export", "--write-billion"]
            subprocess.run([*make, str(scratch)], check=True)  # noqa: S603
            model = scratch / "model"
            options = ["--sample", str(write_sample(scratch / "sample.jsonl")), *options]
        result = measure(model, options, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    name = "export_billion.json" if asked.billion else "export_cost.json"
    target = asked.out or RESULTS / name
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
