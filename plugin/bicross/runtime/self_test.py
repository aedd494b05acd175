"""Does this machine give the bundle's golden outputs again?"""

from bicross.bundle import Bundle, Comparison
from bicross.errors import InvalidManifest
from bicross.runtime.bi_encoder import BiEncoder
from bicross.runtime.cross_encoder import CrossEncoder


def self_test(encoder: BiEncoder | CrossEncoder, bundle: Bundle) -> Comparison:
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
    if isinstance(encoder, BiEncoder):
        queries = encoder.encode(goldens.queries, "query").tolist()
        passages = encoder.encode(goldens.passages, "passage").tolist()
        comparison = goldens.compare_vectors(queries, passages)
    else:
        scores = [encoder.score(query, goldens.passages).tolist() for query in goldens.queries]
        comparison = goldens.compare_scores(scores)
    comparison.require(bound, f"bundle {bundle.manifest.name}, {encoder.precision}")
    return comparison
