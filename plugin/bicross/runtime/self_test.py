"""Does this machine give the bundle's golden outputs again?"""

from bicross.bundle import Bound, Bundle, Comparison, Goldens
from bicross.bundle.token_comparison import compare_token_vectors, compare_weights
from bicross.errors import InvalidManifest
from bicross.runtime.bi_encoder import BiEncoder
from bicross.runtime.cross_encoder import CrossEncoder
from bicross.runtime.encoders import Encoder
from bicross.runtime.engine.precisions import BASIS, HINT
from bicross.runtime.hinted_bound import hinted_bound
from bicross.runtime.late_interaction import LateInteractionEncoder, maxsim


def self_test(encoder: Encoder, bundle: Bundle) -> Comparison:
    """How far `encoder` is from the bundle's goldens, within its precision's bound.

    The bound is the same for every engine: OpenVINO's float32 strays from the goldens of the tiny
    bundles, MiniLM-L6 and two cross-encoders by no more than 1.7 times what onnxruntime's does, a
    tenth of the bound.

    Raises `GoldenMismatch`, naming the figure, and `InvalidManifest` where no bound is given.
    """
    comparison = _compare(encoder, bundle.goldens)
    who = f"bundle {bundle.manifest.name}, {encoder.precision} in {encoder.engine}"
    comparison.require(golden_bound(bundle, encoder.precision), who)
    return comparison


def golden_bound(bundle: Bundle, precision: str) -> Bound:
    """That of goldens.json, or for a hint that the manifest does not list the hint's own."""
    bounds = bundle.goldens.bounds
    found = bounds.get(precision)
    if found is None and precision == HINT and BASIS in bounds:
        return hinted_bound(bundle.goldens, bounds[BASIS])
    if found is None:
        raise InvalidManifest(
            f"bundle {bundle.manifest.name}: goldens.json has no bound for precision "
            f"{precision}; export again"
        )
    return found


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
