from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import CrossEncoder, SentenceTransformer

from bicross.bundle import Bundle
from bicross.errors import UnsupportedArchitecture
from bicross.runtime import Tokenizer
from bicross.runtime.ranking.samples import Sample, read_sample
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec
from onnx_export.tests.edits import edit_json

pytestmark = pytest.mark.torch
ALPHABET = st.characters(exclude_categories=["Cs"])
# Words of the vocabulary's own language make texts that are long in tokens and not all unknown.
WORDS = st.sampled_from(" ".join(read_sample().passages).split())
TEXTS = st.one_of(
    st.text(ALPHABET, max_size=40),
    st.lists(WORDS, max_size=90).map(" ".join),
    st.lists(WORDS | st.text(ALPHABET, max_size=4), max_size=30).map(" ".join),
    st.sampled_from(
        ["", " ", "\n", "\0", "a\u0301", "👩\u200d🔬", "ﷺ", "שלום", "İ", "[SEP]", "東京"]
    ),
)


def reference(folder: Any, **options: Any) -> Any:
    return load_reference(read_spec(ModelFolder(folder, folder.name), Options(**options)))


@pytest.fixture(scope="session")
def bi(models: Any, export: Callable[..., Bundle]) -> tuple[SentenceTransformer, Tokenizer]:
    folder = models.embedding("mean")
    original = SentenceTransformer(str(folder), device="cpu")
    return original, Tokenizer.load(export(folder))


@pytest.fixture(scope="session")
def cross(models: Any, export: Callable[..., Bundle]) -> tuple[CrossEncoder, Tokenizer]:
    folder = models.cross(1)
    return CrossEncoder(str(folder), device="cpu"), Tokenizer.load(export(folder))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=TEXTS)
def test_text_is_tokenised_as_the_original_does(
    bi: tuple[SentenceTransformer, Tokenizer], text: str
) -> None:
    original, tokenizer = bi
    features = original.preprocess([text], prompt="query: ")
    (ours,) = tokenizer.encode_texts([text], "query: ")
    assert ours.ids.tolist() == features["input_ids"][0].tolist()
    assert ours.type_ids.tolist() == features["token_type_ids"][0].tolist()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(query=st.lists(WORDS, min_size=1, max_size=6).map(" ".join), passage=TEXTS)
def test_pair_is_tokenised_as_the_original_does(
    cross: tuple[CrossEncoder, Tokenizer], query: str, passage: str
) -> None:
    """For queries below half the length, beyond which the original would cut the query too."""
    original, tokenizer = cross
    features = original.preprocess([(query, passage)])
    (ours,) = tokenizer.encode_pairs(query, [passage])
    assert ours.ids.tolist() == features["input_ids"][0].tolist()
    assert ours.type_ids.tolist() == features["token_type_ids"][0].tolist()


def test_several_labels_become_log_odds(models: Any, sample: Sample) -> None:
    pairs = [(sample.queries[0], passage) for passage in sample.passages]
    logits = CrossEncoder(str(models.cross(3)), device="cpu").predict(
        pairs, activation_fn=torch.nn.Identity(), convert_to_tensor=True
    )
    probability = torch.softmax(logits.double(), dim=1)[:, 2]
    ours = reference(models.cross(3), label="2").logits(pairs)
    assert np.abs(ours - torch.logit(probability).numpy()).max() < 1e-5


def test_prompt_of_the_caller_replaces_the_models(models: Any) -> None:
    folder = models.embedding("mean")
    own = reference(folder).vectors(["bread"], "query")
    given_text = reference(folder, query_prompt="passage: ").vectors(["bread"], "query")
    passage = reference(folder).vectors(["bread"], "passage")
    assert np.abs(given_text - passage).max() == 0
    assert np.abs(own - passage).max() > 1e-3


def test_model_is_cut_where_the_caller_says(models: Any) -> None:
    folder = models.cross(1)
    assert reference(folder).model.max_seq_length == 64
    assert reference(folder, max_tokens=32).model.max_seq_length == 32


def test_folder_that_cannot_be_loaded_is_named(models: Any, tmp_path: Any) -> None:
    folder = models.cross(1)
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(UnsupportedArchitecture, match=r"cannot be loaded.*SafetensorError"):
        reference(tmp_path)


def test_folder_whose_config_lies_about_its_size_is_named(models: Any, tmp_path: Any) -> None:
    for file in models.cross(1).iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    edit_json(tmp_path, "config.json", intermediate_size=48)
    with pytest.raises(UnsupportedArchitecture, match="cannot be loaded"):
        reference(tmp_path)
