"""The libraries' bars and notices off while they work for us."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import transformers

NOISY_LOGGERS = ("torch.onnx", "transformers", "sentence_transformers")


@contextmanager
def quiet() -> Iterator[None]:
    """The libraries' bars and notices off: what matters is checked by the gate or raised."""
    loggers = [logging.getLogger(name) for name in NOISY_LOGGERS]
    levels = [logger.level for logger in loggers]
    bars = transformers.utils.logging.is_progress_bar_enabled()
    try:
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()  # type: ignore[no-untyped-call]
