"""Vocabularies of the built-in sample's frequent words and of all its characters.

Counted, not trained: the libraries' trainers of WordPiece and Unigram cut and number pieces
otherwise in each process, and random weights would meet other pieces each time.
"""

from collections import Counter
from collections.abc import Iterable
from math import log

from tokenizers import normalizers, pre_tokenizers

from bicross.runtime.ranking.samples import read_sample


def word_pieces(specials: Iterable[str], size: int) -> dict[str, int]:
    """At most `size` pieces of WordPiece, lower case, as BERT's family cuts; `specials` first."""
    normalizer, cut = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words = _counted(
        word
        for text in sample_texts()
        for word, _ in cut.pre_tokenize_str(normalizer.normalize_str(text))
    )
    letters = sorted({letter for word in words for letter in word})
    pieces = [*specials, *letters, *(f"##{letter}" for letter in letters), *words]
    return {piece: row for row, piece in enumerate(list(dict.fromkeys(pieces))[:size])}


def unigrams(specials: Iterable[str], size: int) -> list[tuple[str, float]]:
    """At most `size` pieces of SentencePiece's unigram model, with their log-probabilities."""
    cut = pre_tokenizers.Metaspace()
    words = _counted(word for text in sample_texts() for word, _ in cut.pre_tokenize_str(text))
    letters = _counted(letter for word, count in words.items() for letter in word * count)
    total = sum(words.values()) + sum(letters.values())
    found = dict.fromkeys(specials, 0.0)
    for counts in (letters, words):
        found |= {piece: log(count / total) for piece, count in counts.items()}
    return list(found.items())[:size]


def _counted(pieces: Iterable[str]) -> dict[str, int]:
    """The most frequent first, equals in the order of their letters."""
    counts = Counter(pieces)
    return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0])))


def sample_texts() -> list[str]:
    sample = read_sample()
    return [*sample.queries, *sample.passages]
