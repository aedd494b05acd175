"""Tokenizers of the libraries' own classes, their pieces learned from the built-in sample."""

from functools import cached_property

import tokenizers
import transformers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from onnx_export.gate.samples import read_sample

SIZE = 600
MAX_TOKENS = 64
BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def _texts() -> list[str]:
    sample = read_sample()
    return [*sample.queries, *sample.passages]


class Vocabularies:
    @cached_property
    def bert(self) -> transformers.PreTrainedTokenizerBase:
        return transformers.BertTokenizer(
            vocab=self.word_pieces(BERT_SPECIALS), model_max_length=MAX_TOKENS
        )

    def word_pieces(self, specials: tuple[str, ...]) -> dict[str, int]:
        """WordPiece, lower case, as BERT's family cuts; `specials` have the first ids."""
        pieces = tokenizers.Tokenizer(models.WordPiece(unk_token=specials[1]))
        pieces.normalizer = normalizers.BertNormalizer()
        pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=SIZE, special_tokens=list(specials))
        pieces.train_from_iterator(_texts(), trainer)
        return pieces.get_vocab()
