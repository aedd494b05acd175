"""Which texts are measured: a fixed rule over the retrieval collections, so that runs compare."""

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers

ROOT = Path(__file__).parents[2]
MAX_TOKENS = 256
# 512 in all; with them the median is 58 tokens of all-MiniLM-L6-v2, as in a mix of titles, entries,
# web passages and a few abstracts, and batches of 32 in order of arrival are 2.6 times padding.
QUOTAS = {
    "cranfield": 48,
    "dbpedia_sample": 104,
    "msmarco_sample": 112,
    "ncbi_disease_linking": 216,
    "nfcorpus": 16,
    "scifact": 16,
}


class NoCollections(Exception):
    """The folder with the retrieval collections is not there."""


@dataclass(frozen=True)
class Text:
    """One passage or query. `place` orders texts as if they were shuffled, the same every time."""

    place: str
    text: str


def collections_folder() -> Path:
    """Collections in BEIR layout: BICROSS_SHARED's `data`, else that of the folder beside ours."""
    chosen = os.environ.get("BICROSS_SHARED")
    folder = (Path(chosen) if chosen else ROOT.parent / "shared") / "data"
    if not folder.is_dir():
        raise NoCollections(f"{folder} is not a folder; set BICROSS_SHARED to the parent of `data`")
    return folder


def read_passages(collection: Path) -> list[Text]:
    """Each document's title and text, in the order of `place`."""
    plain = collection / "corpus.jsonl"
    raw = plain.read_bytes() if plain.exists() else gzip.decompress(_packed(collection))
    return _texts(collection.name, raw)


def read_queries(collection: Path) -> list[Text]:
    return _texts(f"{collection.name}/query", (collection / "queries.jsonl").read_bytes())


def choose_passages(
    collections: Mapping[str, Sequence[Text]], lengths: Mapping[str, Sequence[int]]
) -> list[str]:
    """As many of each collection as `QUOTAS` says, the first that are short enough, mixed.

    `lengths` are the tokens of each text, special ones included. Raises `ValueError` for a
    collection with too few.
    """
    chosen: list[Text] = []
    for name, quota in QUOTAS.items():
        pairs = zip(collections[name], lengths[name], strict=True)
        fitting = [text for text, length in pairs if length <= MAX_TOKENS]
        if len(fitting) < quota:
            raise ValueError(f"{name} has {len(fitting)} passages of at most {MAX_TOKENS} tokens")
        chosen += fitting[:quota]
    return [text.text for text in sorted(chosen, key=lambda text: text.place)]


def count_tokens(texts: Iterable[str], tokenizer_file: Path) -> list[int]:
    """Tokens of each, special ones included, uncut."""
    tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(list(texts))]


def _packed(collection: Path) -> bytes:
    return (collection / "corpus.jsonl.gz").read_bytes()


def _texts(name: str, raw: bytes) -> list[Text]:
    records = [json.loads(line) for line in raw.splitlines() if line.strip()]
    texts = [
        Text(
            hashlib.sha256(f"{name}/{record['_id']}".encode()).hexdigest(),
            f"{record.get('title', '')} {record['text']}".strip(),
        )
        for record in records
    ]
    return sorted(texts, key=lambda text: text.place)
