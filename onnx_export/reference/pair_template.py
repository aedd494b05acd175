"""The text that sentence-transformers makes of a pair for a model with a chat template.

The template is a program; a bundle keeps what it writes around query and passage. So it is run on
pairs, and refused where it does anything else with them than to put them in their places.
"""

from typing import Any

from sentence_transformers.base.modules import Transformer

from bicross.bundle.heads import Template
from bicross.errors import UnsupportedArchitecture

QUERY, PASSAGE = "qzquery7", "pzpassage9"
# What a template might escape, trim, fold or cut.
PROBES = (
    ("a", "b"),
    (" two  words\n", "\n\tlines of\n\ntext  "),
    ('"quotes" & <tags> {braces}', "back\\slash 'single' %s {{ }} ünïcode 猫 | é"),
    ("", "x" * 2000),
)
# What transformers' tokenizers take beside the template's own variables.
SIZES = frozenset({"padding", "truncation", "max_length", "return_tensors", "restore_suffix"})


def read_template(who: str, transformer: Transformer, prompt: str | None) -> Template | None:
    """None where pairs go to the tokenizer as pairs.

    Raises `UnsupportedArchitecture`, naming what of the template cannot be kept.
    """
    settings = transformer.processing_kwargs
    if other := [name for name, value in settings.items() if value and name != "chat_template"]:
        raise UnsupportedArchitecture(
            f"{who}: processing_kwargs.{other[0]} of its Transformer module changes how texts are "
            "cut, which is not exported; remove it and compare the scores"
        )
    if "message" not in transformer.modality_config:
        return None
    variables = settings.get("chat_template", {})
    if sizes := sorted(SIZES & variables.keys()):
        raise UnsupportedArchitecture(
            f"{who}: processing_kwargs.chat_template.{sizes[0]} of its Transformer module changes "
            "how texts are cut, which is not exported; remove it and compare the scores"
        )
    if failure := transformer.input_formatter.pair_roles_failure(variables):
        raise UnsupportedArchitecture(
            f"{who}: its chat template cannot carry a query and a document ({failure}); give the "
            "model a chat_template.jinja that renders the roles `query` and `document`"
        )
    return _read_places(who, transformer, prompt, variables)


def _read_places(
    who: str, transformer: Transformer, prompt: str | None, variables: dict[str, Any]
) -> Template:
    if "strftime_now" in str(transformer.processor.chat_template):
        raise UnsupportedArchitecture(
            f"{who}: its chat template writes today's date (strftime_now); give it a fixed date"
        )
    text = _render(transformer, (QUERY, PASSAGE), prompt, variables)
    if text.count(QUERY) != 1 or text.count(PASSAGE) != 1:
        raise UnsupportedArchitecture(
            f"{who}: its chat template writes the query {text.count(QUERY)} times and the document "
            f"{text.count(PASSAGE)} times; exported are templates that write each once"
        )
    if text.index(QUERY) > text.index(PASSAGE):
        raise UnsupportedArchitecture(
            f"{who}: its chat template writes the document before the query, which is then what a "
            "long pair loses; exported are templates that write the query first"
        )
    prefix, _, rest = text.partition(QUERY)
    between, _, suffix = rest.partition(PASSAGE)
    for strip in (None, True):
        template = Template(prefix=prefix, between=between, suffix=suffix, strip=strip)
        if all(
            _render(transformer, pair, prompt, variables) == fill(template, *pair)
            for pair in PROBES
        ):
            return template
    raise UnsupportedArchitecture(
        f"{who}: its chat template changes the texts that it is given; exported are templates that "
        "write them as they are, or without the white space at their ends"
    )


def fill(template: Template, query: str, passage: str) -> str:
    if template.strip:
        query, passage = query.strip(), passage.strip()
    return template.prefix + query + template.between + passage + template.suffix


def _render(
    transformer: Transformer,
    pair: tuple[str, str],
    prompt: str | None,
    variables: dict[str, Any],
) -> str:
    formatter = transformer.input_formatter
    messages = formatter.pair_to_messages(pair)
    if prompt:
        (messages,) = formatter.prepend_prompt_to_messages([messages], prompt)
    return str(transformer.processor.apply_chat_template(messages, tokenize=False, **variables))
