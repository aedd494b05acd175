"""How each precision is made: once, or with ever more products in float until it ranks well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onnx_export.precision import dynamic_int8, fp16, static_int8, weight_only
from onnx_export.precision.exclusion import SHARES, Approximate, Product, by_harm, share_of
from onnx_export.precision.material import Convert, Material


@dataclass(frozen=True)
class Method:
    """Without `approximate` nothing is left in float by trial."""

    convert: Convert
    approximate: Approximate | None = None


METHODS: Mapping[str, Method] = {
    "fp16": Method(fp16.convert),
    "int8": Method(dynamic_int8.convert, dynamic_int8.approximate),
    "int8_static": Method(static_int8.convert, dynamic_int8.approximate),
    "int8_weight": Method(weight_only.converter(8), weight_only.approximation(8)),
    "int4_weight": Method(weight_only.converter(4), weight_only.approximation(4)),
}
# By the file of the graph.
Kept = dict[str, tuple[Product, ...]]


def trials(method: Method, materials: Mapping[str, Material]) -> Iterator[Kept]:
    """What is left in float in each graph, trial after trial."""
    yield dict.fromkeys(materials, ())
    if method.approximate is None:
        return
    harmful = {file: by_harm(material, method.approximate) for file, material in materials.items()}
    tried = {0}
    for share in SHARES[1:]:
        kept = {file: share_of(products, share) for file, products in harmful.items()}
        count = sum(map(len, kept.values()))
        if count not in tried:
            tried.add(count)
            yield kept
