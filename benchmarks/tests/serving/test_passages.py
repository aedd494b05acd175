import json
from pathlib import Path

import pytest

from benchmarks.serving.passages import (
    MAX_TOKENS,
    QUOTAS,
    Text,
    choose_passages,
    read_passages,
    read_queries,
)


def texts(name: str, count: int) -> list[Text]:
    return [Text(f"{index:04d}", f"{name} {index}") for index in range(count)]


def test_the_quotas_are_512_passages() -> None:
    assert sum(QUOTAS.values()) == 512


def test_each_collection_gives_its_quota() -> None:
    collections = {name: texts(name, 300) for name in QUOTAS}
    lengths = {name: [10] * 300 for name in QUOTAS}
    chosen = choose_passages(collections, lengths)
    assert {name: sum(text.startswith(name) for text in chosen) for name in QUOTAS} == QUOTAS


def test_passages_arrive_mixed_in_the_order_of_their_places() -> None:
    collections = {name: texts(name, 300) for name in QUOTAS}
    chosen = choose_passages(collections, {name: [10] * 300 for name in QUOTAS})
    places = [int(text.split()[-1]) for text in chosen]
    assert places == sorted(places)


def test_a_passage_too_long_gives_way_to_the_next() -> None:
    collections = {name: texts(name, 300) for name in QUOTAS}
    lengths = {name: [MAX_TOKENS + 1] + [MAX_TOKENS] * 299 for name in QUOTAS}
    chosen = choose_passages(collections, lengths)
    assert not any(text.endswith(" 0") for text in chosen)
    assert len(chosen) == 512


def test_a_collection_with_too_few_short_passages_is_refused() -> None:
    collections = {name: texts(name, 300) for name in QUOTAS}
    lengths = {name: [MAX_TOKENS + 1] * 300 for name in QUOTAS}
    with pytest.raises(ValueError, match="cranfield has 0 passages of at most 256"):
        choose_passages(collections, lengths)


def test_a_collection_is_read_in_an_order_of_its_own_title_before_text(tmp_path: Path) -> None:
    documents = [{"_id": str(n), "title": f"t{n}", "text": f"x{n}"} for n in range(20)]
    lines = "\n".join(json.dumps(document) for document in documents)
    (tmp_path / "corpus.jsonl").write_text(lines)
    found = read_passages(tmp_path)
    assert {text.text for text in found} == {f"t{n} x{n}" for n in range(20)}
    assert [text.text for text in found] != [f"t{n} x{n}" for n in range(20)]
    assert found == read_passages(tmp_path)


def test_a_query_has_no_title(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "why"}\n')
    assert [query.text for query in read_queries(tmp_path)] == ["why"]
