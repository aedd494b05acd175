"""bicross.toml: small when the defaults fit, and every fault named by its key."""

from pathlib import Path

import pytest

from bicross.cluster.config import (
    LOCAL_NODE,
    Config,
    InputOutput,
    load_config,
    load_config_or_default,
    parse_config,
)
from bicross.errors import UsageError

TWICE = """
[indices.docs]
model = "m"
input_output = [
  {input_field = "a", output_field = "v"},
  {input_field = "b", output_field = "v"},
]
"""
SMALLEST = """
[indices.docs]
model = "minilm"
"""


def test_the_smallest_file_embeds_text_on_the_local_node() -> None:
    config = parse_config(SMALLEST)
    table = config.indices["docs"]
    assert config.cluster.url == LOCAL_NODE
    assert table.input_output == [InputOutput(input_field="text", output_field="text_vector")]
    assert (table.model, table.reranker, table.shards, table.replicas) == ("minilm", None, 1, 1)


def test_an_index_may_name_a_models_table_or_a_served_model() -> None:
    config = parse_config(
        '[models.small]\nmodel_id = "minilm@1f3a9c"\n[indices.docs]\nmodel = "small"\n'
    )
    assert config.model("small").model_id == "minilm@1f3a9c"
    assert config.model("other").model_id == "other"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[indices.docs]\n", "indices.docs.model is required"),
        ('[indices.docs]\nmodel = "m"\nshard = 2', "indices.docs.shard is not a key"),
        ('[indices.docs]\nmodel = "m"\nshards = 0', "indices.docs.shards: .*found 0"),
        ('[indices.docs]\nmodel = "m"\nshards = "2"', "indices.docs.shards: .*integer, found '2'"),
        ('[indices.docs]\nmodel = "http://x"', "indices.docs.model"),
        ('[indices.Docs]\nmodel = "m"', "indices.Docs"),
        ('[indices.docs]\nmodel = "m"\nsimilarity = "cosin"', "indices.docs.similarity"),
        ('[indices.docs]\nmodel = "m"\ninput_output = []', "indices.docs.input_output"),
        (
            '[indices.docs]\nmodel = "m"\ninput_output = [{input_field = "a", output_field = "a"}]',
            "indices.docs.input_output.0: input_field and output_field are both 'a'",
        ),
        (
            TWICE,
            "writes 'v' twice",
        ),
        (
            '[indices.docs]\nmodel = "m"\n[indices.docs.properties.text_vector]\ntype = "text"',
            "properties.text_vector is a vector",
        ),
        ('[models.m]\nmodel_id = "m"\ntask = "embed"', "models.m.task"),
        ('[models.m]\nmodel_id = "m@12"', "models.m.model_id"),
        ('[cluster]\nurl = "localhost:9200"', "cluster.url: .*does not begin with http"),
        ('[cluster]\nurl = ["https://a", "ftp://b"]', "cluster.url: 'ftp://b'"),
        ("[cluser]\n", "cluser is not a key .*allowed here: cluster, indices, models"),
        ("[cluster\n", "is not TOML"),
    ],
)
def test_a_fault_is_named_by_its_key(text: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        parse_config(text)


@pytest.mark.parametrize("key", ["api_key", "username", "password", "basic_auth", "token"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(UsageError, match=rf"cluster: {key} may not stand") as refused:
        parse_config(f'[cluster]\n{key} = "hunter2"')
    assert "BICROSS_ES_API_KEY" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_secret_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="may not hold credentials") as refused:
        parse_config('[cluster]\nurl = "https://elastic:hunter2@node:9200"')
    assert "hunter2" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml cannot be read"):
        load_config(tmp_path / "absent.toml")


def test_search_and_index_do_without_the_file_unless_one_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config_or_default(Path("bicross.toml")) == Config()
    with pytest.raises(UsageError, match=r"other\.toml"):
        load_config_or_default(Path("other.toml"))
