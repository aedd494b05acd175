"""Texts are cut as the model's own library cuts them, and what is lost is known."""

from dataclasses import replace

import numpy as np
import pytest
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, processors

from bicross.bundle import Bundle
from bicross.bundle.sequences import Expansion, Sequences
from bicross.errors import InvalidManifest, InvalidRequest, QueryTooLong
from bicross.runtime import BiEncoder, CrossEncoder, Tokenizer

# Words of the vocabulary among anything that Unicode has, surrogates apart.
words = st.sampled_from(
    ["the cat", "stock price", "breads", "x" * 30, "\x00", "👩‍👩‍👧", "שלום", "é"]
)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
texts = st.lists(words | anything, max_size=40).map(" ".join)

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())


def roberta() -> tokenizers.Tokenizer:
    """Bytes as pieces, <s> and </s>, two of these between the texts of a pair."""
    made = byte_pieces("<s>", "</s>")
    made.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return made


def llama() -> tokenizers.Tokenizer:
    """Two processors in a row, the second of which adds one token in front."""
    made = byte_pieces("<bos>")
    template = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", 0)]
    )
    made.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return made


def xlm_roberta() -> tokenizers.Tokenizer:
    """A unigram model over words that begin with a block, type ids all 0."""
    letters = [(letter, -5.0) for letter in "thecasokprix"]
    vocabulary = [
        ("<s>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        ("▁", -2.0),
        ("▁the", -1.0),
        *letters,
    ]
    made = tokenizers.Tokenizer(models.Unigram(vocabulary, unk_id=2))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 1)],
    )
    return made


def byte_pieces(*special: str) -> tokenizers.Tokenizer:
    vocabulary = {piece: index for index, piece in enumerate([*special, *BYTES])}
    made = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return made


FAMILIES = {"roberta": roberta, "llama": llama, "xlm-roberta": xlm_roberta}


def library(bundle: Bundle, strategy: str) -> tokenizers.Tokenizer:
    """The tokenizers library with its own truncation."""
    pieces = tokenizers.Tokenizer.from_file(str(bundle.file("tokenizer.json")))
    pieces.enable_truncation(bundle.manifest.max_tokens, strategy=strategy)
    return pieces


@given(texts)
@example("👨‍👩‍👧‍👦 שלום עולם e\u0301 ﷺ")
def test_text_is_cut_as_the_library_cuts_it(bi_encoder: BiEncoder, text: str) -> None:
    (ours,) = bi_encoder.tokenizer.encode_texts([text])
    theirs = library(bi_encoder.bundle, "longest_first").encode(text)
    assert ours.ids.tolist() == theirs.ids
    assert ours.type_ids.tolist() == theirs.type_ids
    assert ours.truncated == bool(theirs.overflowing)


@given(st.text("the cat é👩", min_size=1, max_size=20), texts)
def test_pair_is_cut_as_the_library_cuts_its_second_text(
    cross_encoder: CrossEncoder, query: str, passage: str
) -> None:
    (ours,) = cross_encoder.tokenizer.encode_pairs(query, [passage])
    theirs = library(cross_encoder.bundle, "only_second").encode(query, passage)
    assert ours.ids.tolist() == theirs.ids
    assert ours.type_ids.tolist() == theirs.type_ids
    assert ours.truncated == bool(theirs.overflowing)


@pytest.mark.parametrize("family", ["roberta", "llama", "xlm-roberta"])
@given(query=st.text("the cat é👩", min_size=1, max_size=12), passage=texts)
def test_pieces_of_other_families_are_joined_as_the_library_joins_them(
    family: str, query: str, passage: str
) -> None:
    pieces = FAMILIES[family]()
    ours = Tokenizer(pieces, max_tokens=48, pad_id=0)
    text, pair = ours.encode_texts([passage])[0], ours.encode_pairs(query, [passage])[0]
    pieces = FAMILIES[family]()
    pieces.enable_truncation(48, strategy="only_second")
    theirs = pieces.encode(query, passage)
    assert (pair.ids.tolist(), pair.type_ids.tolist()) == (theirs.ids, theirs.type_ids)
    pieces.enable_truncation(48, strategy="longest_first")
    assert text.ids.tolist() == pieces.encode(passage).ids


@pytest.mark.torch
@given(texts)
def test_text_is_cut_as_transformers_cuts_it(bi_encoder: BiEncoder, text: str) -> None:
    transformers = pytest.importorskip("transformers")
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(bi_encoder.bundle.file("tokenizer.json")), model_max_length=64
    )
    (ours,) = bi_encoder.tokenizer.encode_texts([text])
    assert ours.ids.tolist() == fast(text, truncation=True)["input_ids"]


def test_prompt_of_the_input_type_comes_first(bi_encoder: BiEncoder) -> None:
    assert _ids(bi_encoder, "a cat", "query") == _raw(bi_encoder, "query: a cat")
    assert _ids(bi_encoder, "a cat", "passage") == _raw(bi_encoder, "passage: a cat")


def test_long_text_says_how_long_it_was(bi_encoder: BiEncoder) -> None:
    (sequence,) = bi_encoder.tokenizer.encode_texts(["cat " * 100])
    assert (sequence.length, sequence.full_length, sequence.truncated) == (64, 102, True)


def test_end_of_a_long_text_is_read_only_where_its_length_is_asked_for(
    bi_encoder: BiEncoder, cross_encoder: CrossEncoder
) -> None:
    long = "cat " * 5000
    (part,) = bi_encoder.tokenizer.encode_texts([long])
    (whole,) = bi_encoder.tokenizer.encode_texts([long], whole=True)
    assert part.length < part.full_length < whole.full_length == 5002
    (part,) = cross_encoder.tokenizer.encode_pairs("dog", [long])
    (whole,) = cross_encoder.tokenizer.encode_pairs("dog", [long], whole=True)
    assert part.length < part.full_length < whole.full_length == 5004


@pytest.mark.parametrize("family", ["roberta", "llama", "xlm-roberta"])
@given(text=texts, prompt=st.sampled_from(["", "query: ", "x" * 700]))
def test_tokens_do_not_tell_whether_the_end_was_read(family: str, text: str, prompt: str) -> None:
    ours = Tokenizer(FAMILIES[family](), max_tokens=12, pad_id=0)
    (part,) = ours.encode_texts([text * 3], prompt)
    (whole,) = ours.encode_texts([text * 3], prompt, whole=True)
    assert part.ids.tolist() == whole.ids.tolist()
    assert part.truncated == whole.truncated


def test_long_pair_loses_passage_tokens_and_no_query_token(cross_encoder: CrossEncoder) -> None:
    query = "cat " * 50
    (sequence,) = cross_encoder.tokenizer.encode_pairs(query, ["dog " * 100])
    cat, dog = (cross_encoder.tokenizer.pieces.token_to_id(word) for word in ("cat", "dog"))
    assert sequence.length == 64
    assert np.count_nonzero(sequence.ids == cat) == 50
    assert np.count_nonzero(sequence.ids == dog) == 64 - 50 - 3


def test_query_that_leaves_room_for_one_passage_token_is_taken(
    cross_encoder: CrossEncoder,
) -> None:
    (sequence,) = cross_encoder.tokenizer.encode_pairs("cat " * 60, ["dog " * 5])
    assert sequence.length == 64


def test_query_that_leaves_no_room_is_refused_with_both_lengths(
    cross_encoder: CrossEncoder,
) -> None:
    with pytest.raises(QueryTooLong, match="`query` has 61 tokens; the model takes 64"):
        cross_encoder.tokenizer.encode_pairs("cat " * 61, ["dog"])


def test_passage_keeps_no_more_than_the_tokens_asked_for(cross_encoder: CrossEncoder) -> None:
    short, long = cross_encoder.tokenizer.encode_pairs("cat", ["dog dog", "dog " * 9], 3)
    assert (short.length, short.truncated) == (6, False)
    assert (long.length, long.full_length) == (7, 13)


def test_lone_surrogate_is_refused_by_its_place(bi_encoder: BiEncoder) -> None:
    with pytest.raises(InvalidRequest, match="text 1 holds a lone surrogate at character 2"):
        bi_encoder.tokenizer.encode_texts(["fine", "a \ud800"])


def test_lone_surrogate_is_refused_in_what_is_cut_off_too(bi_encoder: BiEncoder) -> None:
    with pytest.raises(InvalidRequest, match="text 1 holds a lone surrogate at character 8000"):
        bi_encoder.tokenizer.encode_texts(["fine", "the cat " * 1000 + "\ud800"])


@given(text=texts)
def test_short_rows_are_filled_up_by_expansion(bi_encoder: BiEncoder, text: str) -> None:
    expansion = Expansion(length=32, token_id=4, attended=False)
    (plain,) = bi_encoder.tokenizer.encode_texts([text])
    (row,) = replace(bi_encoder.tokenizer, expansion=expansion).encode_texts([text])
    added = max(0, 32 - plain.length)
    assert row.ids.tolist() == plain.ids.tolist() + [4] * added
    assert row.type_ids.tolist() == plain.type_ids.tolist() + [0] * added
    assert (row.expanded, row.truncated) == (added, plain.truncated)
    assert row.attends_expanded == (added == 0)


def test_no_special_tokens_leave_their_room_to_the_text(bi_encoder: BiEncoder) -> None:
    bare = replace(bi_encoder.tokenizer, special_tokens=False)
    (row,) = bare.encode_texts(["cat " * 100])
    assert (row.length, row.full_length, set(row.ids.tolist())) == (
        64,
        100,
        {bare.pieces.token_to_id("cat")},
    )
    assert bare.encode_texts([""])[0].length == 0


@pytest.mark.parametrize(
    ("prompt", "tokens"),
    [("", 0), ("passage", 2), ("passage: ", 3), ("the cat sat [SEP]", 5), ("cat " * 100, 63)],
    ids=["none", "a word", "unknown at the end", "special at the end", "too long"],
)
def test_prompt_is_counted_with_the_token_before_it_and_not_the_one_after(
    prompt: str, tokens: int, bi_encoder: BiEncoder
) -> None:
    """[CLS] counts, and so does what is unknown or special in the prompt itself."""
    assert bi_encoder.tokenizer.count_prompt(prompt) == tokens


def test_expansion_beyond_what_the_model_takes_is_refused(bi_bundle: Bundle) -> None:
    sequences = {"query": Sequences(expansion=Expansion(length=65, token_id=4, attended=True))}
    manifest = bi_bundle.manifest.model_copy(update={"sequences": sequences})
    with pytest.raises(InvalidManifest, match="fills rows to 65 tokens, but the model takes 64"):
        Tokenizer.load(replace(bi_bundle, manifest=manifest), "query")


def _ids(encoder: BiEncoder, text: str, input_type: str) -> list[int]:
    (sequence,) = encoder.tokenize([text], input_type)  # type: ignore[arg-type]
    return [int(token) for token in sequence.ids]


def _raw(encoder: BiEncoder, text: str) -> list[int]:
    (sequence,) = encoder.tokenizer.encode_texts([text])
    return [int(token) for token in sequence.ids]
