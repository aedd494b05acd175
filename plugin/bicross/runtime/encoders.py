"""The encoder of each task."""

from bicross.bundle import Bundle
from bicross.bundle.record import Task
from bicross.runtime.bi_encoder import BiEncoder
from bicross.runtime.cross_encoder import CrossEncoder
from bicross.runtime.engine import Execution, FloatArray
from bicross.runtime.late_interaction import LateInteractionEncoder
from bicross.runtime.sparse_encoder import SparseEncoder, SparseVector

# What one sequence gives: a vector, a logit of shape [], a matrix of token vectors, token weights.
Row = FloatArray | SparseVector
Encoder = BiEncoder | SparseEncoder | LateInteractionEncoder | CrossEncoder
ENCODERS: dict[Task, type[Encoder]] = {
    "text_embedding": BiEncoder,
    "sparse_embedding": SparseEncoder,
    "late_interaction": LateInteractionEncoder,
    "rerank": CrossEncoder,
}


def load_encoder(
    bundle: Bundle,
    precision: str = "fp32",
    threads: int | None = None,
    *,
    engine: str = "onnxruntime",
    streams: int = 1,
) -> Encoder:
    """A working encoder of the bundle's task; raises as `BundleEncoder.open` does.

    `threads` are those of all streams together, by default the cores available. `run` may be
    called by `streams` threads at once.
    """
    return open_encoder(bundle, Execution(engine, precision, threads, streams))


def open_encoder(bundle: Bundle, execution: Execution) -> Encoder:
    return ENCODERS[bundle.manifest.task].open(bundle, execution)
