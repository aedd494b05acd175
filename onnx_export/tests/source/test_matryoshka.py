import json
from pathlib import Path

import pytest

from bicross.bundle.heads import Embedding
from bicross.errors import UsageError
from onnx_export.source.matryoshka import read_cut, read_offer

HEAD = Embedding(dimensions=1, similarity="cosine", pooling="mean", normalize=True)
CARD = """Trained with
```json
{
    "loss": "MultipleNegativesRankingLoss",
    "matryoshka_dims": [
        384, 256,
        64
    ],
```
"""


def test_model_that_says_nothing_is_kept_whole(tmp_path: Path) -> None:
    head = read_cut(tmp_path, None, None).apply(HEAD, 384)
    assert (head.dimensions, head.matryoshka) == (384, None)


def test_dimensions_of_the_cards_loss_are_offered_below_the_vectors_own(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    assert read_cut(tmp_path, None, None).apply(HEAD, 384).matryoshka == (256, 64)
    assert read_cut(tmp_path, 256, None).apply(HEAD, 384).matryoshka == (64,)


def test_caller_decides_over_the_card(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    assert read_cut(tmp_path, None, (32, 128)).apply(HEAD, 384).matryoshka == (128, 32)
    assert read_cut(tmp_path, None, ()).apply(HEAD, 384).matryoshka is None


def test_saved_truncation_is_kept_and_the_callers_goes_before_it(tmp_path: Path) -> None:
    saved = json.dumps({"truncate_dim": 128})
    (tmp_path / "config_sentence_transformers.json").write_text(saved)
    assert read_cut(tmp_path, None, None).apply(HEAD, 384).dimensions == 128
    assert read_cut(tmp_path, 256, None).apply(HEAD, 384).dimensions == 256
    assert read_cut(tmp_path, None, None).apply(HEAD, 64).dimensions == 64


def test_more_dimensions_than_the_model_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--dimensions 512: the model has 384"):
        read_cut(tmp_path, 512, None).apply(HEAD, 384)


def test_offer_that_is_no_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--matryoshka 384: must be less than the 384"):
        read_cut(tmp_path, None, (384, 64)).apply(HEAD, 384)


def test_card_of_any_bytes_is_read(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"\xff\xfe" + CARD.encode() + b"\x00")
    assert read_cut(tmp_path, None, None).offered == (384, 256, 64)


def test_offer_is_read_as_numbers() -> None:
    assert read_offer("256, 128,64") == (256, 128, 64)
    assert read_offer("") == ()


@pytest.mark.parametrize("text", ["many", "256,-1", "0", "1.5"])
def test_offer_that_holds_no_dimensions_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected numbers of dimensions"):
        read_offer(text)
