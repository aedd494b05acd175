"""Every dimension of a sparse vector has a name that Elasticsearch's field takes."""

from hypothesis import example, given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.runtime.token_names import unique_names
from bicross.runtime.tokenization import Tokenizer

TOKENS = st.lists(st.none() | st.text(alphabet="a.#_ 0", max_size=4), max_size=12)


@given(TOKENS)
@example([None, "", "#1", "#0", "#0#"])
@example([".", "__", "__#1"])
def test_names_are_unique_and_neither_blank_nor_dotted(tokens: list[str | None]) -> None:
    names = unique_names(tokens, len(tokens))
    assert len(set(names)) == len(names) == len(tokens)
    assert all(name.strip() and "." not in name for name in names)


@given(TOKENS)
def test_token_without_dots_keeps_its_name_where_it_is_the_first_of_it(
    tokens: list[str | None],
) -> None:
    names = unique_names(tokens, len(tokens))
    plain = [(token or "").replace(".", "__") for token in tokens]
    for index, token in enumerate(plain):
        if token.strip() and token not in plain[:index]:
            assert names[index] == token


def test_bundle_s_names_are_its_tokens(sparse_bundle: Bundle) -> None:
    pieces = Tokenizer.load(sparse_bundle).pieces
    names = unique_names(map(pieces.id_to_token, range(8)), 8)
    assert names == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "__", ",", "?")
