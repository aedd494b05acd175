"""`GET /_bicross`: one row per node, no secrets."""

import json

from animals import animal_documents
from rest import Rest
from server_process import KEY, ServerProcess

from bicross import __version__


def test_each_node_tells_its_endpoints_and_the_models_that_each_serves(
    rest: Rest, server: ServerProcess, animals: str
) -> None:
    del animals
    answer = rest.ok("GET", "/_bicross")
    (row,) = answer["nodes"].values()
    assert row["version"] == __version__
    (endpoint,) = row["endpoints"]
    (address,) = endpoint["urls"]
    assert (endpoint["name"], address["answers"]) == ("local", True)
    served = {model["id"]: model for model in server.get("/v1/models").json()["data"]}
    told = {model["id"]: model for model in address["serves"]}
    assert told.keys() == served.keys()
    for name, model in told.items():
        same = ("task", "digest", "engine", "precision")
        assert [model[key] for key in same] == [served[name][key] for key in same]
    assert told["tiny-bi"]["dimensions"] == 16
    assert KEY not in json.dumps(answer)


def test_the_counters_count(rest: Rest, index: str) -> None:
    def embedded() -> int:
        (row,) = rest.ok("GET", "/_bicross")["nodes"].values()
        return int(row["counters"]["ingest_texts"])

    before = embedded()
    rest.bulk(index, animal_documents(30))
    assert embedded() - before == 30
