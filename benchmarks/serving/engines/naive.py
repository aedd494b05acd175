"""onnxruntime as many teams write it: batches of 32 in the order of arrival."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers

from benchmarks.serving.engines.engine import Load, Numbers

BATCH = 32
MAX_TOKENS = {"bi": 256, "cross": 512}


class Graph:
    """One ONNX file with its tokenizer; the last output is what it computes."""

    def __init__(self, bundle: Path, max_tokens: int, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(bundle / "onnx" / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._output = self._session.get_outputs()[-1].name
        self._tokenizer = tokenizers.Tokenizer.from_file(str(bundle / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_tokens, strategy="longest_first")
        self._tokenizer.enable_padding()

    def run(self, texts: Sequence[str] | Sequence[tuple[str, str]]) -> Numbers:
        encodings = self._tokenizer.encode_batch(list(texts))
        arrays = {
            "input_ids": np.array([e.ids for e in encodings], np.int64),
            "attention_mask": np.array([e.attention_mask for e in encodings], np.int64),
            "token_type_ids": np.array([e.type_ids for e in encodings], np.int64),
        }
        (output,) = self._session.run([self._output], {name: arrays[name] for name in self._inputs})
        return np.asarray(output, np.float32)


class Naive:
    def __init__(self, load: Load) -> None:
        self._bi = Graph(load.bi.plain, MAX_TOKENS["bi"], load.threads)
        self._cross = Graph(load.cross.plain, MAX_TOKENS["cross"], load.threads)

    def encode(self, texts: Sequence[str]) -> Numbers:
        starts = range(0, len(texts), BATCH)
        return np.concatenate([self._bi.run(texts[start : start + BATCH]) for start in starts])

    def score(self, query: str, passages: Sequence[str]) -> Numbers:
        pairs = [(query, passage) for passage in passages]
        starts = range(0, len(pairs), BATCH)
        logits = [self._cross.run(pairs[start : start + BATCH]) for start in starts]
        return np.concatenate(logits)[:, 0]


engine = Naive
