"""bicross.toml keeps what a person wrote; only engine and precision change."""

from pathlib import Path

import pytest

from bicross.bundle import Bundle
from bicross.cluster.config import parse_config
from bicross.errors import UsageError
from bicross.tuning.choice import Pair
from bicross.tuning.deployment_file import read_pair, with_pair, write_pair

OPENVINO = Pair("openvino", "bf16")
WRITTEN = """\
# Ours.
[indices.docs]
model = "small"   # the fast one

[models.small]
model_id = "tiny-bi"  # not pinned
precision = "fp32"
"""


def test_comments_and_order_stay(bi_bundle: Bundle) -> None:
    text = with_pair(WRITTEN, bi_bundle.manifest, OPENVINO)
    assert text == WRITTEN.replace("fp32", "bf16") + 'engine = "openvino"\n'


def test_an_entry_is_added_where_there_is_none(bi_bundle: Bundle) -> None:
    text = with_pair('[indices.docs]\nmodel = "tiny-bi"\n', bi_bundle.manifest, OPENVINO)
    table = parse_config(text).model("tiny-bi")
    assert (table.model_id, table.engine, table.precision) == ("tiny-bi", "openvino", "bf16")


def test_what_was_written_is_read(tmp_path: Path, bi_bundle: Bundle, cross_bundle: Bundle) -> None:
    file = tmp_path / "bicross.toml"
    assert read_pair(file, bi_bundle.manifest) is None
    write_pair(file, bi_bundle.manifest, OPENVINO)
    assert read_pair(file, bi_bundle.manifest) == OPENVINO
    assert read_pair(file, cross_bundle.manifest) is None
    assert [each.name for each in tmp_path.iterdir()] == ["bicross.toml"]


def test_what_is_not_toml_is_refused(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="not TOML"):
        with_pair("[models", bi_bundle.manifest, OPENVINO)
