"""fastembed on the bundles' own graphs, in an environment of its own, without bicross."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from fastembed import TextEmbedding  # type: ignore[import-not-found, import-untyped, unused-ignore]
from fastembed.common.model_description import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
    ModelSource,
    PoolingType,
)
from fastembed.rerank.cross_encoder import TextCrossEncoder  # type: ignore[import-not-found, import-untyped, unused-ignore]

from benchmarks.serving.engines.engine import Load, Numbers

BATCH = 32
SOURCE = ModelSource(hf="a/folder-is-given")
FILE = "onnx/model.onnx"
PROVIDERS = ["CPUExecutionProvider"]


@cache
def register() -> None:
    """Once a process: a name cannot be taken twice."""
    TextEmbedding.add_custom_model(
        model="bi",
        pooling=PoolingType.DISABLED,
        normalization=False,
        sources=SOURCE,
        dim=384,
        model_file=FILE,
        output_name="sentence_embedding",
    )
    TextCrossEncoder.add_custom_model(model="cross", sources=SOURCE, model_file=FILE)


class FastEmbed:
    """Batches of 32 in the order of arrival."""

    def __init__(self, load: Load) -> None:
        register()
        own = {"threads": load.threads, "providers": PROVIDERS}
        self._bi = TextEmbedding("bi", specific_model_path=str(load.bi.plain), **own)
        self._cross = TextCrossEncoder("cross", specific_model_path=str(load.cross.plain), **own)

    def encode(self, texts: Sequence[str]) -> Numbers:
        return np.asarray(list(self._bi.embed(list(texts), batch_size=BATCH)), np.float32)

    def score(self, query: str, passages: Sequence[str]) -> Numbers:
        scores = self._cross.rerank(query, list(passages), batch_size=BATCH)
        return np.asarray(list(scores), np.float32)


engine = FastEmbed
