"""Does this machine give the bundle's golden outputs again?"""

from bicross.bundle import Bundle, Comparison, Goldens
from bicross.bundle.token_comparison import compare_token_vectors, compare_weights
from bicross.errors import InvalidManifest
from bicross.runtime.bi_encoder import BiEncoder
from bicross.runtime.cross_encoder import CrossEncoder
from bicross.runtime.encoders import Encoder
from bicross.runtime.late_interaction import LateInteractionEncoder, maxsim


def self_test(encoder: Encoder, bundle: Bundle) -> Comparison:
    """How far `encoder` is from the bundle's goldens, within its precision's bound.

    Raises `GoldenMismatch`, naming the figure, and `InvalidManifest` where no bound is given.
    """
    goldens = bundle.goldens
    bound = goldens.bounds.get(encoder.precision)
    if bound is None:
        raise InvalidManifest(
            f"bundle {bundle.manifest.name}: goldens.json has no bound for precision "
            f"{encoder.precision}; export again"
        )
    comparison = _compare(encoder, bundle.goldens)
    comparison.require(bound, f"bundle {bundle.manifest.name}, {encoder.precision}")
    return comparison


def _compare(encoder: Encoder, goldens: Goldens) -> Comparison:
    if isinstance(encoder, CrossEncoder):
        scores = [encoder.score(query, goldens.passages).tolist() for query in goldens.queries]
        return goldens.compare_scores(scores)
    if isinstance(encoder, BiEncoder):
        return goldens.compare_vectors(
            encoder.encode(goldens.queries, "query").tolist(),
            encoder.encode(goldens.passages, "passage").tolist(),
        )
    if isinstance(encoder, LateInteractionEncoder):
        queries = encoder.encode(goldens.queries, "query")
        passages = encoder.encode(goldens.passages, "passage")
        return compare_token_vectors(
            goldens,
            [rows.tolist() for rows in queries],
            [rows.tolist() for rows in passages],
            maxsim(queries, passages).tolist(),
        )
    return compare_weights(
        goldens,
        [vector.as_dict() for vector in encoder.encode(goldens.queries, "query")],
        [vector.as_dict() for vector in encoder.encode(goldens.passages, "passage")],
    )
