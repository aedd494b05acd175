import json
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle.heads import Embedding, Rerank
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.source.hub import ModelFolder
from onnx_export.source.prompts import PromptChoice
from onnx_export.source.rerank_head import choose_label
from onnx_export.source.spec import ModelSpec, Options, bundle_name, read_spec

NAMESPACE = "sentence_transformers.models."
BERT = {"architectures": ["BertModel"], "model_type": "bert", "max_position_embeddings": 512}
CLASSIFIER = BERT | {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "rel"}}
THREE = CLASSIFIER | {"id2label": {"0": "contradiction", "1": "entailment", "2": "neutral"}}


def spec(tmp_path: Path, config: dict[str, Any], *kinds: str, **options: Any) -> ModelSpec:
    (tmp_path / "config.json").write_text(json.dumps(config))
    if kinds:
        rows = [
            {"idx": number, "path": f"{number}_{kind}", "type": NAMESPACE + kind}
            for number, kind in enumerate(kinds)
        ]
        (tmp_path / "modules.json").write_text(json.dumps(rows))
    return read_spec(ModelFolder(tmp_path, "org/my-model"), Options(**options))


def test_sentence_transformers_folder_is_a_bi_encoder(tmp_path: Path) -> None:
    found = spec(tmp_path, BERT, "Transformer", "Pooling", "Dense", "Normalize")
    assert (found.task, found.name, found.max_tokens) == ("text_embedding", "my-model", 512)
    assert isinstance(found.head, Embedding)
    assert (found.head.pooling, found.head.normalize) == ("mean", True)


def test_sequence_classification_is_a_cross_encoder(tmp_path: Path) -> None:
    found = spec(tmp_path, CLASSIFIER)
    assert found.task == "rerank"
    assert found.head == Rerank(labels=1, activation="sigmoid")


def test_classifier_inside_a_bi_encoder_stays_a_bi_encoder(tmp_path: Path) -> None:
    assert spec(tmp_path, CLASSIFIER, "Transformer", "Pooling").task == "text_embedding"


def test_task_option_overrides_what_the_folder_says(tmp_path: Path) -> None:
    assert spec(tmp_path, CLASSIFIER, task="text_embedding").task == "text_embedding"


def test_plain_encoder_needs_the_task_to_be_said(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture, match=r"BertModel.*--task text_embedding"):
        spec(tmp_path, BERT)
    found = spec(tmp_path, BERT, task="text_embedding")
    assert isinstance(found.head, Embedding)
    assert (found.head.pooling, found.head.normalize) == ("mean", False)


@pytest.mark.parametrize(
    ("config", "kinds", "named"),
    [
        (BERT, ("Transformer", "Pooling", "WordWeights"), "WordWeights"),
        (BERT, ("BoW", "Pooling"), "BoW"),
        (BERT, ("Transformer", "Normalize"), "Transformer, Normalize"),
        (BERT, ("StaticEmbedding", "Pooling"), "StaticEmbedding, Pooling"),
        (BERT, ("Transformer", "Pooling", "Pooling"), "Transformer, Pooling, Pooling"),
        (BERT, ("Transformer", "Pooling", "StaticEmbedding"), "behind another Transformer"),
    ],
)
def test_unknown_module_is_named(
    tmp_path: Path, config: dict[str, Any], kinds: tuple[str, ...], named: str
) -> None:
    with pytest.raises(UnsupportedArchitecture, match=named):
        spec(tmp_path, config, *kinds)


def test_language_model_is_a_cross_encoder_where_that_is_said(tmp_path: Path) -> None:
    causal = BERT | {"architectures": ["Qwen3ForCausalLM"]}
    assert spec(tmp_path, causal, task="rerank").head == Rerank(labels=1, activation="sigmoid")
    with pytest.raises(UnsupportedArchitecture, match="--task rerank"):
        spec(tmp_path, causal)


def test_masked_language_model_is_no_cross_encoder(tmp_path: Path) -> None:
    masked = BERT | {"architectures": ["BertForMaskedLM"]}
    with pytest.raises(UnsupportedArchitecture, match="BertForMaskedLM"):
        spec(tmp_path, masked, task="rerank")


def test_encoder_of_another_kind_is_named(tmp_path: Path) -> None:
    saved = {"model_type": "VideoEncoder"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(saved))
    with pytest.raises(
        UnsupportedArchitecture, match=r"VideoEncoder; exported are .*MultiVectorEncoder"
    ):
        spec(tmp_path, BERT, "Transformer", "Pooling")


@pytest.mark.parametrize(("prompt", "is_told"), [("query: ", True), (None, False)])
def test_graph_is_told_the_prompts_tokens_where_pooling_leaves_them_out(
    tmp_path: Path, prompt: str | None, is_told: bool
) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling/config.json").write_text('{"include_prompt": false}')
    found = spec(tmp_path, BERT, "Transformer", "Pooling", query_prompt=prompt)
    assert found.pools_apart is is_told


def test_language_model_without_modules_is_pooled_by_its_last_token(tmp_path: Path) -> None:
    causal = BERT | {"architectures": ["Qwen3ForCausalLM"]}
    found = spec(tmp_path, causal, task="text_embedding")
    assert isinstance(found.head, Embedding)
    assert found.head.pooling == "lasttoken"


def test_routes_that_differ_in_normalisation_are_refused(tmp_path: Path) -> None:
    types = {"q": "sentence_transformers.models.StaticEmbedding", "n": NAMESPACE + "Normalize"}
    router = {
        "types": types,
        "structure": {"query": ["q"], "document": ["q", "n"]},
        "parameters": {},
    }
    (tmp_path / "0_Router").mkdir()
    (tmp_path / "0_Router/router_config.json").write_text(json.dumps(router))
    with pytest.raises(UnsupportedArchitecture, match=r"the query's does not.*after the Router"):
        spec(tmp_path, BERT, "Router")


def test_several_labels_without_a_choice_are_listed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"0 contradiction, 1 entailment, 2 neutral.*--label"):
        spec(tmp_path, THREE)


@pytest.mark.parametrize("label", ["entailment", "1"])
def test_label_is_chosen_by_name_or_number(tmp_path: Path, label: str) -> None:
    head = spec(tmp_path, THREE, label=label).head
    assert head == Rerank(labels=3, relevance_label=1, activation="softmax")


@pytest.mark.parametrize("label", ["maybe", "3", "-1", "²"])
def test_label_that_the_model_lacks_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="none of the model's labels"):
        choose_label(["no", "yes"], label)


def test_maximum_length_above_the_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at most 512"):
        spec(tmp_path, CLASSIFIER, max_tokens=513)
    assert spec(tmp_path, CLASSIFIER, max_tokens=128).max_tokens == 128


def test_maximum_length_that_no_file_names_is_asked_for(tmp_path: Path) -> None:
    endless = {key: value for key, value in CLASSIFIER.items() if "position" not in key}
    with pytest.raises(UsageError, match="--max-tokens"):
        spec(tmp_path, endless)


@pytest.mark.parametrize(
    ("config", "kinds", "options"),
    [
        (BERT, ("Transformer", "Pooling"), {"label": "1"}),
        (CLASSIFIER, (), {"passage_prompt": ""}),
    ],
)
def test_option_of_the_other_task_is_refused(
    tmp_path: Path, config: dict[str, Any], kinds: tuple[str, ...], options: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match="has no meaning"):
        spec(tmp_path, config, *kinds, **options)


def test_cross_encoder_s_prompt_is_its_default_unless_another_is_given(tmp_path: Path) -> None:
    saved = {"prompts": {"rank": "Rank: ", "query": "q: "}, "default_prompt_name": "rank"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(saved))
    assert spec(tmp_path, CLASSIFIER).prompts.query == PromptChoice("Rank: ", "rank")
    assert spec(tmp_path, CLASSIFIER, query_prompt="").prompts.query == PromptChoice("")


def test_bundle_of_first_layers_is_named_after_them(tmp_path: Path) -> None:
    cut = spec(tmp_path, CLASSIFIER, layers=4)
    assert (cut.layers, cut.name) == (4, "my-model-l4")
    assert spec(tmp_path, CLASSIFIER, layers=4, name="quick").name == "quick"


@pytest.mark.parametrize(
    ("model", "name"),
    [("org/my model", "my-model"), ("/a/b/", "b"), ("_x", "x"), ("modèle.v2", "mod-le.v2")],
)
def test_bundle_name_is_made_of_the_models(model: str, name: str) -> None:
    assert bundle_name(model) == name


def test_name_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(UsageError, match="--name"):
        bundle_name("..")
