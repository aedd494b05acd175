"""Tokenizers of the libraries' own classes, their pieces from the built-in sample."""

import json
from functools import cached_property
from typing import Any

import tokenizers
import transformers
from tokenizers import models, pre_tokenizers, processors, trainers

from onnx_export.tests.counted_pieces import sample_texts, unigrams, word_pieces

SIZE = 600
MAX_TOKENS = 64
BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MPNET_SPECIALS = ("<s>", "<pad>", "</s>", "[UNK]", "<mask>")
ROBERTA_SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
DEBERTA_SPECIALS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]")
T5_SPECIALS = ("<pad>", "</s>", "<unk>")
GEMMA_SPECIALS = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
LLAMA_SPECIALS = ("<unk>", "<s>", "</s>")
QWEN_SPECIALS = ("<|endoftext|>",)

Tokenizer = transformers.PreTrainedTokenizerBase


class Vocabularies:
    """Each tokenizer is made once. Names are those of the model families."""

    @cached_property
    def bert(self) -> Tokenizer:
        return transformers.BertTokenizer(
            vocab=word_pieces(BERT_SPECIALS, SIZE), model_max_length=MAX_TOKENS
        )

    @cached_property
    def mpnet(self) -> Tokenizer:
        return transformers.MPNetTokenizer(
            vocab=word_pieces(MPNET_SPECIALS, SIZE), model_max_length=MAX_TOKENS
        )

    @cached_property
    def roberta(self) -> Tokenizer:
        return transformers.RobertaTokenizer(
            **byte_pairs(ROBERTA_SPECIALS), model_max_length=MAX_TOKENS
        )

    @cached_property
    def modernbert(self) -> Tokenizer:
        """Byte pairs under BERT's special tokens."""
        found = byte_pairs(BERT_SPECIALS)
        vocab, pieces = found["vocab"], _byte_level(**found)
        pieces.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B [SEP]",
            special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
        )
        return transformers.PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_object=pieces,
            model_max_length=MAX_TOKENS,
            model_input_names=["input_ids", "attention_mask"],
            pad_token="[PAD]",  # noqa: S106  a token of text
            unk_token="[UNK]",  # noqa: S106
            cls_token="[CLS]",  # noqa: S106
            sep_token="[SEP]",  # noqa: S106
            mask_token="[MASK]",  # noqa: S106
        )

    @cached_property
    def xlm_roberta(self) -> Tokenizer:
        return transformers.XLMRobertaTokenizer(
            vocab=unigrams(ROBERTA_SPECIALS, SIZE), model_max_length=MAX_TOKENS
        )

    @cached_property
    def camembert(self) -> Tokenizer:
        return transformers.CamembertTokenizer(
            vocab=unigrams(ROBERTA_SPECIALS, SIZE),
            model_max_length=MAX_TOKENS,
            additional_special_tokens=[],
        )

    @cached_property
    def albert(self) -> Tokenizer:
        specials = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
        return transformers.AlbertTokenizer(
            vocab=unigrams(specials, SIZE), model_max_length=MAX_TOKENS
        )

    @cached_property
    def deberta(self) -> Tokenizer:
        return transformers.DebertaV2Tokenizer(
            vocab=unigrams(DEBERTA_SPECIALS, SIZE), unk_id=3, model_max_length=MAX_TOKENS
        )

    @cached_property
    def t5(self) -> Tokenizer:
        return transformers.T5Tokenizer(
            vocab=unigrams(T5_SPECIALS, SIZE), extra_ids=0, model_max_length=MAX_TOKENS
        )

    @cached_property
    def gemma(self) -> Tokenizer:
        return transformers.GemmaTokenizer(
            **metaspace_pairs(GEMMA_SPECIALS), model_max_length=MAX_TOKENS, padding_side="left"
        )

    @cached_property
    def llama(self) -> Tokenizer:
        found = transformers.LlamaTokenizer(
            **metaspace_pairs(LLAMA_SPECIALS), model_max_length=MAX_TOKENS, padding_side="left"
        )
        found.pad_token = found.eos_token
        return found

    @cached_property
    def qwen(self) -> Tokenizer:
        """As Qwen's embedding models have it: padded on the left, ended by the text's end."""
        pieces, end = byte_pairs(QWEN_SPECIALS), QWEN_SPECIALS[0]
        found = transformers.Qwen2Tokenizer(
            **pieces, model_max_length=MAX_TOKENS, padding_side="left"
        )
        found.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {end}",
            pair=f"$A {end} $B {end}",
            special_tokens=[(end, pieces["vocab"][end])],
        )
        return found


def byte_pairs(specials: tuple[str, ...]) -> dict[str, Any]:
    """Byte-level BPE: `vocab` and `merges`, as the tokenizers' classes take them."""
    pieces = _byte_level(vocab={}, merges=[])
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        show_progress=False,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    pieces.train_from_iterator(sample_texts(), trainer)
    return _parts(pieces)


def metaspace_pairs(specials: tuple[str, ...]) -> dict[str, Any]:
    """BPE of words that begin with SentencePiece's underline, bytes for the rest."""
    pieces = tokenizers.Tokenizer(models.BPE(byte_fallback=True))
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    every_byte = [f"<0x{value:02X}>" for value in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, show_progress=False, special_tokens=[*specials, *every_byte]
    )
    pieces.train_from_iterator(sample_texts(), trainer)
    return _parts(pieces)


def _byte_level(vocab: dict[str, int], merges: list[tuple[str, str]]) -> tokenizers.Tokenizer:
    pieces = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=merges))
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return pieces


def _parts(pieces: tokenizers.Tokenizer) -> dict[str, Any]:
    model = json.loads(pieces.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(pair) for pair in model["merges"]]}
