"""A pair in a template is one text, of which only the passage is ever cut."""

import pytest
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers

from bicross.bundle.heads import Template
from bicross.errors import InvalidRequest, QueryTooLong
from bicross.runtime import Tokenizer
from bicross.runtime.pairs import PairTemplate

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
CONTROL = ("<|start|>", "<|end|>")
MAX_TOKENS = 40
TEMPLATE = Template(prefix="<|start|>q: ", between="\nd: ", suffix="<|end|>\n=")
SUFFIX_TOKENS = 3

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
queries = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=127), max_size=20)


def pieces() -> tokenizers.Tokenizer:
    """Bytes, two of them merged across a space, and two control tokens."""
    vocabulary = {piece: index for index, piece in enumerate([*BYTES, "Ġa", "aĊ"])}
    made = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[("Ġ", "a"), ("a", "Ċ")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.add_special_tokens([tokenizers.AddedToken(token) for token in CONTROL])
    return made


def pair(template: Template = TEMPLATE) -> PairTemplate:
    return PairTemplate.load(Tokenizer(pieces(), MAX_TOKENS, pad_id=0), template)


def ids(text: str) -> list[int]:
    found: list[int] = pieces().encode(text, add_special_tokens=False).ids
    return found


def whole(query: str, passage: str) -> list[int]:
    return ids(TEMPLATE.prefix + query + TEMPLATE.between + passage + TEMPLATE.suffix)


@given(query=queries, passage=texts)
@example(query="a", passage="b" * MAX_TOKENS)
@example(query="", passage="")
def test_row_is_the_whole_text_with_its_end_written_over(query: str, passage: str) -> None:
    (row,) = pair().encode_pairs(query, [passage])
    expected = whole(query, passage)
    cut = expected[: MAX_TOKENS - SUFFIX_TOKENS] + ids(TEMPLATE.suffix)
    assert row.ids.tolist() == (cut if len(expected) >= MAX_TOKENS else expected)
    assert row.full_length == len(expected)
    assert row.type_ids.tolist() == [0] * row.length


@given(query=queries, passage=texts, limit=st.integers(1, MAX_TOKENS))
def test_passage_keeps_no_more_tokens_than_asked_for(query: str, passage: str, limit: int) -> None:
    (row,) = pair().encode_pairs(query, [passage], limit)
    around = len(whole(query, ""))
    # A token that is half the passage's and half its surroundings' is one more or less.
    assert row.length <= min(MAX_TOKENS, around + limit + 1)
    assert row.ids.tolist()[-SUFFIX_TOKENS:] == ids(TEMPLATE.suffix)
    before = len(ids(TEMPLATE.prefix + query)) - 1
    assert row.ids.tolist()[:before] == whole(query, passage)[:before]


@given(query=queries, passage=texts, limit=st.none() | st.integers(1, 2 * MAX_TOKENS))
def test_row_does_not_tell_whether_the_passage_s_end_was_read(
    query: str, passage: str, limit: int | None
) -> None:
    passage = f"{passage} a word " * 60
    (part,) = pair().encode_pairs(query, [passage], limit)
    (whole,) = pair().encode_pairs(query, [passage], limit, whole=True)
    assert part.ids.tolist() == whole.ids.tolist()
    assert part.length < part.full_length < whole.full_length


def test_passage_is_cut_to_the_tokens_asked_for_before_the_template_goes_on() -> None:
    (row,) = pair().encode_pairs("q", ["cdefgh"], 2)
    assert row.ids.tolist() == whole("q", "cd")
    assert row.truncated


def test_template_that_strips_takes_texts_without_the_space_at_their_ends() -> None:
    stripping = pair(TEMPLATE.model_copy(update={"strip": True}))
    (row,) = stripping.encode_pairs(" q\n", ["\t two words "])
    assert row.ids.tolist() == whole("q", "two words")


def test_template_that_ends_in_the_passage_has_no_suffix() -> None:
    open_ended = pair(TEMPLATE.model_copy(update={"suffix": ""}))
    assert open_ended.suffix == ()
    (row,) = open_ended.encode_pairs("q", ["c" * MAX_TOKENS])
    assert row.length == MAX_TOKENS


def test_query_that_leaves_room_for_one_passage_token_is_taken() -> None:
    room = MAX_TOKENS - len(whole("", ""))
    (row,) = pair().encode_pairs("q" * (room - 1), ["cde"])
    assert row.ids.tolist() == whole("q" * (room - 1), "c")


def test_query_that_leaves_no_room_is_refused_with_its_length_and_the_template_s() -> None:
    around = len(whole("", ""))
    query = "q" * (MAX_TOKENS - around)
    message = f"`query` has {len(query)} tokens; the model takes {MAX_TOKENS}, of which {around} "
    with pytest.raises(QueryTooLong, match=message) as refused:
        pair().encode_pairs(query, [])
    assert refused.value.param == "query"


def test_lone_surrogate_is_refused_by_its_place() -> None:
    with pytest.raises(InvalidRequest, match="lone surrogate at character"):
        pair().encode_pairs("q", ["a\ud800"])
