"""The server that most teams write first: FastAPI, onnxruntime, a tokenizer, lists of floats.

`uvicorn benchmarks.serving.peers.plain_fastapi:app`, with BI_BUNDLE, CROSS_BUNDLE and THREADS in
the environment. Handlers are plain functions, so that FastAPI runs them in its thread pool; there
is no batching across requests, no queue and no limit.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers
from fastapi import FastAPI
from pydantic import BaseModel

MAX_TOKENS = 512


class Model:
    def __init__(self, bundle: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["THREADS"])
        self.session = onnxruntime.InferenceSession(
            str(bundle / "onnx" / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.tokenizer = tokenizers.Tokenizer.from_file(str(bundle / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()

    def run(self, texts: list[str] | list[tuple[str, str]]) -> Any:  # noqa: ANN401  an array
        encodings = self.tokenizer.encode_batch(texts)
        arrays = {
            "input_ids": np.array([e.ids for e in encodings]),
            "attention_mask": np.array([e.attention_mask for e in encodings]),
            "token_type_ids": np.array([e.type_ids for e in encodings]),
        }
        names = [node.name for node in self.session.get_inputs()]
        output = self.session.get_outputs()[-1].name
        return self.session.run([output], {name: arrays[name] for name in names})[0]


app = FastAPI()
bi_encoder = Model(Path(os.environ["BI_BUNDLE"]))
cross_encoder = Model(Path(os.environ["CROSS_BUNDLE"]))


class EmbeddingsRequest(BaseModel):
    model: str
    input: list[str]


class RerankRequest(BaseModel):
    model: str
    query: str
    documents: list[str]


@app.post("/v1/embeddings")
def embeddings(request: EmbeddingsRequest) -> dict[str, Any]:
    vectors = bi_encoder.run(request.input).tolist()
    return {"data": [{"index": i, "embedding": vector} for i, vector in enumerate(vectors)]}


@app.post("/v1/rerank")
def rerank(request: RerankRequest) -> dict[str, Any]:
    logits = cross_encoder.run([(request.query, text) for text in request.documents])[:, 0]
    order = np.argsort(-logits).tolist()
    return {"results": [{"index": i, "relevance_score": float(logits[i])} for i in order]}


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
