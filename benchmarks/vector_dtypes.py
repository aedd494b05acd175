"""What fewer bits and fewer dimensions cost: each kind of vector against the whole floats.

    python -m benchmarks.vector_dtypes BUNDLE COLLECTION...

A collection is a folder in BEIR's layout. Every passage is compared with every query, so that no
index stands between the vectors and the figures: cosine for floats and int8, Hamming for bits, as
Elasticsearch compares `byte` and `bit` fields. Rows are printed as a Markdown table.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bicross.bundle import open_bundle
from bicross.cluster.documents import Document, open_lines
from bicross.errors import UsageError
from bicross.evaluate.dataset import Collection, corpus_line, load_collection
from bicross.evaluate.measures import NDCG_10, mean, per_query
from bicross.runtime import BiEncoder, FloatArray
from bicross.runtime.quantized_vectors import OutputDtype, convert, offered_dtypes

TOP = 10
# uint8 and ubinary hold the same numbers as int8 and binary.
DTYPES: tuple[OutputDtype, ...] = ("float", "int8", "binary")
Scores = npt.NDArray[np.float64]
HEAD = (
    f"| collection | dimensions | type | bytes | overlap@{TOP} | least | nDCG@10 |\n"
    + "|---" * 7
    + "|"
)


@dataclass(frozen=True)
class Encoded:
    """float32 [queries, dimensions] and [passages, dimensions], beside the ids of their rows."""

    collection: Collection
    passage_ids: list[str]
    queries: FloatArray
    passages: FloatArray


def encode(encoder: BiEncoder, collection: Collection) -> Encoded:
    with open_lines(collection.corpus) as stream:
        lines = [corpus_line(number, raw) for number, raw in enumerate(stream, 1) if raw.strip()]
    documents = [line for line in lines if isinstance(line, Document)]
    texts = [document.source["passage"] for document in documents]
    return Encoded(
        collection,
        [document.id for document in documents],
        encoder.encode(list(collection.queries.values()), "query"),
        encoder.encode(texts, "passage"),
    )


def rows(encoder: BiEncoder, encoded: Encoded) -> Iterator[str]:
    """One line for each size and type that the model offers, the whole floats first."""
    whole = _ranking(_cosines(encoded.queries, encoded.passages))
    offered = [dtype for dtype in DTYPES if dtype in offered_dtypes(encoder.head)]
    for dimensions in encoder.head.offered_dimensions:
        cut = [encoder.cut(side, dimensions) for side in (encoded.queries, encoded.passages)]
        for dtype in offered:
            queries, passages = (convert(side, dtype, encoder.head) for side in cut)
            compare = _nearness if dtype == "binary" else _cosines
            found = _ranking(compare(queries, passages))
            overlaps = [len({*a} & {*b}) / TOP for a, b in zip(whole, found, strict=True)]
            cells = (
                encoded.collection.name,
                dimensions,
                dtype,
                passages[0].nbytes,
                f"{np.mean(overlaps):.3f}",
                f"{min(overlaps):.1f}",
                f"{_ndcg(encoded, found):.4f}",
            )
            yield "| " + " | ".join(map(str, cells)) + " |"


def _cosines(queries: npt.NDArray[np.generic], passages: npt.NDArray[np.generic]) -> Scores:
    """[queries, passages]; a vector of zeros is like nothing."""
    units = []
    for side in (queries, passages):
        wide = side.astype(np.float64)
        units.append(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12))
    found: Scores = units[0] @ units[1].T
    return found


def _nearness(queries: npt.NDArray[np.generic], passages: npt.NDArray[np.generic]) -> Scores:
    """Minus the Hamming distance: bits as 1 and -1 have a product that falls with it."""
    signs = [np.unpackbits(side.view(np.uint8), axis=1) * 2.0 - 1.0 for side in (queries, passages)]
    found: Scores = signs[0] @ signs[1].T
    return found


def _ranking(scores: Scores) -> list[list[int]]:
    """The best rows of each query, equal ones in the order of the collection."""
    found: list[list[int]] = np.argsort(-scores, axis=1, kind="stable")[:, :TOP].tolist()
    return found


def _ndcg(encoded: Encoded, ranking: list[list[int]]) -> float:
    named = {
        query: [encoded.passage_ids[row] for row in found]
        for query, found in zip(encoded.collection.queries, ranking, strict=True)
    }
    return mean(per_query(NDCG_10, encoded.collection.qrels, named))


def main(arguments: list[str]) -> None:
    if len(arguments) < 2:
        raise UsageError("usage: python -m benchmarks.vector_dtypes BUNDLE COLLECTION...")
    encoder = BiEncoder.load(open_bundle(Path(arguments[0])))
    print(HEAD)
    for folder in arguments[1:]:
        for line in rows(encoder, encode(encoder, load_collection(Path(folder)))):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
