"""Which sequences share a run of the model, and the arrays of such a run."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bicross.runtime.tokenization import TokenSequence

IntArray = npt.NDArray[np.int64]

TOKEN_BUDGET = 512
MAX_ROWS = 64


def plan_batches(
    lengths: Sequence[int], token_budget: int = TOKEN_BUDGET, max_rows: int = MAX_ROWS
) -> list[list[int]]:
    """Batches of indices into `lengths`, longest sequences first; each index exactly once.

    A batch costs longest x rows, in tokens, since shorter rows are padded. A sequence above the
    budget travels alone; refusing it is admission's work. Equal lengths keep their order.

    Sorting by length saves padding at the price of order within one plan. Fairness between plans
    is the scheduler's.
    """
    batches: list[list[int]] = []
    rows_left = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if rows_left == 0:
            batches.append([])
            rows_left = max(1, min(max_rows, token_budget // max(1, lengths[index])))
        batches[-1].append(index)
        rows_left -= 1
    return batches


def pad(sequences: Sequence[TokenSequence], pad_id: int) -> dict[str, IntArray]:
    """`input_ids`, `attention_mask` and `token_type_ids`, int64 [sequences, longest].

    Padding is on the right and has mask 0.
    """
    shape = (len(sequences), max(sequence.length for sequence in sequences))
    arrays = {
        "input_ids": np.full(shape, pad_id, np.int64),
        "attention_mask": np.zeros(shape, np.int64),
        "token_type_ids": np.zeros(shape, np.int64),
    }
    for row, sequence in enumerate(sequences):
        arrays["input_ids"][row, : sequence.length] = sequence.ids
        arrays["attention_mask"][row, : sequence.length] = 1
        arrays["token_type_ids"][row, : sequence.length] = sequence.type_ids
    return arrays
