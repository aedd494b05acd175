"""A model cut to its first layers is that model with fewer layers, and whole again on request."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from sentence_transformers import CrossEncoder

from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec
from onnx_export.tests.matrix.vocabularies import Vocabularies
from onnx_export.tests.matrix.workshop import draw

pytestmark = pytest.mark.torch
PAIRS = [("how is bread made", "of water and salt"), ("who was king", "the king lives there")]
SMALL = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 64,
    "num_labels": 1,
}
LAYERS = 3
# Layers in a list, layers of several kinds, one layer used again and again, another config's name.
CONFIGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "bert": (transformers.BertConfig, SMALL | {"num_hidden_layers": LAYERS}),
    "modernbert": (
        transformers.ModernBertConfig,
        SMALL | {"num_hidden_layers": LAYERS, "global_attn_every_n_layers": 2},
    ),
    "albert": (
        transformers.AlbertConfig,
        SMALL | {"num_hidden_layers": LAYERS, "embedding_size": 8},
    ),
    "distilbert": (
        transformers.DistilBertConfig,
        {"dim": 16, "n_layers": LAYERS, "n_heads": 2, "hidden_dim": 16, "num_labels": 1},
    ),
}


@pytest.fixture(scope="session", params=list(CONFIGS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(request.param, tmp_path_factory.mktemp(request.param))


def write(name: str, folder: Path, **changes: Any) -> Path:
    tokenizer = Vocabularies().bert
    kind, sizes = CONFIGS[name]
    config = kind(vocab_size=len(tokenizer), pad_token_id=0, **(sizes | changes))
    model: Any = transformers.AutoModelForSequenceClassification
    draw(model.from_config(config), 0.3).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def load(folder: Path, layers: int | None) -> Any:
    return load_reference(read_spec(ModelFolder(folder, "org/model"), Options(layers=layers)))


def test_cut_model_gives_what_its_first_layers_give(folder: Path, tmp_path: Path) -> None:
    """The same weights read into a model that has no more layers."""
    cut = load(folder, 2)
    cut.transformer.config.save_pretrained(tmp_path)
    cut.transformer.save_pretrained(tmp_path)
    cut.model.tokenizer.save_pretrained(tmp_path)
    shorter = CrossEncoder(str(tmp_path), device="cpu", model_kwargs={"dtype": "float32"})
    assert shorter.model.config.num_hidden_layers == 2
    expected = load(tmp_path, None).logits(PAIRS)
    assert np.abs(cut.logits(PAIRS) - expected).max() < 1e-6


def test_cut_can_be_undone_for_a_while(folder: Path) -> None:
    cut = load(folder, 1)
    before = cut.logits(PAIRS)
    with cut.layer_cut.undone():
        whole = cut.logits(PAIRS)
    assert whole.tolist() == load(folder, None).logits(PAIRS).tolist()
    assert np.abs(whole - before).max() > 0.01
    assert cut.logits(PAIRS).tolist() == before.tolist()


def test_config_says_how_many_layers_are_left(folder: Path, tmp_path: Path) -> None:
    cut = load(folder, 2)
    cut.write_tokenizer_and_config(tmp_path)
    assert transformers.AutoConfig.from_pretrained(tmp_path).num_hidden_layers == 2


@pytest.mark.parametrize("layers", [0, -1, LAYERS + 1])
def test_layers_that_the_model_lacks_are_refused_with_those_it_has(
    folder: Path, layers: int
) -> None:
    with pytest.raises(UsageError, match=f"--layers {layers}: org/model has {LAYERS} layers"):
        load(folder, layers)


def test_layers_in_several_groups_that_share_weights_cannot_be_told_apart(tmp_path: Path) -> None:
    folder = write("albert", tmp_path, num_hidden_groups=2, num_hidden_layers=4)
    with pytest.raises(UnsupportedArchitecture, match="0 lists of 4 layers"):
        load(folder, 2)
