"""A CrossEncoder's logits."""

from collections.abc import Sequence

import torch
from sentence_transformers import CrossEncoder

from bicross.bundle.heads import Rerank
from bicross.runtime import FloatArray
from onnx_export.reference.original import BATCH_ROWS, Original


class RerankReference(Original[CrossEncoder]):
    def logits(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        """One logit per pair, float32 [len(pairs)]: `CrossEncoder.predict` without an activation.

        Of several labels, the log-odds of the one that means relevant.
        """
        found: torch.Tensor = self.model.predict(
            list(pairs),
            batch_size=BATCH_ROWS,
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
            convert_to_tensor=True,
        )
        if found.ndim == 2 and isinstance(self.spec.head, Rerank):
            label = self.spec.head.relevance_label
            others = [index for index in range(found.shape[1]) if index != label]
            found = found[:, label] - torch.logsumexp(found[:, others], dim=1)
        return found.float().numpy()
