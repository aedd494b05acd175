"""A bundle's outputs beside those of sentence-transformers, for each kind of encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import (
    CrossEncoder,
    MultiVectorEncoder,
    SentenceTransformer,
    SparseEncoder,
)

from bicross.bundle import Bundle
from bicross.runtime import BiEncoder, LateInteractionEncoder, maxsim
from bicross.runtime import CrossEncoder as Scorer
from bicross.runtime import SparseEncoder as SparseScorer
from bicross.runtime.ranking.figures import Numbers, smallest_cosine
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.token_outputs import densified
from onnx_export.tests.matrix.row import Agreement, Compare


def compare_vectors(folder: Path, bundle: Bundle, sample: Sample, precision: str) -> Agreement:
    """`encode_query` and `encode_document` of the original, as a user would call them."""
    original = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    reference_q = original.encode_query(list(sample.queries))
    reference_p = original.encode_document(list(sample.passages))
    encoder = BiEncoder.load(bundle, precision, threads=1)
    queries = encoder.encode(sample.queries, "query")
    passages = encoder.encode(sample.passages, "passage")
    cosines = smallest_cosine(queries, reference_q), smallest_cosine(passages, reference_p)
    return Agreement(
        min(cosines), _products(queries, passages), _products(reference_q, reference_p)
    )


def compare_weights(folder: Path, bundle: Bundle, sample: Sample, precision: str) -> Agreement:
    """Of a SparseEncoder, every dimension."""
    original = SparseEncoder(str(folder), device="cpu", local_files_only=True)
    queries, passages = list(sample.queries), list(sample.passages)
    reference_q = original.encode_query(queries, convert_to_sparse_tensor=False).numpy()
    reference_p = original.encode_document(passages, convert_to_sparse_tensor=False).numpy()
    encoder = SparseScorer.load(bundle, precision, threads=1)
    size = encoder.head.dimensions
    ours_q = densified(encoder.encode(queries, "query"), size)
    ours_p = densified(encoder.encode(passages, "passage"), size)
    cosines = smallest_cosine(ours_q, reference_q), smallest_cosine(ours_p, reference_p)
    return Agreement(min(cosines), _products(ours_q, ours_p), _products(reference_q, reference_p))


def compare_token_vectors(
    folder: Path, bundle: Bundle, sample: Sample, precision: str
) -> Agreement:
    """Of a MultiVectorEncoder; its own MaxSim, of its own vectors."""
    original = MultiVectorEncoder(str(folder), device="cpu", local_files_only=True)
    original.similarity_fn_name = "maxsim"
    reference_q = original.encode_query(list(sample.queries), convert_to_numpy=True)
    reference_p = original.encode_document(list(sample.passages), convert_to_numpy=True)
    encoder = LateInteractionEncoder.load(bundle, precision, threads=1)
    queries = encoder.encode(sample.queries, "query")
    passages = encoder.encode(sample.passages, "passage")
    assert [len(rows) for rows in queries] == [len(rows) for rows in reference_q]
    assert [len(rows) for rows in passages] == [len(rows) for rows in reference_p]
    ours = np.concatenate([*queries, *passages])
    cosine = smallest_cosine(ours, np.concatenate([*reference_q, *reference_p]))
    scores = original.similarity(reference_q, reference_p).numpy()
    return Agreement(cosine, maxsim(queries, passages), scores)


def compare_cut_vectors(exported: int, requested: int) -> Compare:
    """Vectors cut to `exported` dimensions by the export, and to `requested` by the request, each
    beside the original's, cut and of unit length again. The worse of the two is returned.
    """

    def compare(folder: Path, bundle: Bundle, sample: Sample, precision: str) -> Agreement:
        original = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        encoder = BiEncoder.load(bundle, precision, threads=1)
        found = []
        for size in (exported, requested):
            cut: dict[str, Any] = {"truncate_dim": size, "normalize_embeddings": True}
            reference_q = original.encode_query(list(sample.queries), **cut)
            reference_p = original.encode_document(list(sample.passages), **cut)
            queries = encoder.encode(sample.queries, "query", dimensions=size)
            passages = encoder.encode(sample.passages, "passage", dimensions=size)
            cosine = min(
                smallest_cosine(queries, reference_q), smallest_cosine(passages, reference_p)
            )
            ours, reference = _products(queries, passages), _products(reference_q, reference_p)
            found.append(Agreement(cosine, ours, reference))
        return min(found, key=lambda agreement: (agreement.min_tau, agreement.min_cosine))

    return compare


def compare_logits(folder: Path, bundle: Bundle, sample: Sample, precision: str) -> Agreement:
    """`predict` of the original without its activation; of several labels the one's log-odds."""
    original = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    scorer = Scorer.load(bundle, precision, threads=1)
    ours = np.stack([scorer.score(query, sample.passages) for query in sample.queries])
    label = scorer.head.relevance_label
    reference = np.stack([_logits(original, query, sample, label) for query in sample.queries])
    return Agreement(smallest_cosine(ours, reference), ours, reference)


def _logits(original: CrossEncoder, query: str, sample: Sample, label: int) -> Numbers:
    pairs = [(query, passage) for passage in sample.passages]
    found = np.asarray(original.predict(pairs, activation_fn=torch.nn.Identity()), np.float64)
    if found.ndim == 1:
        return found
    grown = np.exp(found - found.max(axis=1, keepdims=True))
    probability = grown[:, label] / grown.sum(axis=1)
    return np.asarray(np.log(probability / (1 - probability)))


def _products(queries: Numbers, passages: Numbers) -> Numbers:
    return np.asarray(queries.astype(np.float64) @ passages.astype(np.float64).T)
