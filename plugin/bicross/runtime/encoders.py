"""The encoder of each task."""

from bicross.bundle import Bundle
from bicross.bundle.record import Task
from bicross.runtime.bi_encoder import BiEncoder
from bicross.runtime.cross_encoder import CrossEncoder
from bicross.runtime.late_interaction import LateInteractionEncoder
from bicross.runtime.session import FloatArray
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


def load_encoder(bundle: Bundle, precision: str = "fp32", threads: int | None = None) -> Encoder:
    """A working encoder of the bundle's task, or a `BundleError`."""
    return ENCODERS[bundle.manifest.task].load(bundle, precision, threads)
