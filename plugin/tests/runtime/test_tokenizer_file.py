"""A tokenizer's file is read with care, and the padding token is the model's own."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tokenizers

from bicross.bundle import Bundle
from bicross.bundle.layout import TOKENIZER
from bicross.bundle.sequences import Sequences
from bicross.errors import InvalidManifest
from bicross.runtime import Tokenizer
from bicross.runtime.tokenizer_file import MAX_TOKENIZER_BYTES

Copied = Callable[[Bundle], Bundle]


def test_padding_of_a_side_s_own_tokenizer_is_its_own(copied: Copied, bi_bundle: Bundle) -> None:
    bundle = copied(bi_bundle)
    pieces = tokenizers.Tokenizer.from_file(str(bundle.file("tokenizer.json")))
    pieces.enable_padding(pad_id=5)
    pieces.save(str(bundle.file("query_tokenizer.json")))
    sequences = {"query": Sequences(tokenizer="query_tokenizer.json")}
    manifest = bi_bundle.manifest.model_copy(update={"sequences": sequences})
    own = replace(bundle, manifest=manifest)
    assert [Tokenizer.load(own, kind).pad_id for kind in ("query", "passage")] == [5, 0]


def test_padding_is_the_model_s_own_token(copied: Copied, bi_bundle: Bundle) -> None:
    bundle = copied(bi_bundle)
    bundle.file("config.json").write_text(json.dumps({"pad_token_id": 3}))
    assert Tokenizer.load(bundle).pad_id == 3


def test_padding_comes_from_the_tokenizer_where_the_model_names_none(
    copied: Copied, bi_bundle: Bundle
) -> None:
    bundle = copied(bi_bundle)
    bundle.file("config.json").unlink()
    pieces = tokenizers.Tokenizer.from_file(str(bundle.file("tokenizer.json")))
    pieces.enable_padding(pad_id=5)
    pieces.save(str(bundle.file("tokenizer.json")))
    assert Tokenizer.load(bundle).pad_id == 5


def test_tokenizer_that_is_too_large_is_not_read(copied: Copied, bi_bundle: Bundle) -> None:
    bundle = copied(bi_bundle)
    with bundle.file("tokenizer.json").open("r+b") as stream:
        stream.truncate(MAX_TOKENIZER_BYTES + 1)
    with pytest.raises(InvalidManifest, match="at most"):
        Tokenizer.load(bundle)


def test_tokenizer_that_is_broken_is_a_bundle_error(copied: Copied, bi_bundle: Bundle) -> None:
    bundle = copied(bi_bundle)
    bundle.file("tokenizer.json").write_text("{}")
    with pytest.raises(InvalidManifest, match="cannot be read"):
        Tokenizer.load(bundle)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\x00{\n", b"[" * 100_000], ids=lambda content: content[:4]
)
def test_config_that_is_no_json_object_is_refused_by_name(
    bi_bundle: Bundle, tmp_path: Path, content: bytes
) -> None:
    shutil.copyfile(bi_bundle.file(TOKENIZER), tmp_path / TOKENIZER)
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InvalidManifest, match=r"config\.json is not"):
        Tokenizer.load(replace(bi_bundle, path=tmp_path))


@pytest.mark.parametrize("found", [-1, 1 << 40, "0", None])
def test_padding_token_that_is_none_leaves_the_tokenizers_own(
    bi_bundle: Bundle, tmp_path: Path, found: object
) -> None:
    shutil.copyfile(bi_bundle.file(TOKENIZER), tmp_path / TOKENIZER)
    (tmp_path / "config.json").write_text(json.dumps({"pad_token_id": found}))
    assert Tokenizer.load(replace(bi_bundle, path=tmp_path)).pad_id == 0
