"""From a head's outputs to one logit, from a logit to `relevance_score`, and to the hit score.

Java's twin is ScoreMap; both are tested on plugin/protocol/scores.json.
"""

import math

import numpy as np

from bicross.bundle.heads import Activation
from bicross.errors import ModelFailed
from bicross.runtime.engine import FloatArray


def combine_labels(logits: FloatArray, relevance_label: int) -> FloatArray:
    """One logit per row of `logits` [n, labels]: float32 [n].

    One label: its logit as it is. Several: the relevance label's logit minus the log-sum-exp of
    the others', which is the log of its odds under a softmax (l1 - l0 for two labels).
    """
    if logits.shape[1] == 1:
        return logits[:, 0]
    wide = logits.astype(np.float64)
    others = np.delete(wide, relevance_label, axis=1)
    # The largest is taken out first, so that no exponential overflows.
    largest = others.max(axis=1)
    log_sum = largest + np.log(np.exp(others - largest[:, None]).sum(axis=1))
    odds: FloatArray = (wide[:, relevance_label] - log_sum).astype(np.float32)
    return odds


def relevance_score(logit: float, activation: Activation) -> float:
    """What `CrossEncoder.predict` returns for `logit`, under the model's own activation.

    Under `softmax` the logit is the label's log-odds, so that its probability is a sigmoid too.
    """
    if activation == "identity":
        return logit
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    # The other half of the same curve: exp never meets a large positive number.
    grown = math.exp(logit)
    return grown / (1.0 + grown)


def hit_score(logit: float) -> float:
    """The score of a hit in Elasticsearch: `max(s, 0) + min(exp(s), 1)`, a float32 value.

    Never decreasing and never negative. Raises `ModelFailed` for NaN and the infinities: a default
    would hide a broken model.
    """
    s = np.float32(logit)
    if not np.isfinite(s):
        raise ModelFailed(f"a logit of {logit} has no hit score; only finite numbers have one")
    if s >= 0:
        return float(s + np.float32(1))
    # The exponential is rounded once, from double, so that Java gives the same bits.
    return float(np.float32(math.exp(float(s))))
