"""The two lanes of work."""

from enum import StrEnum


class Lane(StrEnum):
    """`SEARCH` is what a person waits for: query vectors and reranking. `INGEST` is the rest."""

    SEARCH = "search"
    INGEST = "ingest"
