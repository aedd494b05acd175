"""Pairs put together of their parts' ids are those that the tokenizer's post-processor makes."""

from collections.abc import Callable

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, processors

from bicross.runtime import CrossEncoder, Tokenizer
from bicross.runtime.pair_assembly import PairForm, as_ids

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
A, B = ("<a>", 0), ("<b>", 1)

# What is put round a pair by: BERT, RoBERTa, templates, byte pieces alone, and nothing.
PROCESSORS: dict[str, Callable[[], processors.PostProcessor | None]] = {
    "bert": lambda: processors.BertProcessing(B, A),
    "roberta": lambda: processors.RobertaProcessing(B, A),
    "roberta without spaces": lambda: processors.RobertaProcessing(B, A, add_prefix_space=False),
    "two between, types of 0": lambda: processors.TemplateProcessing(
        single="<a> $A <b>", pair="<a> $A <b> <b> $B <b>", special_tokens=[A, B]
    ),
    "types beyond 1": lambda: processors.TemplateProcessing(
        single="<a>:2 $A:2", pair="<a>:2 $A:3 <b>:4 $B:5 <a>:6", special_tokens=[A, B]
    ),
    "nothing at the end": lambda: processors.TemplateProcessing(
        single="<a> $A", pair="<a> $A <a>:1 $B:1", special_tokens=[A]
    ),
    "nothing but the texts": lambda: processors.TemplateProcessing(
        single="$A", pair="$A:1 $B:0", special_tokens=[]
    ),
    "one after the other": lambda: processors.Sequence(
        [processors.ByteLevel(trim_offsets=True), processors.BertProcessing(B, A)]
    ),
    "byte pieces": lambda: processors.ByteLevel(trim_offsets=False),
    "none": lambda: None,
}
# What no form can say: the second text first, and texts that come twice.
OTHER_PAIRS = {
    "reversed": "<a> $B:1 <b> $A:0",
    "first twice": "<a> $A <b> $B:1 <b> $A",
    "second twice": "$A $B $B",
}
words = st.sampled_from(["the", "<a>", "<b>", "cat", "é", "👩‍👩‍👧", "\x00", " "])
texts = st.lists(words, max_size=8).map(" ".join) | st.just("")


def pieces(processor: processors.PostProcessor | None) -> tokenizers.Tokenizer:
    vocabulary = {piece: index for index, piece in enumerate(["<a>", "<b>", *BYTES])}
    made = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.add_special_tokens(["<a>", "<b>"])
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if processor is not None:
        made.post_processor = processor
    return made


@pytest.mark.parametrize("name", PROCESSORS)
@given(first=texts, second=texts, special_tokens=st.booleans())
def test_form_gives_what_the_post_processor_gives(
    name: str, first: str, second: str, *, special_tokens: bool
) -> None:
    made = pieces(PROCESSORS[name]())
    form = PairForm.probe(made, special_tokens=special_tokens)
    assert form is not None
    one, two = made.encode_batch([first, second], add_special_tokens=False)
    whole = made.post_process(one, two, add_special_tokens=special_tokens)
    ids, type_ids = form.join(form.head(as_ids(one)), as_ids(two))
    assert ids.tolist() == whole.ids
    assert type_ids.tolist() == whole.type_ids


@pytest.mark.parametrize("name", OTHER_PAIRS)
@given(query=st.text("the cat", min_size=1, max_size=10), passage=texts)
def test_pairs_of_no_form_are_left_to_the_tokenizer(name: str, query: str, passage: str) -> None:
    template = processors.TemplateProcessing(
        single="<a> $A", pair=OTHER_PAIRS[name], special_tokens=[A, B]
    )
    tokenizer = Tokenizer(pieces(template), max_tokens=1000, pad_id=0)
    assert tokenizer.pair_form is None
    (row,) = tokenizer.encode_pairs(query, [passage])
    whole = tokenizer.pieces.encode(query, passage)
    assert (row.ids.tolist(), row.type_ids.tolist()) == (whole.ids, whole.type_ids)


@given(query=st.text("the cat", min_size=1, max_size=10), passages=st.lists(texts, max_size=4))
def test_pairs_of_a_bundle_are_those_that_the_tokenizer_makes(
    cross_encoder: CrossEncoder, query: str, passages: list[str]
) -> None:
    tokenizer = cross_encoder.tokenizer
    long = "cat " * 99
    rows = tokenizer.encode_pairs(query, [*passages, long], whole=True)
    for row, passage in zip(rows[:-1], passages, strict=True):
        whole = tokenizer.pieces.encode(query, passage)
        assert (row.ids.tolist(), row.type_ids.tolist()) == (whole.ids, whole.type_ids)
        assert not row.truncated
    whole = tokenizer.pieces.encode(query, long)
    assert (rows[-1].length, rows[-1].full_length) == (tokenizer.max_tokens, len(whole))
    assert rows[-1].ids[:-1].tolist() == whole.ids[: tokenizer.max_tokens - 1]


def test_pieces_of_a_real_bundle_have_a_form(cross_encoder: CrossEncoder) -> None:
    form = cross_encoder.tokenizer.pair_form
    assert form is not None
    cls, sep = (cross_encoder.tokenizer.pieces.token_to_id(each) for each in ("[CLS]", "[SEP]"))
    stretches = (form.before, form.between, form.after)
    assert [stretch.ids.tolist() for stretch in stretches] == [[cls], [sep], [sep]]
    assert [stretch.type_ids.tolist() for stretch in stretches] == [[0], [0], [1]]
