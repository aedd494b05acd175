"""A pair's reference keeps its query whole, and puts the model's prompt before it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

from bicross.errors import UsageError
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec

pytestmark = pytest.mark.torch
QUERY = "bread " * 35
PASSAGE = "water and salt " * 30
MAX_TOKENS = 64


@pytest.fixture(scope="session")
def folder(models: Any) -> Path:
    found: Path = models.cross(1)
    return found


def reference(folder: Path, **options: Any) -> Any:
    return load_reference(read_spec(ModelFolder(folder, folder.name), Options(**options)))


def test_query_above_half_of_the_length_is_kept_where_the_original_alone_would_cut_it(
    folder: Path,
) -> None:
    original = CrossEncoder(str(folder), device="cpu")
    pieces: Any = original.tokenizer
    query, passage = (
        pieces(text, add_special_tokens=False)["input_ids"] for text in (QUERY, PASSAGE)
    )
    room = MAX_TOKENS - 3 - len(query)
    assert 0 < room < len(query)
    ids = [pieces.cls_token_id, *query, pieces.sep_token_id, *passage[:room], pieces.sep_token_id]
    types = [0] * (len(query) + 2) + [1] * (room + 1)
    with torch.no_grad():
        whole = original.model(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, MAX_TOKENS, dtype=torch.int64),
            token_type_ids=torch.tensor([types]),
        ).logits[0, 0]
    (found,) = reference(folder).logits([(QUERY, PASSAGE)])
    assert found == pytest.approx(float(whole), abs=1e-5)
    alone = original.predict([(QUERY, PASSAGE)], activation_fn=torch.nn.Identity())
    assert abs(found - float(alone[0])) > 1e-3


def test_prompt_stands_before_the_query(folder: Path) -> None:
    (prompted,) = reference(folder, query_prompt="how is ").logits([("bread made", PASSAGE)])
    plain = reference(folder).logits([("how is bread made", PASSAGE), ("bread made", PASSAGE)])
    assert prompted == pytest.approx(plain[0], abs=1e-6)
    assert np.ptp(plain) > 1e-3


def test_prompt_is_part_of_the_head(folder: Path) -> None:
    assert reference(folder, query_prompt="how is ").spec.head.prompt == "how is "
    assert reference(folder).spec.head.prompt is None


def test_query_that_fills_the_sequence_is_the_sample_s_fault(folder: Path) -> None:
    with pytest.raises(UsageError, match=f"fills its {MAX_TOKENS} tokens; give shorter"):
        reference(folder).logits([("bread " * MAX_TOKENS, PASSAGE)])
