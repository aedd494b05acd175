"""What every encoder of single texts has: rows and a graph for each input type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from bicross.bundle import Bundle
from bicross.bundle.heads import Prompts
from bicross.bundle.record import InputType
from bicross.errors import InvalidManifest, UsageError
from bicross.runtime.batching import PaddingSide, longest, pad
from bicross.runtime.bundle_encoder import BundleEncoder
from bicross.runtime.engine import Execution, FloatArray
from bicross.runtime.session import Session
from bicross.runtime.tokenization import Tokenizer, TokenSequence

POOLING_MASK = "pooling_mask"


@dataclass(frozen=True)
class Side:
    """How the texts of one input type become numbers.

    `prompt_tokens` is 0 where the graph pools the prompt too.
    """

    tokenizer: Tokenizer
    session: Session
    prompt: str
    prompt_tokens: int


@dataclass(frozen=True)
class TextEncoder(BundleEncoder):
    """Both input types share a session unless the bundle has a graph of their own for queries."""

    sides: Mapping[InputType, Side]

    @property
    def session(self) -> Session:
        return self.session_for("passage")

    @property
    def tokenizer(self) -> Tokenizer:
        """The passages'; queries may have another."""
        return self.sides["passage"].tokenizer

    def session_for(self, input_type: InputType) -> Session:
        return self.sides[input_type].session

    def prompt(self, input_type: InputType) -> str:
        """What the model wants before a text of `input_type`; empty where it wants nothing."""
        return self.sides[input_type].prompt

    def max_tokens(self, input_type: InputType) -> int:
        return self.sides[input_type].tokenizer.max_tokens

    def fewest_tokens(self, input_type: InputType) -> int:
        """What the shortest text costs: query expansion fills its row up."""
        expansion = self.sides[input_type].tokenizer.expansion
        return expansion.length if expansion is not None else 0

    def tokenize(
        self, texts: Sequence[str], input_type: InputType, *, whole: bool = False
    ) -> list[TokenSequence]:
        """Each text after its prompt, cut to what the model takes; see `Tokenizer.encode_texts`."""
        side = self.sides[input_type]
        return side.tokenizer.encode_texts(texts, side.prompt, side.prompt_tokens, whole=whole)

    def run_graph(self, sequences: Sequence[TokenSequence]) -> FloatArray:
        """The graph's output, one row per sequence; all are of one graph, see `by_graph`."""
        side = self.sides[sequences[0].input_type]
        padding: PaddingSide = self.bundle.manifest.padding_side or "right"
        width = self.execution.width(longest(sequences), side.tokenizer.max_tokens)
        return side.session.run(pad(sequences, side.tokenizer.pad_id, padding, width))

    def by_graph(self, sequences: Sequence[TokenSequence]) -> list[list[int]]:
        """Indices into `sequences`, one list for each graph that they need, in their order."""
        groups: dict[int, list[int]] = {}
        for index, sequence in enumerate(sequences):
            groups.setdefault(id(self.session_for(sequence.input_type)), []).append(index)
        return list(groups.values())


def load_sides(bundle: Bundle, execution: Execution) -> dict[InputType, Side]:
    """Ready to run; raises as `BundleEncoder.open` does."""
    manifest = bundle.manifest
    passages = Session.load(bundle, execution)
    own = manifest.query_graph is not None
    queries = Session.load(bundle, execution, "query") if own else passages
    sessions: dict[InputType, Session] = {"query": queries, "passage": passages}
    prompts: Prompts = getattr(manifest.head, "prompts", Prompts())
    sides: dict[InputType, Side] = {}
    for input_type in get_args(InputType):
        tokenizer, session = Tokenizer.load(bundle, input_type), sessions[input_type]
        prompt: str = getattr(prompts, input_type)
        counted = tokenizer.count_prompt(prompt) if POOLING_MASK in session.inputs else 0
        sides[input_type] = Side(tokenizer, session, prompt, counted)
    return sides


def wrong_task(bundle: Bundle) -> UsageError:
    return UsageError(f"bundle {bundle.manifest.name} is for {bundle.manifest.task}")


def require_widths(sides: Mapping[InputType, Side], dimensions: int) -> None:
    """As `require_width`, of every graph that fixes its last dimension."""
    for side in sides.values():
        require_width(side.session, side.session.output_width or dimensions, dimensions)


def require_width(session: Session, found: int, dimensions: int) -> None:
    """Raises `InvalidManifest` where the graph gives other `dimensions` than the head has."""
    if found != dimensions:
        raise InvalidManifest(
            f"{session.who}: the graph's {session.output} has {found} dimensions "
            f"but manifest.json says {dimensions}; export again"
        )
