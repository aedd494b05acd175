"""Which sequences share a run of the model, and the arrays of such a run."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from bicross.runtime.engine import IntArray
from bicross.runtime.tokenization import TokenSequence

PaddingSide = Literal["left", "right"]
ROW_ARRAYS = ("input_ids", "attention_mask", "token_type_ids", "pooling_mask")

TOKEN_BUDGET = 512
MAX_ROWS = 64
# Attention between so many tokens and one costs as much as all else that a token costs. Of MiniLM,
# and more in larger models: 548 tokens in rows of 128 took 126 ms on one core, 768 took 168.
ATTENDED_PER_TOKEN = 1024


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


def padding_cost(longest: int, *, skips_padding: bool) -> float:
    """What a place of padding costs in rows of `longest` tokens, in tokens: 1 where the graph
    computes on it as on any other. One that `skips_padding` has only attention compute on it.
    """
    return min(1.0, longest / ATTENDED_PER_TOKEN) if skips_padding else 1.0


def run_cost(tokens: int, rows: int, longest: int, *, skips_padding: bool) -> float:
    """What `rows` that hold so many `tokens`, the longest of them `longest`, cost, in tokens."""
    return tokens + (rows * longest - tokens) * padding_cost(longest, skips_padding=skips_padding)


def longest(sequences: Sequence[TokenSequence]) -> int:
    return max(sequence.length for sequence in sequences)


def pad(
    sequences: Sequence[TokenSequence], pad_id: int, side: PaddingSide = "right", width: int = 1
) -> dict[str, IntArray]:
    """Every array that a graph may ask for, by name: int64 [sequences, columns].

    `attention_mask` is 0 on padding and on expansion that the other tokens do not see,
    `pooling_mask` on the prompt too; `position_ids` count what is attended, from 0. There are
    `width` columns or more, at least one, since a text may have no tokens.
    """
    columns = max(1, width, longest(sequences))
    shape = (len(sequences), columns)
    arrays = {name: np.zeros(shape, np.int64) for name in ROW_ARRAYS}
    arrays["input_ids"][:] = pad_id
    for row, sequence in enumerate(sequences):
        start = columns - sequence.length if side == "left" else 0
        end = start + sequence.length
        seen = end if sequence.attends_expanded else end - sequence.expanded
        arrays["input_ids"][row, start:end] = sequence.ids
        arrays["token_type_ids"][row, start:end] = sequence.type_ids
        arrays["attention_mask"][row, start:seen] = 1
        arrays["pooling_mask"][row, start + sequence.prompt_tokens : seen] = 1
    arrays["position_ids"] = np.maximum(np.cumsum(arrays["attention_mask"], axis=1) - 1, 0)
    return arrays
