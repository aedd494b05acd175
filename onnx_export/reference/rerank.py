"""A CrossEncoder's logits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.cross_encoder.modules import LogitScore
from transformers.modeling_layers import GenericForSequenceClassification

from bicross.bundle.heads import Rerank
from bicross.errors import UnsupportedArchitecture, UsageError
from bicross.runtime import FloatArray
from onnx_export.reference.original import BATCH_ROWS, Original
from onnx_export.reference.pair_template import read_template
from onnx_export.source.spec import ModelSpec

# sentence-transformers cuts the longer part of a pair first; a search never wants its query cut.
PASSAGE_ONLY = {"text": {"truncation": "only_second"}}
# What the tokenizer says where the query alone fills the sequence.
NO_ROOM = "too short to respect the provided max_length"


class RerankReference(Original[CrossEncoder]):
    @classmethod
    def of(cls, spec: ModelSpec, model: CrossEncoder) -> "RerankReference":
        """With the head that the loaded model has.

        Raises `UnsupportedArchitecture` for pairs or padding that a bundle cannot say.
        """
        who, head = spec.folder.model, spec.head
        first = model[0]
        if not isinstance(head, Rerank) or not isinstance(first, Transformer):
            raise TypeError(who)
        _require_readable(who, model, first)
        prompt = spec.prompts.query.text or None
        template = read_template(who, first, prompt)
        own = {"template": template, "prompt": prompt}
        return cls(replace(spec, head=head.model_copy(update=own)), model)

    def logits(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        """One logit per pair, float32 [len(pairs)]: `CrossEncoder.predict` without an activation.

        Of several labels, the log-odds of the one that means relevant. Raises `UsageError` for a
        query that leaves no room for a passage.
        """
        head, choice = self.spec.head, self.spec.prompts.query
        if not isinstance(head, Rerank):
            raise TypeError(self.spec.name)
        options: dict[str, Any] = {} if head.template else {"processing_kwargs": PASSAGE_ONLY}
        options |= {"prompt_name": choice.name} if choice.name else {"prompt": choice.text}
        try:
            found: torch.Tensor = self.model.predict(
                list(pairs),
                batch_size=BATCH_ROWS,
                show_progress_bar=False,
                activation_fn=torch.nn.Identity(),
                convert_to_tensor=True,
                **options,
            )
        except Exception as error:
            if NO_ROOM not in str(error):
                raise
            raise UsageError(
                f"the sample does not fit the model: a query fills its {self.spec.max_tokens} "
                "tokens; give shorter ones with --sample"
            ) from None
        if found.ndim == 2:
            label = head.relevance_label
            others = [index for index in range(found.shape[1]) if index != label]
            found = found[:, label] - torch.logsumexp(found[:, others], dim=1)
        return found.float().numpy()


def _require_readable(who: str, model: CrossEncoder, first: Transformer) -> None:
    tokenizer = model.tokenizer
    if tokenizer.truncation_side != "right":
        raise UnsupportedArchitecture(
            f"{who}: its tokenizer cuts texts on the {tokenizer.truncation_side}; exported are "
            "cross-encoders that cut on the right (truncation_side of tokenizer_config.json)"
        )
    if tokenizer.pad_token_id is None:
        raise UnsupportedArchitecture(
            f"{who}: its tokenizer has no padding token; name one as pad_token in "
            "tokenizer_config.json"
        )
    head = model[1] if len(model) > 1 else None
    if isinstance(head, LogitScore):
        if head.true_token_id == head.false_token_id:
            raise UnsupportedArchitecture(
                f"{who}: LogitScore compares token {head.true_token_id} with itself; the tokenizer "
                "has no tokens `yes` and `no`, so save the model with a LogitScore of its own"
            )
    elif isinstance(first.model, GenericForSequenceClassification):
        _require_one_padding(who, first.config.pad_token_id, tokenizer.pad_token_id)


def _require_one_padding(who: str, of_model: int | None, of_tokenizer: int) -> None:
    """Decoders' heads read a sequence's last token, and find it by the model's own padding."""
    if of_model != of_tokenizer:
        raise UnsupportedArchitecture(
            f"{who}: config.json says pad_token_id {of_model}, but the tokenizer pads with "
            f"{of_tokenizer}, so that the original's scores depend on its batch; make them equal"
        )
