"""Which of a model's saved prompts goes before a query, and which before a passage."""

from dataclasses import dataclass
from pathlib import Path

from bicross.bundle.heads import Prompts
from onnx_export.source.model_files import read_json

# sentence-transformers' own names first, then those of widely used models.
QUERY_NAMES = ("query", "search_query", "retrieval.query", "s2p_query")
PASSAGE_NAMES = ("document", "passage", "corpus", "search_document", "retrieval.passage")


@dataclass(frozen=True)
class PromptChoice:
    """`name` is a key of the model's saved prompts, None where `text` has another origin."""

    text: str
    name: str | None = None


@dataclass(frozen=True)
class PromptChoices:
    query: PromptChoice
    passage: PromptChoice

    @property
    def texts(self) -> Prompts:
        return Prompts(query=self.query.text, passage=self.passage.text)


def read_prompts(
    folder: Path, query: str | None = None, passage: str | None = None
) -> PromptChoices:
    """The caller's texts where given, else the saved prompts, else the saved default, else none."""
    config = read_json(folder, "config_sentence_transformers.json")
    saved = {name: text or "" for name, text in (config.get("prompts") or {}).items()}
    default = config.get("default_prompt_name")
    return PromptChoices(
        query=_choose(saved, QUERY_NAMES, default, query),
        passage=_choose(saved, PASSAGE_NAMES, default, passage),
    )


def _choose(
    saved: dict[str, str], names: tuple[str, ...], default: str | None, given: str | None
) -> PromptChoice:
    if given is not None:
        return PromptChoice(given)
    # A named prompt that is empty may be a placeholder beside the one that was meant.
    named = [name for name in names if name in saved]
    for name in sorted(named, key=lambda name: not saved[name]):
        return PromptChoice(saved[name], name)
    if default in saved:
        return PromptChoice(saved[default], default)
    return PromptChoice("")
