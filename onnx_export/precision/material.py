"""What a precision is made from: a float32 graph and batches that it is run on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from bicross.bundle import Bundle
from bicross.runtime import CrossEncoder, Encoder, TokenSequence
from bicross.runtime.batching import pad
from bicross.runtime.engine import IntArray
from bicross.runtime.session import Session
from onnx_export.gate.batches import tokenize
from onnx_export.gate.probes import Probes

GraphWork = dict[str, float | str]
Feeds = dict[str, IntArray]
BATCH = 8
# Of a cross-encoder's pairs; a bi-encoder's texts are fewer.
CALIBRATION_ROWS = 128


@dataclass(frozen=True)
class Material:
    """`feeds` are the sample's batches, as this graph takes them."""

    graph: Path
    feeds: tuple[Feeds, ...]

    def load(self) -> onnx.ModelProto:
        """With its weights."""
        return onnx.load(self.graph)

    def outline(self) -> onnx.ModelProto:
        """Without weights that lie in a file of their own."""
        return onnx.load(self.graph, load_external_data=False)

    @property
    def has_external_weights(self) -> bool:
        return self.graph.with_name(f"{self.graph.name}.data").exists()


# Writes `target` from a material, leaving the nodes named in float; says what was done.
Convert = Callable[[Material, Path, Sequence[str]], GraphWork]


def gather(bundle: Bundle, encoder: Encoder, probes: Probes) -> dict[str, Material]:
    """By the file of the graph inside the bundle: one, or one for each input type."""
    record = bundle.manifest.precisions["fp32"]
    sequences = tokenize(encoder, probes.mixed.inputs[:CALIBRATION_ROWS])
    if isinstance(encoder, CrossEncoder):
        feeds = _feeds(bundle, encoder.session, encoder.tokenizer.pad_id, sequences)
        return {record.file: Material(bundle.file(record.file), feeds)}
    found = {}
    for rows in encoder.by_graph(sequences):
        own = [sequences[row] for row in rows]
        side = encoder.sides[own[0].input_type]
        is_query = record.query_file is not None and own[0].input_type == "query"
        file = (record.query_file if is_query else None) or record.file
        found[file] = Material(
            bundle.file(file), _feeds(bundle, side.session, side.tokenizer.pad_id, own)
        )
    return found


def _feeds(
    bundle: Bundle, session: Session, pad_id: int, sequences: Sequence[TokenSequence]
) -> tuple[Feeds, ...]:
    side = bundle.manifest.padding_side or "right"
    batches = [sequences[start : start + BATCH] for start in range(0, len(sequences), BATCH)]
    arrays = [pad(batch, pad_id, side) for batch in batches]
    return tuple({name: batch[name] for name in session.inputs} for batch in arrays)
