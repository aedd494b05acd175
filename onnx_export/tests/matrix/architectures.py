"""Small real configurations of encoder architectures, each with the tokenizer of its family."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from transformers import PreTrainedModel

from onnx_export.tests.matrix.workshop import MAX_TOKENS, SPREAD, Workshop

HIDDEN = 32
SMALL: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": MAX_TOKENS,
}
# Two positions of these belong to padding.
OFFSET = SMALL | {"max_position_embeddings": MAX_TOKENS + 2}
DECODER = SMALL | {"num_key_value_heads": 2, "head_dim": 8}


@dataclass(frozen=True)
class Architecture:
    """`tokenizer` names one of the vocabularies; `model` makes the transformer of a config."""

    name: str
    tokenizer: str
    config: Callable[..., transformers.PretrainedConfig]
    sizes: dict[str, Any]
    model: Callable[[Any], PreTrainedModel]
    spread: float = SPREAD

    @property
    def slug(self) -> str:
        return self.name.lower().replace(" ", "-").replace("(", "").replace(")", "")

    def build(self, workshop: Workshop) -> Path:
        """A transformers folder."""
        tokenizer = getattr(workshop.vocabularies, self.tokenizer)
        padding = {"pad_token_id": tokenizer.pad_token_id}
        config = self.config(vocab_size=len(tokenizer), **padding, **self.sizes)
        return workshop.plain(self.slug, lambda: self.model(config), tokenizer, self.spread)


def _without_pooler(kind: Any) -> Callable[[Any], PreTrainedModel]:
    return lambda config: kind(config, add_pooling_layer=False)


BERT = Architecture(
    "BERT", "bert", transformers.BertConfig, SMALL, _without_pooler(transformers.BertModel)
)
QWEN3 = Architecture("Qwen3", "qwen", transformers.Qwen3Config, DECODER, transformers.Qwen3Model)
ROBERTA = Architecture(
    "RoBERTa",
    "roberta",
    transformers.RobertaConfig,
    OFFSET,
    _without_pooler(transformers.RobertaModel),
)
ENCODERS = (
    BERT,
    ROBERTA,
    Architecture(
        "XLM-RoBERTa",
        "xlm_roberta",
        transformers.XLMRobertaConfig,
        OFFSET,
        _without_pooler(transformers.XLMRobertaModel),
    ),
    Architecture(
        "CamemBERT",
        "camembert",
        transformers.CamembertConfig,
        OFFSET,
        _without_pooler(transformers.CamembertModel),
    ),
    Architecture(
        "MPNet",
        "mpnet",
        transformers.MPNetConfig,
        OFFSET,
        _without_pooler(transformers.MPNetModel),
    ),
    Architecture(
        "DistilBERT",
        "bert",
        transformers.DistilBertConfig,
        {
            "dim": HIDDEN,
            "n_layers": 2,
            "n_heads": 4,
            "hidden_dim": 64,
            "max_position_embeddings": MAX_TOKENS,
        },
        transformers.DistilBertModel,
    ),
    Architecture(
        "ALBERT",
        "albert",
        transformers.AlbertConfig,
        SMALL | {"embedding_size": 16},
        _without_pooler(transformers.AlbertModel),
    ),
    Architecture(
        "ELECTRA",
        "bert",
        transformers.ElectraConfig,
        SMALL | {"embedding_size": 16},
        transformers.ElectraModel,
    ),
    Architecture(
        "MobileBERT",
        "bert",
        transformers.MobileBertConfig,
        SMALL | {"embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16},
        _without_pooler(transformers.MobileBertModel),
        spread=1.0,
    ),
    Architecture(
        "DeBERTa-v2",
        "deberta",
        transformers.DebertaV2Config,
        SMALL
        | {
            "relative_attention": True,
            "position_buckets": 16,
            "pos_att_type": ["p2c", "c2p"],
            "share_att_key": False,
            "norm_rel_ebd": "layer_norm",
            "conv_kernel_size": 3,
        },
        transformers.DebertaV2Model,
    ),
    Architecture(
        "DeBERTa-v3",
        "deberta",
        transformers.DebertaV2Config,
        SMALL
        | {
            "relative_attention": True,
            "position_buckets": 16,
            "pos_att_type": ["p2c", "c2p"],
            "share_att_key": True,
            "norm_rel_ebd": "layer_norm",
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
        transformers.DebertaV2Model,
    ),
    Architecture(
        "DeBERTa",
        "deberta",
        transformers.DebertaConfig,
        SMALL
        | {
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
        },
        transformers.DebertaModel,
    ),
    Architecture(
        "ModernBERT",
        "modernbert",
        transformers.ModernBertConfig,
        SMALL | {"local_attention": 16, "global_attn_every_n_layers": 2},
        transformers.ModernBertModel,
    ),
    Architecture(
        "NomicBERT (native)",
        "bert",
        transformers.NomicBertConfig,
        SMALL,
        _without_pooler(transformers.NomicBertModel),
    ),
    Architecture(
        "Jina v3 (native)",
        "xlm_roberta",
        transformers.JinaEmbeddingsV3Config,
        SMALL,
        _without_pooler(transformers.JinaEmbeddingsV3Model),
    ),
    Architecture(
        "EuroBERT",
        "llama",
        transformers.EuroBertConfig,
        DECODER,
        transformers.EuroBertModel,
    ),
    Architecture(
        "T5 encoder",
        "t5",
        transformers.T5Config,
        {
            "d_model": HIDDEN,
            "d_kv": 8,
            "d_ff": 64,
            "num_layers": 2,
            "num_heads": 4,
            "feed_forward_proj": "gated-gelu",
        },
        transformers.T5EncoderModel,
    ),
)
DECODERS = (
    Architecture("Qwen2", "qwen", transformers.Qwen2Config, DECODER, transformers.Qwen2Model),
    QWEN3,
    Architecture(
        "Mistral",
        "llama",
        transformers.MistralConfig,
        DECODER | {"sliding_window": 16},
        transformers.MistralModel,
    ),
    Architecture("Llama", "llama", transformers.LlamaConfig, DECODER, transformers.LlamaModel),
    Architecture("Gemma", "gemma", transformers.GemmaConfig, DECODER, transformers.GemmaModel),
    Architecture(
        "Gemma 2",
        "gemma",
        transformers.Gemma2Config,
        DECODER | {"sliding_window": 16, "query_pre_attn_scalar": 8},
        transformers.Gemma2Model,
    ),
    Architecture(
        "Gemma 3",
        "gemma",
        transformers.Gemma3TextConfig,
        DECODER | {"sliding_window": 16, "query_pre_attn_scalar": 8},
        transformers.Gemma3TextModel,
    ),
    Architecture(
        "EmbeddingGemma",
        "gemma",
        transformers.Gemma3TextConfig,
        DECODER
        | {"sliding_window": 16, "query_pre_attn_scalar": 8, "use_bidirectional_attention": True},
        transformers.Gemma3TextModel,
    ),
)
