"""A query with passages to logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bicross.bundle import Bundle
from bicross.bundle.heads import Rerank
from bicross.errors import InvalidManifest, UsageError
from bicross.runtime.batching import longest, pad, plan_batches
from bicross.runtime.bundle_encoder import BundleEncoder
from bicross.runtime.engine import Execution, FloatArray
from bicross.runtime.pairs import PairTemplate
from bicross.runtime.scores import combine_labels
from bicross.runtime.session import Session
from bicross.runtime.tokenization import Tokenizer, TokenSequence


@dataclass(frozen=True)
class CrossEncoder(BundleEncoder):
    session: Session
    tokenizer: Tokenizer
    head: Rerank
    template: PairTemplate | None = None

    @classmethod
    def open(cls, bundle: Bundle, execution: Execution) -> Self:
        head = bundle.manifest.rerank
        if head is None:
            raise UsageError(f"bundle {bundle.manifest.name} is for {bundle.manifest.task}")
        session = Session.load(bundle, execution)
        _require_labels(session, session.output_width or head.labels, head.labels)
        tokenizer = Tokenizer.load(bundle)
        template = PairTemplate.load(tokenizer, head.template) if head.template else None
        return cls(bundle, execution, session, tokenizer, head, template)

    @property
    def added_bytes(self) -> int:
        """UTF-8 of what the model wants around a pair, which has no more tokens than that."""
        template = self.head.template
        if template is None:
            return len((self.head.prompt or "").encode())
        return len((template.prefix + template.between + template.suffix).encode())

    def score(self, query: str, passages: Sequence[str]) -> FloatArray:
        """Logits of shape [len(passages)], float32, in the order of `passages`.

        A logit has no unit and no bounds; only its order within one query means anything. A pair
        longer than the bundle's `max_tokens` loses passage tokens, never query tokens.

        Raises `QueryTooLong` when the query leaves no room for a passage token.
        """
        sequences = self.tokenize(query, passages)
        result = np.empty(len(passages), np.float32)
        for batch in plan_batches([sequence.length for sequence in sequences]):
            result[batch] = self.run([sequences[index] for index in batch])
        return result

    def tokenize(
        self,
        query: str,
        passages: Sequence[str],
        max_passage_tokens: int | None = None,
        *,
        whole: bool = False,
    ) -> list[TokenSequence]:
        """A row per pair; see `Tokenizer.encode_pairs`."""
        if self.template is not None:
            return self.template.encode_pairs(query, passages, max_passage_tokens, whole=whole)
        query = (self.head.prompt or "") + query
        return self.tokenizer.encode_pairs(query, passages, max_passage_tokens, whole=whole)

    def run(self, sequences: Sequence[TokenSequence]) -> FloatArray:
        """One run of the model: one logit per pair, [len(sequences)]. At least one sequence."""
        side = self.bundle.manifest.padding_side or "right"
        width = self.execution.width(longest(sequences), self.tokenizer.max_tokens)
        logits = self.session.run(pad(sequences, self.tokenizer.pad_id, side, width))
        _require_labels(self.session, logits.shape[-1], self.head.labels)
        return combine_labels(logits, self.head.relevance_label)


def _require_labels(session: Session, found: int, labels: int) -> None:
    if found != labels:
        raise InvalidManifest(
            f"{session.who}: the graph's {session.output} has {found} labels "
            f"but manifest.json says {labels}; export again"
        )
