"""A bundle's outputs beside those of sentence-transformers, for each kind of encoder."""

from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer

from bicross.bundle import Bundle
from bicross.runtime import BiEncoder
from bicross.runtime import CrossEncoder as Scorer
from onnx_export.gate.figures import Numbers, smallest_cosine
from onnx_export.gate.samples import Sample
from onnx_export.tests.matrix.row import Agreement


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


def compare_logits(folder: Path, bundle: Bundle, sample: Sample, precision: str) -> Agreement:
    """`predict` of the original without its activation; one label."""
    original = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    scorer = Scorer.load(bundle, precision, threads=1)
    ours = np.stack([scorer.score(query, sample.passages) for query in sample.queries])
    reference = np.stack([_logits(original, query, sample) for query in sample.queries])
    return Agreement(smallest_cosine(ours, reference), ours, reference)


def _logits(original: CrossEncoder, query: str, sample: Sample) -> Numbers:
    pairs = [(query, passage) for passage in sample.passages]
    return np.asarray(original.predict(pairs, activation_fn=torch.nn.Identity()))


def _products(queries: Numbers, passages: Numbers) -> Numbers:
    return np.asarray(queries.astype(np.float64) @ passages.astype(np.float64).T)
