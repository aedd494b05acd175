"""A bundle's numbers: texts to vectors, pairs to logits. The only room that runs a model."""

from bicross.runtime.batching import pad, plan_batches
from bicross.runtime.bi_encoder import BiEncoder
from bicross.runtime.cross_encoder import CrossEncoder
from bicross.runtime.encoders import Encoder, Row, load_encoder
from bicross.runtime.late_interaction import LateInteractionEncoder, maxsim
from bicross.runtime.scores import combine_labels, hit_score, relevance_score
from bicross.runtime.self_test import self_test
from bicross.runtime.session import FloatArray, Session
from bicross.runtime.sparse_encoder import SparseEncoder, SparseVector
from bicross.runtime.text_encoder import TextEncoder
from bicross.runtime.tokenization import Tokenizer, TokenSequence

__all__ = [
    "BiEncoder",
    "CrossEncoder",
    "Encoder",
    "FloatArray",
    "LateInteractionEncoder",
    "Row",
    "Session",
    "SparseEncoder",
    "SparseVector",
    "TextEncoder",
    "TokenSequence",
    "Tokenizer",
    "combine_labels",
    "hit_score",
    "load_encoder",
    "maxsim",
    "pad",
    "plan_batches",
    "relevance_score",
    "self_test",
]
