"""Early exit: a transformer of which only the first layers are kept, under its own head."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sentence_transformers.base.modules import Transformer
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from bicross.errors import UnsupportedArchitecture, UsageError

# Configs that say for each layer what it is.
PER_LAYER = ("layer_types", "mlp_layer_types")


@dataclass(frozen=True)
class LayerList:
    """Where a model holds its layers, one module each."""

    owner: nn.Module
    name: str
    layers: nn.ModuleList


@dataclass(frozen=True)
class LayerCut:
    """`kept` of `whole` layers. A model whose layers share their weights has no `place`."""

    config: PreTrainedConfig
    kept: int
    whole: int
    kinds: dict[str, list[str]]
    place: LayerList | None

    def apply(self) -> None:
        self._keep(self.kept)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """The whole model, for as long as the context lasts."""
        self._keep(self.whole)
        try:
            yield
        finally:
            self._keep(self.kept)

    def _keep(self, count: int) -> None:
        if self.place is not None:
            setattr(self.place.owner, self.place.name, self.place.layers[:count])
        self.config.num_hidden_layers = count
        for name, kinds in self.kinds.items():
            setattr(self.config, name, kinds[:count])


def cut_layers(who: str, model: nn.Module, kept: int) -> LayerCut:
    """Leaves the first `kept` layers in `model`'s transformer; the result can undo it.

    Raises `UsageError` for more layers than there are, and `UnsupportedArchitecture` where they
    cannot be told.
    """
    transformer = _only_transformer(who, model)
    config = transformer.config.get_text_config()
    whole = getattr(config, "num_hidden_layers", None)
    if not isinstance(whole, int) or transformer.config.is_encoder_decoder:
        raise UnsupportedArchitecture(
            f"{who}: {type(transformer).__name__} does not say how many layers it has "
            "(num_hidden_layers), or has a decoder beside its encoder; export it without --layers"
        )
    if not 1 <= kept <= whole:
        raise UsageError(f"--layers {kept}: {who} has {whole} layers; keep from 1 to {whole}")
    kinds = {
        name: list(found)
        for name in PER_LAYER
        if (found := getattr(config, name, None)) is not None
    }
    shares = getattr(config, "num_hidden_groups", None) == 1
    place = None if shares else _find_layers(who, transformer, whole)
    cut = LayerCut(config, kept, whole, kinds, place)
    cut.apply()
    return cut


def _only_transformer(who: str, model: nn.Module) -> PreTrainedModel:
    found: dict[int, PreTrainedModel] = {
        id(part.model): part.model for part in model.modules() if isinstance(part, Transformer)
    }
    if len(found) != 1:
        raise UnsupportedArchitecture(
            f"{who}: has {len(found)} transformers; --layers is for a model with one"
        )
    return next(iter(found.values()))


def _find_layers(who: str, transformer: PreTrainedModel, whole: int) -> LayerList:
    """The outermost list of `whole` modules of one class."""
    found: list[tuple[str, LayerList]] = []
    for path, owner in transformer.named_modules():
        for name, child in owner.named_children():
            inside = any(path.startswith(outer) for outer, _ in found)
            if isinstance(child, nn.ModuleList) and _are_layers(child, whole) and not inside:
                found.append((f"{path}.{name}".lstrip("."), LayerList(owner, name, child)))
    if len(found) != 1:
        raise UnsupportedArchitecture(
            f"{who}: {type(transformer).__name__} has {len(found)} lists of {whole} layers "
            f"({', '.join(path for path, _ in found) or 'none'}), where --layers needs one; "
            "export it without --layers"
        )
    return found[0][1]


def _are_layers(modules: nn.ModuleList, count: int) -> bool:
    return len(modules) == count and len({type(module) for module in modules}) == 1
