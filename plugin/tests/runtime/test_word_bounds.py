"""A text parted between two words has the tokens of its parts, or the tokenizer says otherwise."""

import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

import pytest
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, models, normalizers, pre_tokenizers, trainers

from bicross.runtime.ranking.samples import read_sample
from bicross.runtime.word_bounds import LINE_BOUND, QWEN, WORD_BOUND, find_bound

SPECIAL = ("<unk>", "<mask>")

WORDS = (
    "the cat stock price Bread's don't 1234567 e\u0301 ﷺ 中文 שלום नमस्ते 안녕 \u017f İ \u037a "
    "\u3164 🇩🇪 👩‍👩‍👧 ▁ Ġ `` <mask> <unk"
)
words = st.sampled_from([*WORDS.split(), "x" * 120])
gaps = st.sampled_from([" "] * 6 + ["  ", " " * 17, "\n", " \n", "\r\n", "\t", "\u00a0", "\u3000"])
marks = st.sampled_from(["", "", ".", ", ", "'", "\x00", "\u0301", "\u200d", "\ufeff", "[", "</s>"])
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
texts = st.lists(
    st.tuples(words | anything, marks, gaps).map("".join), min_size=4, max_size=40
).map("".join)


def bert() -> tokenizers.Tokenizer:
    return trained(
        tokenizers.Tokenizer(models.WordPiece(unk_token="<unk>")),
        trainers.WordPieceTrainer,
        pre_tokenizers.BertPreTokenizer(),
        normalizers.BertNormalizer(),
    )


def roberta() -> tokenizers.Tokenizer:
    made = byte_pairs(pre_tokenizers.ByteLevel(add_prefix_space=True))
    made.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=True)])
    return made


def modernbert() -> tokenizers.Tokenizer:
    """Runs of spaces are tokens of their own."""
    made = byte_pairs(pre_tokenizers.ByteLevel(add_prefix_space=False), normalizers.NFC())
    made.add_tokens([AddedToken(" " * count, normalized=True) for count in (2, 3, 8)])
    made.add_tokens([AddedToken("cat", single_word=True, lstrip=True), AddedToken("don")])
    return made


def qwen() -> tokenizers.Tokenizer:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    split = pre_tokenizers.Split(Regex(QWEN), "isolated")
    return byte_pairs(pre_tokenizers.Sequence([split, byte_level]), normalizers.NFC())


def bytes_of_a_whole_text() -> tokenizers.Tokenizer:
    """Learned word by word, but nothing splits a text into its words."""
    made = byte_pairs(pre_tokenizers.ByteLevel(add_prefix_space=False))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return made


def xlm_roberta() -> tokenizers.Tokenizer:
    steps = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    return unigrams(pre_tokenizers.Sequence(steps), normalizers.NFKC())


def t5() -> tokenizers.Tokenizer:
    steps = [normalizers.Strip(left=False), normalizers.Replace(Regex(" {2,}"), "▁")]
    return unigrams(pre_tokenizers.Metaspace(), normalizers.Sequence(steps))


def albert() -> tokenizers.Tokenizer:
    steps = [
        normalizers.Replace("``", '"'),
        normalizers.NFKD(),
        normalizers.StripAccents(),
        normalizers.Lowercase(),
    ]
    return unigrams(pre_tokenizers.Metaspace(), normalizers.Sequence(steps))


def deberta() -> tokenizers.Tokenizer:
    steps = [
        normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "),
        normalizers.NFC(),
        normalizers.Strip(),
    ]
    parts = [pre_tokenizers.Punctuation(), pre_tokenizers.Metaspace()]
    return unigrams(pre_tokenizers.Sequence(parts), normalizers.Sequence(steps))


def llama() -> tokenizers.Tokenizer:
    made = block_pairs()
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return made


def old_llama() -> tokenizers.Tokenizer:
    made = block_pairs()
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    made.pre_tokenizer = None
    return made


def gemma() -> tokenizers.Tokenizer:
    made = block_pairs()
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    return made


def byte_pairs(
    pre_tokenizer: pre_tokenizers.PreTokenizer, normalizer: normalizers.Normalizer | None = None
) -> tokenizers.Tokenizer:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trained(
        tokenizers.Tokenizer(models.BPE()),
        trainers.BpeTrainer,
        pre_tokenizer,
        normalizer,
        initial_alphabet=alphabet,
    )


def block_pairs() -> tokenizers.Tokenizer:
    every_byte = tuple(f"<0x{value:02X}>" for value in range(256))
    pieces = tokenizers.Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True))
    return trained(
        pieces, trainers.BpeTrainer, pre_tokenizers.Metaspace(), None, special=every_byte
    )


def unigrams(
    pre_tokenizer: pre_tokenizers.PreTokenizer, normalizer: normalizers.Normalizer
) -> tokenizers.Tokenizer:
    return trained(
        tokenizers.Tokenizer(models.Unigram()),
        trainers.UnigramTrainer,
        pre_tokenizer,
        normalizer,
        unk_token="<unk>",
    )


def trained(
    pieces: tokenizers.Tokenizer,
    trainer: Callable[..., trainers.Trainer],
    pre_tokenizer: pre_tokenizers.PreTokenizer,
    normalizer: normalizers.Normalizer | None,
    special: tuple[str, ...] = (),
    **options: object,
) -> tokenizers.Tokenizer:
    if normalizer is not None:
        pieces.normalizer = normalizer
    pieces.pre_tokenizer = pre_tokenizer
    sample = read_sample()
    pieces.train_from_iterator(
        [*sample.queries, *sample.passages, "x  y    z\n\n1234 5678, it's"],
        trainer(
            vocab_size=700,
            show_progress=False,
            special_tokens=[*SPECIAL, *special],
            **options,
        ),
    )
    return pieces


BYTES = (roberta, modernbert, qwen, bytes_of_a_whole_text)
BLOCKS = (xlm_roberta, t5, albert, deberta, llama, old_llama, gemma)
FAMILIES = {made.__name__: cache(made) for made in (bert, *BYTES, *BLOCKS)}


def ids(pieces: tokenizers.Tokenizer, text: str) -> list[int]:
    found: list[int] = pieces.encode(text, add_special_tokens=False).ids
    return found


@pytest.mark.parametrize("family", FAMILIES)
@given(text=texts)
@example(text="a <mask> cat <mask>x <mask> don cat's  cat")
@example(text="中 x中 x \ufe70 a\ufe70 a")
def test_tokens_before_a_word_bound_do_not_depend_on_what_follows(family: str, text: str) -> None:
    pieces = FAMILIES[family]()
    bound = find_bound(pieces)
    assert bound is not None
    whole = ids(pieces, text)
    for found in list(bound.finditer(text))[-4:]:
        part = ids(pieces, text[: found.start()])
        assert part == whole[: len(part)]


def test_letters_beside_a_word_bound_outlive_normalisation() -> None:
    """Nothing else could part or join words where there was a space."""
    plain = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents()])
    letters = [chr(code) for code in range(0x110000) if WORD_BOUND.search(f"{chr(code)} a")]
    assert {"a", "Z", "9", "é", "я", "ש", "中", "안"} < set(letters)
    for letter in letters:
        left = plain.normalize_str(letter)
        assert left, f"U+{ord(letter):04X}"
        assert not any(map(str.isspace, left)), f"U+{ord(letter):04X}"
        first = unicodedata.normalize("NFKD", letter)[0]
        assert unicodedata.category(first)[0] != "M", f"U+{ord(letter):04X}"


def _looking_ahead() -> Iterator[tuple[str, tokenizers.Tokenizer]]:
    spanning = bert()
    spanning.add_tokens(["new york"])
    yield "a token of two words", spanning
    spaced = bert()
    spaced.add_tokens([AddedToken("a中b", normalized=True)])
    yield "a token of two words once it is normalised", spaced
    unsplit = t5()
    unsplit.pre_tokenizer = pre_tokenizers.Metaspace(split=False)
    yield "unigrams of a whole text", unsplit
    joining = tokenizers.Tokenizer(
        models.BPE({"a": 0, "▁": 1, "b": 2, "a▁": 3, "a▁b": 4}, [("a", "▁"), ("a▁", "b")])
    )
    joining.pre_tokenizer = pre_tokenizers.Metaspace(split=False)
    yield "pairs across a space", joining
    ending = tokenizers.Tokenizer(
        models.BPE({"a": 0, " ": 1, "a</w>": 2}, [], end_of_word_suffix="</w>")
    )
    yield "the end of a whole text", ending
    scripts = bert()
    scripts.pre_tokenizer = pre_tokenizers.UnicodeScripts()
    yield "a pre-tokenizer that is not known", scripts
    pattern = qwen()
    pattern.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+ \w+"), "isolated")
    yield "a pattern that is not known", pattern
    erasing = bert()
    erasing.normalizer = normalizers.Replace(" ", "")
    yield "no spaces left", erasing


@pytest.mark.parametrize(
    "pieces", [pytest.param(pieces, id=name) for name, pieces in _looking_ahead()]
)
def test_tokenizer_that_may_look_beyond_a_word_says_so(pieces: tokenizers.Tokenizer) -> None:
    assert find_bound(pieces) is None


def test_lines_are_parted_where_no_token_has_white_space() -> None:
    parted = {name for name, made in FAMILIES.items() if find_bound(made()) is LINE_BOUND}
    assert parted == {"bert", "xlm_roberta"}
    assert [found.start() for found in LINE_BOUND.finditer("猫。\n犬。\n\n鳥 a b")] == [2, 8, 10]
