import json
from pathlib import Path

import pytest

from bicross.errors import UsageError
from bicross.runtime.ranking.samples import read_sample


def write(tmp_path: Path, queries: int, passages: int) -> Path:
    rows = [{"query": f"q{number}"} for number in range(queries)]
    rows += [{"passage": f"p{number}"} for number in range(passages)]
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    return file


def test_built_in_sample_has_texts_of_many_lengths() -> None:
    sample = read_sample()
    words = sorted(len(passage.split()) for passage in sample.passages)
    assert (len(sample.queries), len(sample.passages)) == (12, 32)
    assert len(set(sample.passages)) == 32
    assert words[0] < 10
    assert words[-1] > 60


def test_own_sample_is_capped_and_says_so(tmp_path: Path) -> None:
    sample = read_sample(write(tmp_path, 20, 100))
    assert str(sample) == "mine.jsonl: 16 queries, 64 passages"
    assert (sample.queries[0], sample.passages[-1]) == ("q0", "p63")


@pytest.mark.parametrize(("queries", "passages"), [(7, 16), (8, 15), (0, 0)])
def test_too_small_a_sample_is_refused_with_its_counts(
    tmp_path: Path, queries: int, passages: int
) -> None:
    with pytest.raises(UsageError, match=f"{queries} different queries and {passages} passages"):
        read_sample(write(tmp_path, queries, passages))


def test_repeated_texts_count_once(tmp_path: Path) -> None:
    file = write(tmp_path, 8, 16)
    file.write_text(file.read_text().replace('"p15"', '"p14"'))
    with pytest.raises(UsageError, match="15 passages"):
        read_sample(file)


@pytest.mark.parametrize(
    "line",
    [
        "a plain text",
        "[]",
        "{}",
        '{"query": 1}',
        '{"query": " "}',
        '{"text": "x"}',
        '{"query": "x", "passage": "y"}',
    ],
)
def test_line_that_is_neither_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(f'{{"query": "one"}}\n{line}\n')
    with pytest.raises(UsageError, match=r"mine\.jsonl, line 2: expected"):
        read_sample(file)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.jsonl"):
        read_sample(tmp_path / "absent.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"query": "caf\xe9"}')
    with pytest.raises(UsageError, match=r"latin\.jsonl"):
        read_sample(tmp_path / "latin.jsonl")


def test_half_of_a_character_is_named_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"query": "one"}\n{"passage": "ab\\ud800"}\n')
    with pytest.raises(UsageError, match=r"mine\.jsonl, line 2: a lone surrogate at character 2"):
        read_sample(file)
