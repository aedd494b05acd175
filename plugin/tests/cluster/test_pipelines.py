"""The pipeline as one would PUT it by hand."""

from bicross import __version__
from bicross.cluster.config import IndexTable, InputOutput
from bicross.cluster.pipelines import ingest_pipeline
from bicross.cluster.served import ServedModel

MODEL = ServedModel("minilm", "text_embedding", "ab" * 32, "onnxruntime", "fp32", 384, "cosine")
FIELDS = [
    InputOutput(input_field="title", output_field="title_vector"),
    InputOutput(input_field="body.text", output_field="body.vector"),
]


def test_the_pipeline_pins_the_bundle_and_lets_documents_without_text_through() -> None:
    body = ingest_pipeline("docs", IndexTable(model="minilm", input_output=FIELDS), MODEL)
    assert body["processors"] == [
        {
            "bicross_embed": {
                "model_id": "minilm@abababababab",
                "input_output": [
                    {"input_field": "title", "output_field": "title_vector"},
                    {"input_field": "body.text", "output_field": "body.vector"},
                ],
                "ignore_missing": True,
            }
        }
    ]


def test_the_pipeline_remembers_by_what_it_embeds() -> None:
    meta = ingest_pipeline("docs", IndexTable(model="minilm"), MODEL)["_meta"]["bicross"]
    assert meta == {
        "model_id": "minilm@abababababab",
        "digest": "ab" * 32,
        "engine": "onnxruntime",
        "precision": "fp32",
        "version": __version__,
    }


def test_a_model_without_a_digest_is_named_without_a_pin() -> None:
    model = ServedModel("tei", "text_embedding", dimensions=768)
    body = ingest_pipeline("docs", IndexTable(model="tei"), model)
    assert body["processors"][0]["bicross_embed"]["model_id"] == "tei"
    assert body["_meta"]["bicross"] == {"model_id": "tei", "version": __version__}
