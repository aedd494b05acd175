"""The table of vector types compares like with like."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.vector_dtypes import encode, rows
from bicross.bundle import open_bundle
from bicross.evaluate.dataset import load_collection
from bicross.runtime import BiEncoder

TINY = Path(__file__).parents[2] / "plugin" / "tests" / "bundles" / "tiny-bi"
WORDS = [
    "cat",
    "mat",
    "dog",
    "fish",
    "bird",
    "house",
    "river",
    "mountain",
    "stock",
    "price",
    "market",
    "bread",
    "sugar",
    "salt",
]


@pytest.fixture
def encoder() -> BiEncoder:
    """Vectors of 16 dimensions, offered as 8 too."""
    plain = BiEncoder.load(open_bundle(TINY), threads=1)
    offers = {"matryoshka": (8,), "int8_scale": 0.5}
    return replace(plain, head=plain.head.model_copy(update=offers))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = [
        {"_id": f"d{row}", "title": "the", "text": f"{word} and {WORDS[row - 1]}"}
        for row, word in enumerate(WORDS)
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "where is the cat"}))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td0\t1\n")
    return tmp_path


def test_each_size_has_each_type_with_its_bytes_and_whole_floats_agree_with_themselves(
    encoder: BiEncoder, folder: Path
) -> None:
    lines = list(rows(encoder, encode(encoder, load_collection(folder))))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [(each[1], each[2], each[3]) for each in cells] == [
        ("16", "float", "64"),
        ("16", "int8", "16"),
        ("16", "binary", "2"),
        ("8", "float", "32"),
        ("8", "int8", "8"),
        ("8", "binary", "1"),
    ]
    assert cells[0][4:6] == ["1.000", "1.0"]
    assert float(cells[2][4]) < 1
