"""The Java half carries the version of the whole."""

import re
from pathlib import Path

from bicross import __version__

POM = Path(__file__).parents[1] / "elasticsearch" / "pom.xml"


def test_the_plugins_version_is_the_distributions() -> None:
    found = re.search(r"<version>(.+?)</version>", POM.read_text())
    assert found is not None
    assert found.group(1) == __version__
