"""nDCG@10 of a precision beside float32's, on a judged collection, with its uncertainty."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from bicross.bundle.heads import Embedding
from bicross.errors import GateFailed
from bicross.evaluate.compare import compare
from bicross.evaluate.measures import NDCG_10, mean, per_query
from bicross.runtime import BiEncoder, CrossEncoder, Encoder, FloatArray, LateInteractionEncoder
from bicross.runtime.batching import plan_batches
from bicross.runtime.ranking.figures import Numbers
from onnx_export.gate.batches import Input, run_batches, tokenize
from onnx_export.gate.failure import Figures
from onnx_export.gate.judged import Judged, read_judged
from onnx_export.gate.token_outputs import maxsim_scores

# A loss of 0.01 of nDCG@10 is what two good models of one size differ by: a precision that surely
# loses more is another, worse model.
LARGEST_LOSS = 0.01
TOP = 10
Narrate = Callable[[str], None]


@dataclass(frozen=True)
class Judge:
    """`basis` holds float32's nDCG@10 of each query."""

    judged: Judged
    basis: dict[str, float]

    @classmethod
    def of(cls, folder: Path, fp32: Encoder, narrate: Narrate) -> Self:
        judged = read_judged(folder, fp32.bundle.manifest.task)
        narrate(f"fp32: ranking {judged}")
        return cls(judged, ndcg(fp32, judged))

    @property
    def basis_figures(self) -> Figures:
        return {"judgements": str(self.judged), "ndcg@10": mean(self.basis)}

    def figures(self, encoder: Encoder, narrate: Narrate) -> Figures:
        """Raises `GateFailed` where the whole interval lies below the largest loss."""
        who = f"{encoder.bundle.manifest.name}, {encoder.precision}"
        narrate(f"{encoder.precision}: ranking {self.judged}")
        values = ndcg(encoder, self.judged)
        found = compare(self.basis, values)
        if not found.high >= -LARGEST_LOSS:
            raise GateFailed(
                f"{who}: nDCG@10 on {self.judged} is {mean(values):.4f}, {found.difference:+.4f} "
                f"beside fp32 (95% interval {found.low:+.4f} to {found.high:+.4f}); allowed is an "
                f"interval that reaches {-LARGEST_LOSS}"
            )
        return {
            "judgements": str(self.judged),
            "ndcg@10": mean(values),
            "ndcg@10.difference": found.difference,
            "ndcg@10.difference.low_95": found.low,
            "ndcg@10.difference.high_95": found.high,
            "bound.ndcg@10.difference.high_95": -LARGEST_LOSS,
        }


def ndcg(encoder: Encoder, judged: Judged) -> dict[str, float]:
    """Of each query."""
    if isinstance(encoder, BiEncoder):
        ranking = _search(encoder, judged)
    else:
        ranking = {query: _rank_pool(encoder, judged, query) for query in judged.queries}
    return per_query(NDCG_10, judged.qrels, ranking)


def _search(encoder: BiEncoder, judged: Judged) -> dict[str, list[str]]:
    """Every query shares its candidates."""
    ids = next(iter(judged.candidates.values()))
    queries = encoder.encode(list(judged.queries.values()), "query")
    passages = encoder.encode([judged.passages[document] for document in ids], "passage")
    scores = similarities(queries, passages, encoder.head)
    return {query: _best(row, ids) for query, row in zip(judged.queries, scores, strict=True)}


def similarities(queries: FloatArray, passages: FloatArray, head: Embedding) -> Numbers:
    """[queries, passages], higher for nearer, as the head compares vectors."""
    if head.similarity == "cosine":
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        passages = passages / np.linalg.norm(passages, axis=1, keepdims=True)
    products = queries @ passages.T
    if head.similarity != "l2_norm":
        return products
    return np.asarray(2 * products - np.square(passages).sum(axis=1))


def _rank_pool(encoder: Encoder, judged: Judged, query: str) -> list[str]:
    ids, text = judged.candidates[query], judged.queries[query]
    passages = [judged.passages[document] for document in ids]
    if isinstance(encoder, CrossEncoder):
        return _best(encoder.score(text, passages), ids)
    inputs = [("query", text), *(("passage", passage) for passage in passages)]
    values = _run(encoder, inputs)
    if isinstance(encoder, LateInteractionEncoder):
        return _best(maxsim_scores(values[:1], values[1:])[0], ids)
    return _best(values[1:] @ values[0], ids)


def _run(encoder: Encoder, inputs: Sequence[Input]) -> FloatArray:
    """In the runtime's batches, longest first; the query, which is one of them, among passages."""
    sequences = tokenize(encoder, inputs)
    order = [row for batch in plan_batches([s.length for s in sequences]) for row in batch]
    values = run_batches(encoder, [sequences[row] for row in order], 8)
    found = np.empty_like(values)
    found[order] = values
    return found


def _best(scores: Numbers, ids: Sequence[str]) -> list[str]:
    """Of equal scores the one that comes first."""
    return [ids[row] for row in np.argsort(-scores, kind="stable")[:TOP]]
