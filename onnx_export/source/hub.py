"""A model's folder on this machine: a local one as it is, one of the hub's downloaded.

Only safetensors are taken: a pickle can run code when it is read.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from bicross.errors import (
    EnvironmentProblem,
    MissingFile,
    PickleRefused,
    RemoteCodeRefused,
    UsageError,
)
from onnx_export.source.model_files import read_config, read_json, read_modules
from onnx_export.source.own_files import require_own_files

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
WEIGHTS = "*.safetensors"
PATTERNS = ["*.json", "*.txt", "*.model", "*.md", "LICENSE*", "NOTICE*", WEIGHTS]
# Folders of other libraries' weights beside those that are exported.
OTHER_WEIGHTS = ["onnx/*", "openvino/*"]
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ModelFolder:
    """`model` is the hub's id or the local folder's name, `revision` the hub's commit."""

    path: Path
    model: str
    revision: str | None = None


def find_model(model: str, revision: str | None = None, *, trust_remote_code: bool) -> ModelFolder:
    """Raises `UsageError` where there is no such model, `EnvironmentProblem` where the hub does not
    answer, `RemoteCodeRefused`, `PickleRefused` and `NotARegularFile` for what the folder holds.
    """
    path = Path(model)
    if path.is_dir():
        if revision is not None:
            raise UsageError(f"--revision {revision}: {model} is a local folder, which has none")
        # Not resolved: a link's own name says more than its target's.
        folder = ModelFolder(path, (path if path.name.strip(".") else path.resolve()).name)
    elif HUB_ID.fullmatch(model) and not path.exists():
        folder = _download(model, revision, trust_remote_code=trust_remote_code)
    else:
        raise UsageError(f"{model} is neither a folder here nor an id of the hub")
    require_own_files(folder.path)
    if not trust_remote_code:
        _refuse_remote_code(folder)
    _refuse_pickles(folder)
    return folder


def weight_files(path: Path) -> list[Path]:
    """The safetensors of a folder and its modules, in the order of their paths."""
    files = [file for file in path.rglob(WEIGHTS) if file.is_file()]
    skipped = {pattern.partition("/")[0] for pattern in OTHER_WEIGHTS}
    return sorted(file for file in files if file.relative_to(path).parts[0] not in skipped)


def weights_sha256(files: list[Path]) -> str:
    """The sha256 of all the files' bytes, one file after another: of one file, its own."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def _download(model: str, revision: str | None, *, trust_remote_code: bool) -> ModelFolder:
    from huggingface_hub import snapshot_download  # noqa: PLC0415  only for a hub's id
    from huggingface_hub.errors import (  # noqa: PLC0415
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    patterns = [*PATTERNS, "*.py"] if trust_remote_code else PATTERNS
    try:
        path = snapshot_download(
            model, revision=revision, allow_patterns=patterns, ignore_patterns=OTHER_WEIGHTS
        )
    except RevisionNotFoundError:
        raise UsageError(f"--revision {revision}: the hub's {model} has no such revision") from None
    except RepositoryNotFoundError:
        raise UsageError(
            f"{model} is neither a folder here nor a model that the hub shows to you"
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise EnvironmentProblem(
            f"{model} is no folder here, and the Hugging Face hub does not answer "
            f"({type(error).__name__}); check the network, or give the path of a local folder"
        ) from None
    # The hub's cache names a snapshot by its commit.
    return ModelFolder(Path(path), model, Path(path).name)


def _refuse_remote_code(folder: ModelFolder) -> None:
    modules = read_modules(folder.path)
    # A static embedding has no config.json, and routes have theirs in folders of their own.
    if not modules:
        read_config(folder.path)
    parts = [module.type for module in modules if module.is_foreign]
    for file in sorted(folder.path.rglob("config.json")):
        name = file.relative_to(folder.path).as_posix()
        config = read_json(folder.path, name)
        if config.get("auto_map") and not _has_own_code(config.get("model_type")):
            parts.append(f"auto_map of {name}: {', '.join(sorted(config['auto_map']))}")
    if parts:
        raise RemoteCodeRefused(
            f"{folder.model} needs code from its own repository ({parts[0]}); "
            "read that code, then pass --trust-remote-code"
        )


def _has_own_code(model_type: object) -> bool:
    """Whether transformers has code for the model type: it prefers that to the repository's."""
    from transformers import CONFIG_MAPPING  # noqa: PLC0415  takes seconds

    return model_type in CONFIG_MAPPING


def _refuse_pickles(folder: ModelFolder) -> None:
    """Every part of the model that has pickled weights must have safetensors too.

    The hub's pickles are never downloaded: there, missing safetensors mean that all is pickled.
    """
    path = folder.path
    for pickled in sorted(path.rglob("pytorch_model*.bin")):
        if not list(pickled.parent.glob(WEIGHTS)):
            raise PickleRefused(
                f"{pickled.relative_to(path).as_posix()} is a pickle, and there are no safetensors "
                "beside it; convert it (save_pretrained writes safetensors) and export that"
            )
    # A router's are in the folders of its routes.
    if weight_files(path):
        return
    if folder.revision is not None:
        raise PickleRefused(
            f"the hub's {folder.model} offers no safetensors, only pickles such as "
            "pytorch_model.bin; convert it (save_pretrained writes safetensors) and export that"
        )
    raise MissingFile(f"{path} holds no weights: no *.safetensors")
