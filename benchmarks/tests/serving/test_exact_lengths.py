import pytest
import tokenizers
from tokenizers import models, pre_tokenizers

from benchmarks.serving.exact_lengths import cut_texts

PIECES = ["[UNK]", "play", "##ing", "##ed", "the", "ball", "un", "##afford", "##able"]
TEXTS = ["playing the ball", "the unaffordable", "played"]


@pytest.fixture
def wordpieces() -> tokenizers.Tokenizer:
    vocabulary = {piece: index for index, piece in enumerate(PIECES)}
    made = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


@pytest.mark.parametrize("length", range(1, 12))
def test_each_text_has_exactly_so_many_tokens(
    wordpieces: tokenizers.Tokenizer, length: int
) -> None:
    texts = cut_texts(TEXTS, wordpieces, length, 5)
    assert [len(wordpieces.encode(text)) for text in texts] == [length] * 5


def test_no_text_comes_twice_though_they_run_out(wordpieces: tokenizers.Tokenizer) -> None:
    texts = cut_texts(["playing the ball", "the ball"], wordpieces, 3, 12)
    assert len(set(texts)) == 12


def test_a_cut_inside_a_word_keeps_its_first_pieces(wordpieces: tokenizers.Tokenizer) -> None:
    assert cut_texts(["playing"], wordpieces, 1, 1) == ["play"]
