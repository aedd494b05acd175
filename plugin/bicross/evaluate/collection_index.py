"""A collection's own index, made and filled by what `bicross deploy` and `bicross index` do."""

import os
import re
from pathlib import Path

from bicross.cluster.apply import apply, plan
from bicross.cluster.config import Config, IndexTable, InputOutput, ModelTable
from bicross.cluster.connection import Cluster
from bicross.cluster.indexing import IndexJob, Progress, index_file, no_progress
from bicross.cluster.served import PIN_DIGITS, Catalog, ServedModel
from bicross.errors import DocumentsFailed, UsageError
from bicross.evaluate.dataset import Collection, corpus_line

TEXT_FIELD = "passage"
VECTOR_FIELD = "passage_vector"
ENGLISH = {"type": "text", "analyzer": "english"}


def chosen_model(catalog: Catalog, asked: str | None, task: str, option: str) -> ServedModel:
    """The model asked for, else the only one of its task that the cluster's endpoints serve."""
    if asked is None:
        names = sorted({s.model.name for s in catalog.sightings if s.model.task == task})
        if len(names) > 1:
            raise UsageError(
                f"the cluster serves several models of the task {task}: {', '.join(names)}; choose "
                f"one by {option}"
            )
        asked = names[0] if names else f"(none of the task {task})"
        if not names:
            raise UsageError(
                f"the cluster serves no model of the task {task}; start `bicross serve` with one"
            )
    return catalog.resolve(ModelTable(model_id=asked), task)


def index_name(collection: Collection, model: ServedModel) -> str:
    """One index for each collection and bundle: vectors of two bundles never share one."""
    digest = (model.digest or "unknown")[:PIN_DIGITS]
    return f"bicross-eval-{_slug(collection.name)}-{_slug(model.name)}-{digest}"


def _slug(name: str) -> str:
    """What an index name may hold of `name`, short enough for two of them."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower())[:80].strip("-.") or "unnamed"


def index_table(model: ServedModel) -> IndexTable:
    """Title and text for BM25 by the `english` analyzer, their join for the models."""
    return IndexTable(
        model=model.pinned,
        input_output=[InputOutput(input_field=TEXT_FIELD, output_field=VECTOR_FIELD)],
        shards=1,
        replicas=0,
        properties={
            "title": ENGLISH,
            "text": ENGLISH,
            TEXT_FIELD: {"type": "text", "index": False},
        },
    )


def fill_index(
    cluster: Cluster,
    catalog: Catalog,
    collection: Collection,
    model: ServedModel,
    progress: Progress = no_progress,
) -> str:
    """The name of an index that holds the whole collection; an earlier run's is used again.

    Raises `DocumentsFailed` where a document was not indexed: a measure over part of a collection
    is a wrong one.
    """
    name = index_name(collection, model)
    config = Config(indices={name: index_table(model)})
    apply(cluster.client, plan(cluster.client, config, catalog))
    job = IndexJob(path=collection.corpus, index=name, parse=corpus_line, state=state_folder(name))
    report = index_file(cluster, job, progress)
    if report.failed:
        raise DocumentsFailed(
            f"{report.failed} of {report.lines} documents were not indexed, each with its reason "
            f"in {report.dead_letters}; no score is printed; run evaluate again to retry them"
        )
    held = int(cluster.client.count(index=name)["count"])
    if held != collection.documents:
        raise DocumentsFailed(
            f"index {name} holds {held} documents, the collection {collection.documents}; delete "
            "the index and run evaluate again"
        )
    return name


def state_folder(name: str) -> Path:
    """Below the user's state folder: a collection may lie where nothing may be written."""
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    folder = base / "bicross" / "evaluate" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
