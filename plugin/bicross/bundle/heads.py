"""What a bundle's outputs mean, by task: a vector, token weights, token vectors, a relevance.

Only what a head's numbers depend on stands here, since a head is part of the bundle's digest; a
field that is None is not.
"""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bicross.bundle.record import Record, TokenId

Similarity = Literal["cosine", "dot_product", "l2_norm"]
Activation = Literal["identity", "sigmoid", "softmax"]
Dimensions = Annotated[int, Field(ge=1, le=1_048_576)]


class Prompts(Record):
    """What the model wants before a text of each input type; empty where it wants nothing."""

    query: str = ""
    passage: str = ""


class Embedding(Record):
    """One vector per text. `pooling` is descriptive: the graph pools, projects and normalises.

    `matryoshka` lists, largest first, the dimensions below `dimensions` to which the model was
    trained to be cut. `int8_scale` is the absolute value that becomes 127 in an int8 vector.
    """

    dimensions: Dimensions
    similarity: Similarity
    pooling: str
    normalize: bool
    prompts: Prompts = Prompts()
    matryoshka: tuple[Dimensions, ...] | None = None
    int8_scale: Annotated[float, Field(gt=0)] | None = None

    @property
    def offered_dimensions(self) -> tuple[int, ...]:
        """The model's own, then those to which its vectors may be cut."""
        return (self.dimensions, *(self.matryoshka or ()))

    @model_validator(mode="after")
    def cuts_are_shorter_and_shorter(self) -> "Embedding":
        if any(after >= before for before, after in pairwise(self.offered_dimensions)):
            raise ValueError(f"matryoshka is not below {self.dimensions}, largest first")
        return self


class Sparse(Record):
    """A weight for each of the vocabulary's `dimensions` tokens, most of them 0, none below."""

    dimensions: Dimensions
    prompts: Prompts = Prompts()
    max_active: Annotated[int, Field(ge=1)] | None = None


class LateInteraction(Record):
    """A vector for each token; texts are compared by MaxSim (Khattab and Zaharia 2020).

    Vectors of tokens in `skip_passage_ids` and `skip_query_ids` are left out. `meanmaxsim` divides
    by the query's tokens, which leaves the order of its passages as it is.
    """

    dimensions: Dimensions
    similarity: Literal["maxsim", "meanmaxsim"] = "maxsim"
    normalize: bool
    prompts: Prompts = Prompts()
    skip_query_ids: tuple[TokenId, ...] = ()
    skip_passage_ids: tuple[TokenId, ...] = ()


class Template(Record):
    """A pair as one text: prefix, query, between, passage, suffix.

    It gets no special tokens but its own. With `strip` query and passage lose the white space at
    their ends first.
    """

    prefix: str
    between: str
    suffix: str
    strip: Literal[True] | None = None


class Rerank(Record):
    """How a head of `labels` outputs becomes one relevance.

    One label: its logit as it is. Several: `relevance_label` against the log-sum-exp of the others.
    `prompt` goes before each query; a `template` holds it already.
    """

    labels: Annotated[int, Field(ge=1)]
    relevance_label: Annotated[int, Field(ge=0)] = 0
    activation: Activation
    prompt: str | None = None
    template: Template | None = None

    @model_validator(mode="after")
    def label_exists(self) -> "Rerank":
        if self.relevance_label >= self.labels:
            raise ValueError(f"relevance_label {self.relevance_label} of {self.labels} labels")
        return self


Head = Embedding | Sparse | LateInteraction | Rerank
