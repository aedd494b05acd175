"""Long texts are read as far as is needed, and no further."""

from dataclasses import dataclass, field

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from bicross.runtime import BiEncoder
from bicross.runtime.beginnings import encode_beginnings, first_reach
from bicross.runtime.word_bounds import LINE_BOUND

TOKENS = 10


@dataclass
class Reader:
    """A tokenizer that notes how many characters it was given of each text, call by call."""

    pieces: tokenizers.Tokenizer
    reads: list[list[int]] = field(default_factory=list)

    def __call__(self, texts: list[str]) -> list[tokenizers.Encoding]:
        self.reads.append([len(text) for text in texts])
        return self.pieces.encode_batch_fast(texts, add_special_tokens=False)


@pytest.fixture
def reader(bi_encoder: BiEncoder) -> Reader:
    return Reader(bi_encoder.tokenizer.pieces)


def test_long_prose_is_read_once_and_up_to_the_end_of_a_word(reader: Reader) -> None:
    long = "cats sit " * 4000
    _, part = encode_beginnings(reader, LINE_BOUND, ["the cat", long], TOKENS)
    (lengths,) = reader.reads
    assert lengths[0] == len("the cat")
    assert first_reach(TOKENS) <= lengths[1] < first_reach(TOKENS) + len("cats sit")
    assert len(part) > TOKENS


def test_texts_of_few_tokens_are_read_further_together(reader: Reader) -> None:
    prose, sparse = "the cat " * 400, ("a b" + " " * 100) * 100
    encode_beginnings(reader, LINE_BOUND, [prose, sparse, "the cat", sparse], TOKENS)
    first, second, *_ = reader.reads
    assert len(first) == 4
    assert len(second) == 2
    assert second[0] >= 4 * first_reach(TOKENS)


def test_text_without_spaces_is_read_to_the_end_of_a_line(reader: Reader) -> None:
    encode_beginnings(reader, LINE_BOUND, ["猫" * 499 + "。\n" + "犬" * 9000], TOKENS)
    assert reader.reads == [[500]]


def test_text_without_bounds_is_read_whole_at_once(reader: Reader) -> None:
    encode_beginnings(reader, LINE_BOUND, ["猫" * 9000], TOKENS)
    assert reader.reads == [[9000]]


def test_no_texts_are_no_work(reader: Reader) -> None:
    assert encode_beginnings(reader, LINE_BOUND, [], TOKENS) == []


@given(
    st.lists(st.sampled_from(["the", "cat", " ", " " * 60, "x" * 150, "\n", "猫"]), max_size=400),
    st.integers(1, 40),
)
def test_first_tokens_are_those_of_the_whole_text(
    bi_encoder: BiEncoder, words: list[str], tokens: int
) -> None:
    text, pieces = " ".join(words), bi_encoder.tokenizer.pieces
    (part,) = encode_beginnings(Reader(pieces), LINE_BOUND, [text], tokens)
    whole = pieces.encode(text, add_special_tokens=False)
    assert part.ids[:tokens] == whole.ids[:tokens]
    assert (len(part) > tokens) == (len(whole) > tokens)
