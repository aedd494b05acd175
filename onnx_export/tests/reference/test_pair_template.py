"""What a bundle keeps of a chat template gives the rows that sentence-transformers gives."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import transformers
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sentence_transformers import CrossEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.cross_encoder.modules import LogitScore

from bicross.bundle.heads import Rerank, Template
from bicross.errors import UnsupportedArchitecture, UsageError
from bicross.runtime import Tokenizer
from bicross.runtime.pairs import PairTemplate
from bicross.runtime.ranking.samples import read_sample
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec
from onnx_export.tests.edits import edit_json
from onnx_export.tests.matrix.vocabularies import Vocabularies

pytestmark = pytest.mark.torch
MAX_TOKENS = 48
WORDS = st.sampled_from(" ".join(read_sample().passages).split())
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# White space at the ends, control tokens inside, and texts above what the model takes.
PASSAGES = st.lists(WORDS | ANYTHING | st.sampled_from([" ", "\n", "<|im_end|>"]), max_size=40).map(
    " ".join
)
QUERY = "how is bread\n"
ROLE = "{{ messages | selectattr('role', 'eq', '%s') | map(attribute='content') | first%s }}"
CHAT = (
    "{%- for message in messages if message.role == 'system' %}"
    "<|im_start|>{{ message.content }}<|im_end|>{% endfor -%}"
    f"<|im_start|>{ROLE % ('query', '')}\n{ROLE % ('document', '')}<|im_end|>\n="
)
STRIPPING = f"q: {ROLE % ('query', ' | trim')} d: {ROLE % ('document', ' | trim')} ="
STRUCTURED = (
    CHAT.replace("message.content", "message.content[0].text")
    .replace(
        "map(attribute='content') | first", "map(attribute='content') | map('first') | first).text"
    )
    .replace("{{ messages", "{{ (messages")
)
Make = Callable[..., Path]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One layer of Qwen3 under random weights; what it is does not matter to its rows."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = copy.deepcopy(Vocabularies().qwen)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.add_tokens(["yes", "no"])
    tokenizer.model_max_length = MAX_TOKENS
    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        intermediate_size=16,
        max_position_embeddings=MAX_TOKENS,
        pad_token_id=tokenizer.pad_token_id,
    )
    transformers.Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    def save(template: str | None, prompt: str = "") -> Path:
        transformer = Transformer(
            str(base),
            transformer_task="text-generation",
            processor_kwargs={"chat_template": template},
        )
        tokens = transformer.tokenizer.convert_tokens_to_ids(["yes", "no"])
        model = CrossEncoder(
            modules=[transformer, LogitScore(*tokens)],
            device="cpu",
            prompts={"rank": prompt},
            default_prompt_name="rank",
        )
        folder = tmp_path_factory.mktemp("model")
        model.save_pretrained(str(folder))
        return folder

    return save


def reference(folder: Path, **options: Any) -> Any:
    return load_reference(read_spec(ModelFolder(folder, "org/model"), Options(**options)))


def read(folder: Path) -> Template | None:
    head = reference(folder).spec.head
    assert isinstance(head, Rerank)
    return head.template


@pytest.fixture(
    scope="session",
    params=[(CHAT, ""), (CHAT, "Judge\nit."), (STRIPPING, ""), (STRUCTURED, "Judge it.")],
    ids=["chat", "prompt", "strips", "structured"],
)
def both(
    request: pytest.FixtureRequest, make: Make, tmp_path_factory: pytest.TempPathFactory
) -> tuple[CrossEncoder, PairTemplate]:
    """The original, and the rows as a server makes them of what the export writes."""
    original = reference(make(*request.param))
    out = tmp_path_factory.mktemp("written")
    original.write_tokenizer_and_config(out)
    pieces = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    pieces.no_truncation()
    pieces.no_padding()
    rows = Tokenizer(pieces, original.spec.max_tokens, pad_id=0)
    return original.model, PairTemplate.load(rows, original.spec.head.template)


@settings(max_examples=100)
@given(passage=PASSAGES)
@example(passage="")
@example(passage="bread " * 100)
@example(passage=" and\n")
def test_pair_has_the_row_of_the_original(
    both: tuple[CrossEncoder, PairTemplate], passage: str
) -> None:
    original, ours = both
    prompt = original.prompts["rank"]
    theirs = original.preprocess([(QUERY, passage)], prompt=prompt)["input_ids"][0].tolist()
    assert ours.encode_pairs(QUERY, [passage])[0].ids.tolist() == theirs


def test_prompt_stands_in_the_template_and_is_remembered(make: Make) -> None:
    head = reference(make(CHAT, "Judge it.")).spec.head
    assert head.prompt == "Judge it."
    assert head.template.prefix == "<|im_start|>Judge it.<|im_end|><|im_start|>"
    assert head.template.suffix == "<|im_end|>\n="


def test_other_prompt_takes_the_default_s_place(make: Make) -> None:
    head = reference(make(CHAT, "Judge it."), query_prompt="Rank it.").spec.head
    assert head.template.prefix == "<|im_start|>Rank it.<|im_end|><|im_start|>"


def test_model_without_a_chat_template_takes_pairs_as_they_are(make: Make) -> None:
    assert read(make(None)) is None


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{{ messages[0].content }}", "cannot carry a query and a document"),
        (f"{ROLE % ('document', '')} {ROLE % ('query', '')}", "document before the query"),
        (f"{ROLE % ('query', '')} {ROLE % ('document', '')}" * 2, "2 times"),
        (f"{ROLE % ('query', ' | upper')} {ROLE % ('document', '')}", "changes the texts|0 times"),
        (f"{ROLE % ('query', '')} {ROLE % ('document', ' | tojson')}", "changes the texts"),
        (f"{ROLE % ('query', '')} {ROLE % ('document', ' | truncate(500)')}", "changes the texts"),
        (
            f"{{{{ strftime_now('%Y') }}}} {ROLE % ('query', '')} {ROLE % ('document', '')}",
            "strftime_now",
        ),
    ],
    ids=["one role", "turned round", "twice", "upper", "escaped", "cut", "dated"],
)
def test_template_that_cannot_be_kept_is_refused_by_what_it_does(
    make: Make, template: str, named: str
) -> None:
    with pytest.raises(UnsupportedArchitecture, match=f"org/model: .*({named})"):
        read(make(template))


def test_settings_that_change_how_texts_are_cut_are_refused_by_name(make: Make) -> None:
    folder = make(CHAT)
    edit_json(folder, "sentence_bert_config.json", processing_kwargs={"text": {"max_length": 9}})
    with pytest.raises(UnsupportedArchitecture, match=r"processing_kwargs\.text"):
        read(folder)


def test_tokenizer_that_cuts_on_the_left_is_refused(make: Make) -> None:
    folder = make(CHAT)
    edit_json(folder, "tokenizer_config.json", truncation_side="left")
    with pytest.raises(UnsupportedArchitecture, match="truncation_side"):
        read(folder)


def test_score_without_its_tokens_is_refused(make: Make) -> None:
    folder = make(CHAT)
    edit_json(folder, "1_LogitScore/config.json", true_token_id=3, false_token_id=3)
    with pytest.raises(UnsupportedArchitecture, match="`yes` and `no`"):
        read(folder)


def test_query_without_room_for_a_passage_is_the_sample_s_fault(make: Make) -> None:
    with pytest.raises(UsageError, match="--sample"):
        reference(make(None)).logits([("bread " * MAX_TOKENS, "water")])
