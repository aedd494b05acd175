"""README.md of a bundle, from its manifest alone."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import Manifest, open_bundle
from onnx_export.model_card import model_card, with_model_card

TINY = Path(__file__).parents[2] / "plugin" / "tests" / "bundles"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.fixture(params=["tiny-bi", "tiny-cross"])
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return open_bundle(TINY / request.param).manifest


def changed(manifest: Manifest, **parts: Any) -> Manifest:
    return manifest.model_copy(update=parts)


def test_same_manifest_gives_the_same_text(manifest: Manifest) -> None:
    assert model_card(manifest) == model_card(Manifest.parse(manifest.to_json()))


def test_card_says_what_the_bundle_is(manifest: Manifest) -> None:
    text = model_card(manifest)
    for value in (manifest.name, manifest.task, manifest.digest, manifest.source.weights_sha256):
        assert value in text
    assert f"| longest sequence | {manifest.max_tokens} tokens" in text
    for tool, version in manifest.tools.items():
        assert f"| {tool} | {version} |" in text


def test_card_shows_each_figure_with_its_bound() -> None:
    manifest = open_bundle(TINY / "tiny-bi").manifest
    parity = {"max_abs_diff": 1.25e-7, "bound.max_abs_diff": 1e-5, "sample": "tiny: 8 queries"}
    record = manifest.precisions["fp32"].model_copy(update={"parity": parity})
    half = record.model_copy(update={"file": "onnx/model_fp16.onnx", "speed": {"speedup": 1.5}})
    text = model_card(changed(manifest, precisions={"fp32": record, "fp16": half}))
    assert "| max_abs_diff | 1.25e-07 | 1e-05 |" in text
    assert "| sample | tiny: 8 queries |" in text
    assert "### fp16: `onnx/model_fp16.onnx`" in text
    assert "| speedup | 1.5 |" in text
    assert "bicross serve FOLDER --precision fp16" in text


def test_card_says_how_far_each_precision_moves_with_its_batch() -> None:
    manifest = open_bundle(TINY / "tiny-bi").manifest
    record = manifest.precisions["fp32"]
    unknown = model_card(manifest)
    assert "shares its batch" not in unknown
    still = record.model_copy(update={"moved_by_batch": 2e-7})
    moving = record.model_copy(update={"moved_by_batch": 0.03, "parity": "not measured"})
    text = model_card(changed(manifest, precisions={"fp32": still, "int8": moving}))
    _, fp32, int8 = text.split("\n### ")
    assert "a number of a text's output moved by 2e-07 or less" in fp32
    assert "a number of a text's output moved by 0.03 or less" in int8


def test_card_says_that_an_adopted_graph_had_no_original() -> None:
    manifest = open_bundle(TINY / "tiny-cross").manifest
    record = manifest.precisions["fp32"].model_copy(update={"parity": "not measured"})
    text = model_card(
        changed(manifest, precisions={"fp32": record}, tools={"bicross": "1", "onnx": "1.23"})
    )
    assert "there was no torch model to compare with" in text


def test_front_matter_is_the_hubs() -> None:
    manifest = open_bundle(TINY / "tiny-cross").manifest
    source = manifest.source.model_copy(
        update={"model": "own/cross", "revision": "0123abc", "license": "apache-2.0"}
    )
    front = model_card(changed(manifest, source=source)).split("---\n")[1].splitlines()
    assert "license: apache-2.0" in front
    assert 'base_model: "own/cross"' in front
    assert "pipeline_tag: text-ranking" in front
    assert "- onnx" in front
    assert not any(line.startswith(("license", "base_model")) for line in _front(manifest))


def _front(manifest: Manifest) -> list[str]:
    return model_card(manifest).split("---\n")[1].splitlines()


def test_python_in_the_card_is_python(manifest: Manifest) -> None:
    blocks = PYTHON.findall(model_card(manifest))
    assert len(blocks) == 2
    for block in blocks:
        ast.parse(block)


def test_text_from_elsewhere_does_not_break_the_page() -> None:
    manifest = open_bundle(TINY / "tiny-bi").manifest
    assert manifest.embedding is not None
    prompts = manifest.embedding.prompts.model_copy(update={"query": 'a | b\n# c `d` "e"'})
    source = manifest.source.model_copy(update={"model": "x`\n# y"})
    head = manifest.embedding.model_copy(update={"prompts": prompts})
    text = model_card(changed(manifest, embedding=head, source=source))
    assert r"| prompt of a query | `" in text
    assert "\n# c" not in text
    assert "\n# y" not in text
    for block in PYTHON.findall(text):
        ast.parse(block)


def test_card_is_recorded_and_leaves_the_digest(tmp_path: Path, manifest: Manifest) -> None:
    recorded = with_model_card(manifest, tmp_path)
    assert recorded.files["README.md"].size == (tmp_path / "README.md").stat().st_size
    assert recorded.sealed().digest == manifest.digest
