"""What the cluster's nodes say that their endpoints serve, read from `GET /_bicross`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch import NotFoundError as EndpointNotFound
from elasticsearch.exceptions import BadRequestError

from bicross.cluster.config import ModelTable
from bicross.errors import ClusterConflict, EnvironmentProblem

PIN_DIGITS = 12


@dataclass(frozen=True)
class ServedModel:
    """One model as its server describes it.

    `digest`, `engine` and `precision` are None behind a server that does not tell them;
    `dimensions` and `similarity` belong to text_embedding alone.
    """

    name: str
    task: str | None
    digest: str | None = None
    engine: str | None = None
    precision: str | None = None
    dimensions: int | None = None
    similarity: str | None = None

    @property
    def pinned(self) -> str:
        """`name@` and the first twelve digits, so that vectors of two bundles never mix."""
        return f"{self.name}@{self.digest[:PIN_DIGITS]}" if self.digest else self.name

    def provenance(self) -> dict[str, str]:
        known = {
            "model_id": self.pinned,
            "digest": self.digest,
            "engine": self.engine,
            "precision": self.precision,
        }
        return {key: value for key, value in known.items() if value is not None}


@dataclass(frozen=True)
class Sighting:
    """One model as one URL of one node's endpoint reported it; `where` names all three."""

    where: str
    model: ServedModel


@dataclass(frozen=True)
class Catalog:
    """Every sighting, and the URLs that did not answer, each with its reason."""

    sightings: tuple[Sighting, ...]
    silent: tuple[str, ...]

    def resolve(self, table: ModelTable, task: str) -> ServedModel:
        """The one model that `table` names.

        Raises `EnvironmentProblem` where no endpoint serves it, and `ClusterConflict` where its
        task is another, or where endpoints disagree about its digest, engine or precision.
        """
        name, _, digits = table.model_id.partition("@")
        seen = [sighting for sighting in self.sightings if sighting.model.name == name]
        if not seen:
            raise EnvironmentProblem(self._not_served(name))
        _refuse_disagreement(name, seen)
        found = seen[0].model
        if digits and not (found.digest or "").startswith(digits):
            raise ClusterConflict(
                f"model {table.model_id}: the cluster's endpoints serve {found.pinned}; write that "
                "in bicross.toml, or serve the bundle with the digest named"
            )
        return _completed(found, table, task)

    def _not_served(self, name: str) -> str:
        names = sorted({sighting.model.name for sighting in self.sightings})
        served = f"served are: {', '.join(names)}" if names else "no model is served"
        silent = f"; without an answer: {'; '.join(self.silent)}" if self.silent else ""
        return (
            f"no endpoint of the cluster serves the model {name!r}; {served}{silent}; start "
            "`bicross serve` with its bundle, or correct bicross.toml"
        )


def read_catalog(client: Elasticsearch) -> Catalog:
    """Raises `EnvironmentProblem` where the cluster does not have the plugin."""
    try:
        answer = client.perform_request(
            "GET", "/_bicross", headers={"accept": "application/json"}
        ).body
    except (BadRequestError, EndpointNotFound):
        raise EnvironmentProblem(
            "the cluster does not know GET /_bicross: the bicross plugin is not installed on the "
            "node that answered; install the zip of its version on every node and restart them"
        ) from None
    return parse_catalog(answer)


def parse_catalog(answer: Mapping[str, Any]) -> Catalog:
    """Every URL of every endpoint of every node, each with what it serves or why it is silent."""
    sightings: list[Sighting] = []
    silent: list[str] = []
    for node_id, node in answer.get("nodes", {}).items():
        for endpoint in node.get("endpoints", ()):
            place = f"{node.get('name', node_id)}/{endpoint['name']}"
            for url in endpoint.get("urls", ()):
                where = f"{place} at {url['url']}"
                if url.get("answers") is False:
                    silent.append(f"{where}: {url.get('error', 'no answer')}")
                sightings.extend(Sighting(where, each) for each in _reachable(endpoint, url))
    return Catalog(tuple(sightings), tuple(silent))


def _reachable(endpoint: Mapping[str, Any], url: Mapping[str, Any]) -> list[ServedModel]:
    """What the endpoint's own list of names leaves of the server's; the names where it has none."""
    named = [name.partition("@")[0] for name in endpoint.get("models", ())]
    if url.get("answers") is None:
        return [ServedModel(name, task=None) for name in named]
    served = [_served(model) for model in url.get("serves", ())]
    return [model for model in served if not named or model.name in named]


def _served(model: Mapping[str, Any]) -> ServedModel:
    return ServedModel(
        name=str(model["id"]),
        task=model.get("task"),
        digest=model.get("digest"),
        engine=model.get("engine"),
        precision=model.get("precision"),
        dimensions=model.get("dimensions"),
        similarity=model.get("similarity"),
    )


def _refuse_disagreement(name: str, seen: Iterable[Sighting]) -> None:
    descriptions: dict[ServedModel, str] = {}
    for sighting in seen:
        descriptions.setdefault(sighting.model, sighting.where)
    if len(descriptions) < 2:
        return
    told = "; ".join(
        f"{place} has {model.pinned} ({model.engine}, {model.precision})"
        for model, place in descriptions.items()
    )
    raise ClusterConflict(
        f"the cluster's endpoints disagree about the model {name!r}: {told}; their vectors would "
        "not mix: serve one bundle with one engine and one precision everywhere"
    )


def _completed(found: ServedModel, table: ModelTable, task: str) -> ServedModel:
    """`found` with what only bicross.toml tells; refused where the two tell different things."""
    for key in ("task", "dimensions", "similarity"):
        told, served = getattr(table, key), getattr(found, key)
        if key != "similarity" and told is not None and served is not None and told != served:
            raise ClusterConflict(
                f"model {found.name}: bicross.toml says {key} {told!r}, its server {served!r}"
            )
    _require_pair(found, table)
    model = ServedModel(
        name=found.name,
        task=found.task or table.task,
        digest=found.digest,
        engine=found.engine,
        precision=found.precision,
        dimensions=found.dimensions or table.dimensions,
        similarity=table.similarity or found.similarity or "cosine",
    )
    if model.task not in (None, task):
        raise ClusterConflict(
            f"model {found.name} has the task {model.task}; {task} is needed here"
        )
    if task == "text_embedding" and model.dimensions is None:
        raise ClusterConflict(
            f"model {found.name}: its server does not tell its dimensions; write `dimensions` into "
            "its [models] table"
        )
    return model


def _require_pair(found: ServedModel, table: ModelTable) -> None:
    """Vectors of another engine or precision are other vectors."""
    for key in ("engine", "precision"):
        told, served = getattr(table, key), getattr(found, key)
        if told is not None and served is not None and told != served:
            raise ClusterConflict(
                f"model {found.name}: bicross.toml says {key} {told!r}, its server runs "
                f"{served!r}; start `bicross serve` with --config and that file, or correct it"
            )
