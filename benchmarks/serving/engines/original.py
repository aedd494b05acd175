"""sentence-transformers in torch, as its documentation says to use it."""

from collections.abc import Sequence

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer

from benchmarks.serving.engines.engine import Load, Numbers

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Original:
    """Its own batch size, 32; it sorts by length itself."""

    def __init__(self, load: Load) -> None:
        torch.set_num_threads(load.threads)
        kwargs = {"dtype": DTYPES[load.options["precision"]]}
        self._bi = SentenceTransformer(str(load.bi.folder), device="cpu", model_kwargs=kwargs)
        self._cross = CrossEncoder(str(load.cross.folder), device="cpu", model_kwargs=kwargs)

    def encode(self, texts: Sequence[str]) -> Numbers:
        vectors = self._bi.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)

    def score(self, query: str, passages: Sequence[str]) -> Numbers:
        pairs = [(query, passage) for passage in passages]
        return np.asarray(self._cross.predict(pairs, show_progress_bar=False), np.float32)


engine = Original
