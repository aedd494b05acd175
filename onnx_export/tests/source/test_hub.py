import json
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle.store import file_sha256
from bicross.errors import MissingFile, PickleRefused, RemoteCodeRefused, UsageError
from onnx_export.source.hub import find_model, weight_files, weights_sha256

CONFIG = {"model_type": "bert", "architectures": ["BertModel"]}
REMOTE = {"model_type": "new", "auto_map": {"AutoModel": "modeling.NewModel"}}


def folder(tmp_path: Path, config: dict[str, Any], *files: str) -> Path:
    target = tmp_path / "my-model"
    target.mkdir()
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(name.encode())
    (target / "config.json").write_text(json.dumps(config))
    return target


def find(path: Path, *, trust: bool = False) -> Path:
    return find_model(str(path), trust_remote_code=trust).path


def test_local_folder_is_named_by_itself(tmp_path: Path) -> None:
    path = folder(tmp_path, CONFIG, "model.safetensors")
    found = find_model(str(path), trust_remote_code=False)
    assert (found.path, found.model, found.revision) == (path, "my-model", None)


@pytest.mark.parametrize("name", ["./absent", "/absent/model", "a/b/c", "with space"])
def test_absent_path_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is neither a folder here nor an id"):
        find_model(name, trust_remote_code=False)


def test_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("x")
    with pytest.raises(UsageError, match="neither a folder"):
        find(tmp_path / "model")


def test_local_folder_has_no_revision(tmp_path: Path) -> None:
    path = folder(tmp_path, CONFIG, "model.safetensors")
    with pytest.raises(UsageError, match="--revision main"):
        find_model(str(path), "main", trust_remote_code=False)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (("pytorch_model.bin",), r"pytorch_model\.bin is a pickle"),
        (("pytorch_model-00001-of-00002.bin",), "pytorch_model-00001-of-00002"),
        (("model.safetensors", "2_Dense/pytorch_model.bin"), r"2_Dense/pytorch_model\.bin"),
    ],
)
def test_pickle_without_safetensors_is_refused(
    tmp_path: Path, files: tuple[str, ...], named: str
) -> None:
    with pytest.raises(PickleRefused, match=rf"{named}.*safetensors"):
        find(folder(tmp_path, CONFIG, *files))


def test_pickle_beside_safetensors_is_passed_over(tmp_path: Path) -> None:
    path = folder(tmp_path, CONFIG, "model.safetensors", "pytorch_model.bin")
    assert weight_files(find(path)) == [path / "model.safetensors"]


def test_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no weights"):
        find(folder(tmp_path, CONFIG))


def test_code_in_the_repository_is_refused_and_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="it knows which model types have code of their own")
    path = folder(tmp_path, REMOTE, "model.safetensors", "modeling.py")
    with pytest.raises(RemoteCodeRefused, match=r"auto_map.*AutoModel.*--trust-remote-code"):
        find(path)
    assert find(path, trust=True) == path


def test_foreign_module_is_code_too(tmp_path: Path) -> None:
    path = folder(tmp_path, CONFIG, "model.safetensors")
    rows = [{"idx": 0, "path": "", "type": "modeling.Mine"}]
    (path / "modules.json").write_text(json.dumps(rows))
    with pytest.raises(RemoteCodeRefused, match=r"modeling\.Mine"):
        find(path)


def test_auto_map_of_a_model_that_transformers_has_is_not_needed(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="it knows which model types have code of their own")
    path = folder(tmp_path, REMOTE | {"model_type": "bert"}, "model.safetensors")
    assert find(path) == path


def test_weights_digest_is_of_all_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    path = folder(
        tmp_path, CONFIG, "model.safetensors", "2_Dense/model.safetensors", "onnx/model.safetensors"
    )
    files = weight_files(path)
    assert files == [path / "2_Dense/model.safetensors", path / "model.safetensors"]
    (path / "both").write_bytes(b"2_Dense/model.safetensors" + b"model.safetensors")
    assert weights_sha256(files) == file_sha256(path / "both")
    assert weights_sha256(files[1:]) == file_sha256(path / "model.safetensors")
