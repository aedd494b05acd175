"""Layers that see no padding compute what they compute with it."""

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
import transformers
from torch import Tensor, nn

from bicross.bundle import open_bundle
from bicross.bundle.layout import GRAPH
from bicross.runtime.ranking.samples import Sample
from onnx_export.graph.unpadding import LAYERS, can_skip_padding, layers_without_padding
from onnx_export.publish import Request, export_model
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options
from onnx_export.tests.matrix.workshop import draw

pytestmark = pytest.mark.torch
HIDDEN = 32
SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": HIDDEN,
    "embedding_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}
# DistilBERT's own names.
DISTILBERT = {"dim": HIDDEN, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
LENGTHS = (16, 3, 9)
NO_MODULE = nn.Identity()


def transformer(kind: str) -> Any:  # untyped in transformers
    config = transformers.AutoConfig.for_model(
        kind, **(SIZES | (DISTILBERT if kind == "distilbert" else {}))
    )
    made: Any = transformers.AutoModel
    return draw(made.from_config(config, attn_implementation="eager"), 0.3).eval()


def batch(lengths: tuple[int, ...] = LENGTHS, columns: int = 16) -> tuple[Tensor, Tensor]:
    """Ids [rows, columns], other ones in each place, and their mask."""
    ids = torch.arange(len(lengths) * columns).reshape(len(lengths), columns) % 45 + 4
    mask = (torch.arange(columns) < torch.tensor(lengths)[:, None]).to(torch.int64)
    # RoBERTa's family finds positions by the id of padding, which these have in common.
    return torch.where(mask == 1, ids, 1), mask


def computed(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    features = {"input_ids": ids, "attention_mask": mask}
    with torch.no_grad(), layers_without_padding(model, features, wanted=True):
        found: Tensor = model(**features).last_hidden_state
    return found


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_tokens_are_what_they_are_with_padding(kind: str) -> None:
    model, (ids, mask) = transformer(kind), batch()
    with torch.no_grad():
        expected = model(input_ids=ids, attention_mask=mask).last_hidden_state
    found = computed(model, ids, mask)
    assert found.shape == expected.shape
    tokens = mask == 1
    assert (found - expected)[tokens].abs().max() < 1e-5
    assert expected[tokens].std() > 0.1


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_layers_compute_on_tokens_alone(kind: str) -> None:
    model, seen = transformer(kind), []
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda _, args, __: seen.append(args[0].shape[:-1]))
    computed(model, *batch())
    layers = [shape for shape in seen if len(shape) == 2]
    assert set(layers) == {(1, sum(LENGTHS))}
    # Six matrices a layer; a pooler sees one vector a row.
    assert len(layers) >= 2 * 6


def test_text_without_tokens_disturbs_no_other() -> None:
    model, (ids, mask) = transformer("bert"), batch((16, 0, 9))
    with torch.no_grad():
        expected = model(input_ids=ids, attention_mask=mask).last_hidden_state
    found = computed(model, ids, mask)
    assert (found - expected)[mask == 1].abs().max() < 1e-5


def test_transformer_is_afterwards_what_it_was() -> None:
    model, (ids, mask) = transformer("bert"), batch()
    within = layers_without_padding(model, {"attention_mask": mask}, wanted=True)
    with pytest.raises(RuntimeError, match="once"), within:
        raise RuntimeError("once")
    assert model.config._attn_implementation == "eager"
    assert not model.encoder._forward_hooks
    assert not model.encoder._forward_pre_hooks
    with torch.no_grad():
        model(input_ids=ids[:1], attention_mask=mask[:1])


def test_other_modules_and_models_own_code_are_left_alone() -> None:
    own = transformer("bert")
    own.__class__ = type("Own", (type(own),), {"__module__": "repository.modeling"})
    assert not can_skip_padding(own)
    assert not can_skip_padding(transformer("mpnet"))
    assert not can_skip_padding(NO_MODULE)


@pytest.mark.parametrize("keep", [False, True])
def test_manifest_says_whether_a_graph_skips_padding(
    keep: bool, models: Any, sample: Sample, tmp_path: Path
) -> None:
    for name, folder in (("bi", models.embedding("mean")), ("cross", models.cross(1))):
        options = Options(keep_padding=keep)
        request = Request(ModelFolder(folder, name), tmp_path / name, sample, options)
        export_model(request, lambda _: None)
        bundle = open_bundle(tmp_path / name)
        assert bundle.manifest.graph.skips_padding is not keep
        nodes = onnx.load(bundle.file(GRAPH)).graph.node
        assert ("NonZero" in {node.op_type for node in nodes}) is not keep
