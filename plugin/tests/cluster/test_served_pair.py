"""A server that runs another pair than bicross.toml names is refused, with the remedy."""

import pytest

from bicross.cluster.config import ModelTable
from bicross.cluster.served import Catalog, ServedModel, Sighting
from bicross.errors import ClusterConflict

SERVED = ServedModel("m", "rerank", "ab" * 32, "onnxruntime", "fp32")
CATALOG = Catalog((Sighting("node/here", SERVED),), ())


def test_the_pair_named_is_accepted() -> None:
    table = ModelTable(model_id="m", engine="onnxruntime", precision="fp32")
    assert CATALOG.resolve(table, "rerank") == CATALOG.resolve(ModelTable(model_id="m"), "rerank")


@pytest.mark.parametrize(("key", "told"), [("engine", "openvino"), ("precision", "bf16")])
def test_another_is_refused(key: str, told: str) -> None:
    table = ModelTable.model_validate({"model_id": "m", key: told})
    with pytest.raises(ClusterConflict, match=rf"{key} '{told}'.*start `bicross serve`"):
        CATALOG.resolve(table, "rerank")
