"""Any text has the same rows in sentence-transformers and, from what the export writes, here.

Neither strips a text, and an empty one is a text like any other. A lone surrogate is no Unicode:
the libraries fail on it and the runtime refuses it by its place.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from bicross.bundle import open_bundle
from bicross.errors import InvalidRequest
from bicross.runtime import Tokenizer, pad
from bicross.runtime.ranking.samples import read_sample
from demo.weights import WHEELS, cache
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec
from onnx_export.tests.matrix.vocabularies import Vocabularies

pytestmark = pytest.mark.torch
TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles" / "tiny-bi"
MINILM = "all-MiniLM-L6-v2"
WORDS = " ".join(read_sample().passages).split()
# WordPiece, byte-level BPE, unigram, BPE with bytes to fall back on; the last two pad on the left.
FAMILIES = ("bert", "roberta", "xlm_roberta", "albert", "t5", "qwen", "llama")

QUICK = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
anything = st.characters(exclude_categories=["Cs"])
# Unassigned, private, control and format characters, which a uniform choice would seldom meet.
odd = st.characters(categories=["Cn", "Co", "Cc", "Cf", "Zs", "Mn"])
pieces = st.sampled_from(WORDS) | st.text(anything, max_size=6) | st.text(odd, max_size=3)
texts = st.one_of(
    st.text(anything, max_size=40),
    st.lists(pieces, max_size=12).map(" ".join),
    st.integers(30, 300).map(lambda words: " ".join((WORDS * 2)[words : 2 * words])),
)
prompts = st.sampled_from(["", "query: ", "passage:", "Instruct: find it\nQuery: ", "\u2003x\0"])
ODD = ["", " ", "\n\t", "\0", "a\u0301", "\ufeff", "\ufffe", "\U0010ffff", "\ue000", "\U000e0001"]
LIKE_OTHER_THINGS = ["https://example.org/cat.png", "data:image/png;base64,AA==", "[SEP] </s> <s>"]
VERY_LONG = ["bread " * 20_000, "x" * 100_000, "👩\u200d🔬" * 5_000]


@dataclass(frozen=True)
class Pair:
    original: SentenceTransformer
    ours: Tokenizer
    side: Any


def paired(folder: Path, out: Path) -> Pair:
    """The original, and the tokenizer as a server reads it from what the export writes."""
    reference = load_reference(read_spec(ModelFolder(folder, folder.name), Options()))
    reference.write_tokenizer_and_config(out)
    bundle = open_bundle(TINY)
    rows = {"max_tokens": reference.spec.max_tokens, "padding_side": reference.padding_side}
    bundle = replace(bundle, path=out, manifest=bundle.manifest.model_copy(update=rows))
    original: Any = reference.model
    return Pair(original, Tokenizer.load(bundle), reference.padding_side or "right")


@pytest.fixture(scope="session", params=[*FAMILIES, "lower-cased by its module", MINILM])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    out = tmp_path_factory.mktemp("written")
    if request.param == MINILM:
        folder = cache() / WHEELS[MINILM].sha256[:12] / MINILM
        if not folder.is_dir():
            pytest.skip(f"{MINILM} is not in the cache of weights")
        return paired(folder, out)
    lowers = request.param not in FAMILIES
    tokenizer = getattr(Vocabularies(), "roberta" if lowers else request.param)
    return paired(saved(tokenizer, tmp_path_factory.mktemp("model"), lowers=lowers), out)


def saved(tokenizer: Any, folder: Path, *, lowers: bool) -> Path:
    """A model's folder; what the model is does not matter to its rows."""
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        pad_token_id=tokenizer.pad_token_id,
    )
    transformers.BertModel(config).save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    module = Transformer(str(folder / "base"), max_seq_length=64, do_lower_case=lowers)
    model = SentenceTransformer(modules=[module, Pooling(16)], device="cpu")
    model.save(str(folder / "saved"), create_model_card=False)
    return folder / "saved"


def require_same_rows(pair: Pair, batch: list[str], prompt: str) -> None:
    theirs = pair.original.preprocess(batch, prompt=prompt)
    rows = pair.ours.encode_texts(batch, prompt, pair.ours.count_prompt(prompt))
    ours = pad(rows, pair.ours.pad_id, pair.side)
    if not theirs["input_ids"].shape[1]:
        # Texts without a token, on which the original's model fails: here one column of padding.
        assert ours["attention_mask"].tolist() == [[0]] * len(batch)
        return
    for name in ours.keys() & theirs.keys():
        assert ours[name].tolist() == theirs[name].tolist(), name
    pooled = ours["attention_mask"].copy()
    if prompt:
        mask: Any = theirs["attention_mask"]
        pooled = Pooling._exclude_prompt_from_mask(mask, theirs["prompt_length"]).numpy()
    assert ours["pooling_mask"].tolist() == pooled.tolist()


@QUICK
@given(batch=st.lists(texts, min_size=1, max_size=3), prompt=prompts)
@example(batch=ODD, prompt="")
@example(batch=ODD, prompt="query: ")
@example(batch=LIKE_OTHER_THINGS, prompt="")
def test_texts_have_the_rows_of_the_original(pair: Pair, batch: list[str], prompt: str) -> None:
    require_same_rows(pair, batch, prompt)


@QUICK
@given(prompt=st.lists(pieces, min_size=1, max_size=8).map(" ".join))
def test_any_prompt_is_counted_as_the_original_counts_it(pair: Pair, prompt: str) -> None:
    require_same_rows(pair, ["bread", ""], prompt)


@pytest.mark.parametrize("text", VERY_LONG, ids=["words", "one word", "emoji"])
def test_very_long_text_is_cut_where_the_original_cuts_it(pair: Pair, text: str) -> None:
    require_same_rows(pair, [text, "short"], "query: ")


@QUICK
@given(before=st.text(anything, max_size=5), half=st.characters(categories=["Cs"]))
def test_lone_surrogate_is_refused_here_and_breaks_the_original(
    pair: Pair, before: str, half: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"lone surrogate at character {len(before)}"):
        pair.ours.encode_texts([before + half])
    with pytest.raises((TypeError, UnicodeEncodeError, ValueError)):
        pair.original.preprocess([before + half])


def test_rows_are_cut_at_the_original_s_length(pair: Pair) -> None:
    (row,) = pair.ours.encode_texts(["bread " * 900])
    assert row.length == pair.ours.max_tokens == pair.original.max_seq_length
    assert row.ids.dtype == np.int32
