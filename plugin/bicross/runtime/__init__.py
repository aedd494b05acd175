"""A bundle's numbers: texts to vectors, pairs to logits. The only room that runs a model."""

from bicross.runtime.batching import pad, plan_batches, run_cost
from bicross.runtime.bi_encoder import BiEncoder
from bicross.runtime.cross_encoder import CrossEncoder
from bicross.runtime.encoders import Encoder, Row, load_encoder, open_encoder
from bicross.runtime.engine import (
    ENGINES,
    EngineName,
    Execution,
    FloatArray,
    available_threads,
    installed_engines,
    require_precision,
    runnable_precisions,
)
from bicross.runtime.late_interaction import LateInteractionEncoder, maxsim
from bicross.runtime.scores import combine_labels, hit_score, relevance_score
from bicross.runtime.self_test import self_test
from bicross.runtime.session import Session
from bicross.runtime.sparse_encoder import SparseEncoder, SparseVector
from bicross.runtime.text_encoder import TextEncoder
from bicross.runtime.tokenization import Tokenizer, TokenSequence

__all__ = [
    "ENGINES",
    "BiEncoder",
    "CrossEncoder",
    "Encoder",
    "EngineName",
    "Execution",
    "FloatArray",
    "LateInteractionEncoder",
    "Row",
    "Session",
    "SparseEncoder",
    "SparseVector",
    "TextEncoder",
    "TokenSequence",
    "Tokenizer",
    "available_threads",
    "combine_labels",
    "hit_score",
    "installed_engines",
    "load_encoder",
    "maxsim",
    "open_encoder",
    "pad",
    "plan_batches",
    "relevance_score",
    "require_precision",
    "run_cost",
    "runnable_precisions",
    "self_test",
]
