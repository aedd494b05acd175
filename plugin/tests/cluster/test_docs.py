"""Every key of bicross.toml stands in docs/cluster.md, and its example is a whole file."""

from pathlib import Path

import pytest

from bicross.cluster.config import ClusterTable, IndexTable, ModelTable, parse_config

DOCS = (Path(__file__).parents[3] / "docs" / "cluster.md").read_text()
KEYS = [
    *(f"cluster.{key}" for key in ClusterTable.model_fields),
    *(f"models.NAME.{key}" for key in ModelTable.model_fields),
    *(f"indices.NAME.{key}" for key in IndexTable.model_fields),
]


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_explained(key: str) -> None:
    assert f"| `{key}` |" in DOCS


def test_the_example_is_a_whole_file() -> None:
    example = DOCS.partition("```toml\n")[2].partition("```")[0]
    assert list(parse_config(example).indices) == ["docs"]
