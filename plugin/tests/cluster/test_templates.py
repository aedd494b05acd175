"""The index template as one would PUT it by hand."""

from typing import Any

from bicross import __version__
from bicross.cluster.config import IndexTable, InputOutput
from bicross.cluster.served import ServedModel
from bicross.cluster.templates import index_template

BI = ServedModel("minilm", "text_embedding", "ab" * 32, "onnxruntime", "fp32", 384, "cosine")
CROSS = ServedModel("ms-marco", "rerank", "cd" * 32, "onnxruntime", "int8")


def template(reranker: ServedModel | None = None, **keys: Any) -> dict[str, Any]:
    return index_template("docs", IndexTable(model="minilm", **keys), BI, reranker)


def properties(**keys: Any) -> dict[str, Any]:
    found: dict[str, Any] = template(**keys)["template"]["mappings"]["properties"]
    return found


def test_the_vector_has_its_models_dimensions_and_similarity() -> None:
    assert properties() == {
        "text": {"type": "text"},
        "text_vector": {"type": "dense_vector", "dims": 384, "similarity": "cosine"},
    }


def test_similarity_and_index_options_of_the_file_win() -> None:
    found = properties(similarity="dot_product", index_options={"type": "int8_flat"})
    assert found["text_vector"] == {
        "type": "dense_vector",
        "dims": 384,
        "similarity": "dot_product",
        "index_options": {"type": "int8_flat"},
    }


def test_properties_of_the_file_stand_beside_and_win_for_the_text() -> None:
    own = {"text": {"type": "text", "analyzer": "english"}, "year": {"type": "integer"}}
    found = properties(properties=own)
    assert found["text"] == own["text"]
    assert found["year"] == own["year"]
    assert "text_vector" in found


def test_a_dotted_vector_lies_in_its_object_beside_the_files_own_fields() -> None:
    own = {"body": {"properties": {"text": {"type": "text"}}}}
    pairs = [InputOutput(input_field="body.text", output_field="body.vector")]
    found = properties(input_output=pairs, properties=own)
    assert sorted(found["body"]["properties"]) == ["text", "vector"]
    assert list(own["body"]["properties"]) == ["text"], "the configuration is not written to"


def test_settings_are_in_the_form_that_elasticsearch_returns() -> None:
    own = {"index": {"refresh_interval": "5s"}, "max_result_window": 20_000, "hidden": True}
    assert template(shards=3, replicas=0, settings=own)["template"]["settings"] == {
        "index": {
            "number_of_shards": "3",
            "number_of_replicas": "0",
            "default_pipeline": "docs-embed",
            "refresh_interval": "5s",
            "max_result_window": "20000",
            "hidden": "true",
        }
    }


def test_the_mapping_remembers_what_wrote_each_vector_and_the_reranker_meant_for_it() -> None:
    meta = template(CROSS)["template"]["mappings"]["_meta"]["bicross"]
    assert meta["version"] == __version__
    assert meta["fields"] == {
        "text_vector": {
            "input_field": "text",
            "model_id": "minilm@abababababab",
            "digest": "ab" * 32,
            "engine": "onnxruntime",
            "precision": "fp32",
        }
    }
    assert meta["reranker"]["model_id"] == "ms-marco@cdcdcdcdcdcd"
    assert meta["reranker"]["precision"] == "int8"


def test_without_a_reranker_none_is_remembered() -> None:
    assert "reranker" not in template()["template"]["mappings"]["_meta"]["bicross"]


def test_the_template_covers_the_versions_of_its_index_alone() -> None:
    assert template()["index_patterns"] == ["docs-v*"]
