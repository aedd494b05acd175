"""Where each file of a bundle lives, and which files may not lie in one.

The layout is that of the hub's folders with ONNX in them, so sentence-transformers, fastembed and
Vespa load a bundle as they load those.
"""

from pathlib import PurePosixPath

from bicross.errors import UnsafePath

MANIFEST = "manifest.json"
GOLDENS = "goldens.json"
TOKENIZER = "tokenizer.json"
CONFIG = "config.json"
GRAPH = "onnx/model.onnx"
QUERY_GRAPH = "onnx/query_model.onnx"

FORBIDDEN_SUFFIXES = frozenset({".bin", ".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".py", ".pyc"})

MAX_MANIFEST_BYTES = 4 << 20
# Token vectors of 24 texts of 8,192 tokens are the largest that are kept.
MAX_GOLDENS_BYTES = 256 << 20
MAX_FILES = 10_000


def graph_path(precision: str, graph: str = GRAPH) -> str:
    """The file of one precision of `graph`; fp32 has the plain name that every loader looks for."""
    return graph if precision == "fp32" else f"{graph.removesuffix('.onnx')}_{precision}.onnx"


def safe_path(path: str) -> str:
    """`path` itself, a relative POSIX path inside the bundle.

    Raises `UnsafePath` for an absolute path, a drive, a backslash, a NUL, or a `..` anywhere.
    """
    parts = PurePosixPath(path).parts
    unsafe = (
        path in {"", "."}
        or path.startswith("/")
        or "\\" in path
        or ":" in path
        or "\0" in path
        or ".." in parts
        or str(PurePosixPath(path)) != path
    )
    if unsafe:
        raise UnsafePath(f"unsafe path {path!r}: a bundle names its files relative to itself")
    return path
