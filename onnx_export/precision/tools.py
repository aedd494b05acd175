"""onnxruntime's tools called so that they leave nothing behind: no logging set up, no notices."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx


@contextmanager
def quiet_tools() -> Iterator[None]:
    """Some of them set the root logger up when imported; it is as before afterwards."""
    root = logging.getLogger()
    level, handlers, disabled = root.level, list(root.handlers), logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        root.setLevel(level)
        root.handlers[:] = handlers


def save(model: onnx.ModelProto, target: Path, *, external: bool) -> None:
    """With `external` all large tensors go into `target`.data."""
    if external:
        onnx.save_model(model, target, save_as_external_data=True, location=f"{target.name}.data")
    else:
        onnx.save_model(model, target)


def forget_inference(file: Path) -> None:
    """Drops the shapes in between that a tool noted: engines infer them anew."""
    model = onnx.load(file, load_external_data=False)
    del model.graph.value_info[:]
    del model.metadata_props[:]
    onnx.save_model(model, file)
