"""What every variant and every server is given: texts in one file that all processes read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Self

from benchmarks.serving.first_pass import Bm25
from benchmarks.serving.passages import (
    QUOTAS,
    choose_passages,
    collections_folder,
    count_tokens,
    read_passages,
    read_queries,
)

WINDOW = 100
# The collection whose queries and passages the cross-encoder was trained for.
WINDOW_COLLECTION = "msmarco_sample"
# The first window is timed, the others only judged.
WINDOWS = 5
QUERIES = 64


@dataclass(frozen=True)
class Window:
    query: str
    passages: list[str]


@dataclass(frozen=True)
class Workload:
    """`tokens` are the passages' in all, special ones included."""

    passages: list[str]
    queries: list[str]
    windows: list[Window]
    tokens: int

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> Self:
        raw = json.loads(file.read_bytes())
        raw["windows"] = [Window(**window) for window in raw["windows"]]
        return cls(**raw)


def make_workload(tokenizer_file: Path) -> Workload:
    """By the rule of `passages.QUOTAS`; the same for each run over the same collections."""
    folder = collections_folder()
    collections = {name: read_passages(folder / name) for name in QUOTAS}
    lengths = {
        name: count_tokens((text.text for text in texts), tokenizer_file)
        for name, texts in collections.items()
    }
    passages = choose_passages(collections, lengths)
    return Workload(
        passages=passages,
        queries=_queries(folder),
        windows=_windows(folder),
        tokens=sum(count_tokens(passages, tokenizer_file)),
    )


def describe(workload: Workload, tokenizer_file: Path) -> dict[str, float]:
    """The lengths of the passages, and of the timed window's, in tokens."""
    lengths = count_tokens(workload.passages, tokenizer_file)
    window = workload.windows[0]
    alone = count_tokens(window.passages, tokenizer_file)
    return {
        "passages": len(lengths),
        "tokens": sum(lengths),
        "median_tokens": median(lengths),
        "mean_tokens": mean(lengths),
        "max_tokens": max(lengths),
        "padding_in_32s_as_they_arrive_ratio": padding_ratio(lengths, 32),
        "window": len(alone),
        "window_median_passage_tokens": median(alone),
        "window_query_tokens": count_tokens([window.query], tokenizer_file)[0],
    }


def padding_ratio(lengths: list[int], rows: int) -> float:
    """Tokens computed per token of text where batches of `rows` are cut in the order given."""
    batches = [lengths[start : start + rows] for start in range(0, len(lengths), rows)]
    return sum(max(batch) * len(batch) for batch in batches) / sum(lengths)


def _queries(folder: Path) -> list[str]:
    """As many of each collection, interleaved."""
    queries = [read_queries(folder / name) for name in QUOTAS]
    mixed = [text.text for row in zip(*queries, strict=False) for text in row]
    return mixed[:QUERIES]


def _windows(folder: Path) -> list[Window]:
    passages = [text.text for text in read_passages(folder / WINDOW_COLLECTION)]
    first_pass = Bm25(passages)
    return [
        Window(query.text, [passages[index] for index in first_pass.window(query.text, WINDOW)])
        for query in read_queries(folder / WINDOW_COLLECTION)[:WINDOWS]
    ]
