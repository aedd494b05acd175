"""The README's requests, sent to a real node in the order in which a reader meets them."""

import json
import re

from real_models import RealCluster
from server_process import ROOT

README = (ROOT / "README.md").read_text()
REQUEST = re.compile(r"```http\n(\w+) (/\S+)\n(.*?)```", re.DOTALL)


def test_the_readmes_requests_do_what_it_says(real: RealCluster) -> None:
    requests = REQUEST.findall(README)
    assert [method for method, _, _ in requests] == ["PUT", "PUT", "POST", "POST"]
    answers = []
    for method, path, body in requests:
        kind = "application/x-ndjson" if "_bulk" in path else "application/json"
        response = real.rest.http.request(
            method, path, content=body, headers={"content-type": kind}
        )
        assert response.status_code == 200, response.text
        answers.append(json.loads(response.text))
    assert answers[2]["errors"] is False
    hits = answers[3]["hits"]["hits"]
    assert hits[0]["_id"] == "2"
    real.rest.ok("DELETE", "/passages")
