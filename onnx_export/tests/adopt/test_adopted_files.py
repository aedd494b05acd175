"""What lies in the bundle of an adopted folder, and whence it may come."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bicross.bundle import Bundle, open_bundle
from bicross.errors import NotARegularFile
from bicross.runtime import BiEncoder
from bicross.runtime.ranking.samples import Sample
from onnx_export.adopt.head import HeadOptions

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles"
Adopt = Callable[..., Bundle]


def vectors(bundle: Bundle, sample: Sample) -> np.ndarray:
    return BiEncoder.load(bundle, threads=1).encode(sample.passages, "passage")


def test_what_the_folder_does_not_say_is_written_for_other_libraries(
    adopt: Adopt, tokens_only: Path
) -> None:
    for name in ("modules.json", "tokenizer_config.json", "config_sentence_transformers.json"):
        (tokens_only / name).unlink()
    shutil.rmtree(tokens_only / "1_Pooling")
    head = HeadOptions(pooling="cls", normalize=True, query_prompt="q: ", passage_prompt="p: ")
    bundle = adopt(tokens_only, head, max_tokens=48)
    read: dict[str, Any] = {
        name: json.loads(bundle.file(name).read_text())
        for name in bundle.manifest.files
        if name.endswith(".json")
    }
    types = [row["type"].rpartition(".")[2] for row in read["modules.json"]]
    assert types == ["Transformer", "Pooling", "Normalize"]
    assert read["1_Pooling/config.json"]["pooling_mode_cls_token"] is True
    assert read["1_Pooling/config.json"]["pooling_mode_mean_tokens"] is False
    prompts = read["config_sentence_transformers.json"]["prompts"]
    assert prompts == {"query": "q: ", "document": "p: "}
    assert read["sentence_bert_config.json"]["max_seq_length"] == 48
    assert read["tokenizer_config.json"]["model_max_length"] == 48
    assert read["tokenizer_config.json"]["pad_token"] == "[PAD]"  # noqa: S105  a token of the vocabulary


def test_link_out_of_the_folder_is_refused(adopt: Adopt, bi: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (bi / "config_sentence_transformers.json").unlink()
    (bi / "config_sentence_transformers.json").symlink_to(tmp_path / "secret")
    with pytest.raises(NotARegularFile, match=r"config_sentence_transformers\.json is a link"):
        adopt(bi)


def test_snapshot_of_the_hubs_cache_is_adopted_through_its_links(
    adopt: Adopt, bi: Path, tmp_path: Path, sample: Sample
) -> None:
    snapshot = tmp_path / "models--own--tiny" / "snapshots" / "0123abc"
    blobs = snapshot.parents[1] / "blobs"
    blobs.mkdir(parents=True)
    for number, file in enumerate(file for file in sorted(bi.rglob("*")) if file.is_file()):
        shutil.move(file, blobs / str(number))
        link = snapshot / file.relative_to(bi)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blobs / str(number))
    bundle = adopt(snapshot)
    assert not any(path.is_symlink() for path in bundle.path.rglob("*"))
    assert (
        np.abs(vectors(bundle, sample) - vectors(open_bundle(TINY / "tiny-bi"), sample)).max()
        < 1e-6
    )
