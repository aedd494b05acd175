"""Servers are started so that their figures compare."""

from pathlib import Path

from benchmarks.serving.models import Model, Models
from benchmarks.serving.recipes import one_bundle, recipes

BUNDLES = Path(__file__).parents[3] / "plugin" / "tests" / "bundles"


def test_no_server_of_ours_keeps_what_it_computed() -> None:
    bi, cross = (
        Model(BUNDLES, BUNDLES / name, BUNDLES / name) for name in ("tiny-bi", "tiny-cross")
    )
    models = Models(bi, cross, cross)
    made = [*recipes(models, 1), one_bundle(models, 1)]
    ours = [recipe for recipe in made if recipe.name.startswith("bicross")]
    assert len(ours) >= 3
    for recipe in ours:
        assert recipe.environment["BICROSS_QUERY_CACHE_MB"] == "0"
        assert recipe.environment["BICROSS_SCORE_CACHE_MB"] == "0"
