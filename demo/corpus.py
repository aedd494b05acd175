"""Python's own documentation as a judged collection, by the rule in demo/README.md."""

import ast
import hashlib
import json
import sysconfig
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEFT_OUT = frozenset(
    {"ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests", "turtledemo"}
)
MIN_PASSAGE_WORDS = 12
QUERY_WORDS = range(6, 41)
QUERIES = 100


@dataclass(frozen=True)
class Docstring:
    name: str
    summary: str
    body: str

    @property
    def has_body(self) -> bool:
        return len(self.body.split()) >= MIN_PASSAGE_WORDS

    @property
    def passage(self) -> str:
        return self.body if self.has_body else f"{self.summary} {self.body}".strip()


def write_collection(folder: Path, library: Path | None = None) -> tuple[int, int]:
    """Writes corpus.jsonl, queries.jsonl and qrels/test.tsv; returns passages and queries."""
    docstrings = list(read_docstrings(library or Path(sysconfig.get_paths()["stdlib"])))
    passages = [d for d in docstrings if len(d.passage.split()) >= MIN_PASSAGE_WORDS]
    queries = choose_queries(docstrings)
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    _write_lines(
        folder / "corpus.jsonl",
        (json.dumps({"_id": d.name, "title": d.name, "text": d.passage}) for d in passages),
    )
    _write_lines(
        folder / "queries.jsonl",
        (json.dumps({"_id": f"summary of {d.name}", "text": d.summary}) for d in queries),
    )
    judgements = (f"summary of {d.name}\t{d.name}\t1" for d in queries)
    _write_lines(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", *judgements])
    return len(passages), len(queries)


def choose_queries(docstrings: list[Docstring]) -> list[Docstring]:
    shared = Counter(_folded(d.summary) for d in docstrings)
    candidates = [
        d
        for d in docstrings
        if d.has_body
        and len(d.summary.split()) in QUERY_WORDS
        and shared[_folded(d.summary)] == 1
        and _folded(d.summary) not in _folded(d.passage)
    ]
    return sorted(candidates, key=lambda d: hashlib.sha256(d.name.encode()).hexdigest())[:QUERIES]


def read_docstrings(library: Path) -> Iterator[Docstring]:
    """Each docstring once, in the order of path and line, white space made single."""
    seen_names: set[str] = set()
    seen_texts: set[str] = set()
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        if LEFT_OUT.intersection(parts):
            continue
        module = ".".join(parts).removesuffix(".__init__")
        for name, text in _module_docstrings(path, module):
            summary, _, body = text.partition("\n\n")
            docstring = Docstring(name, " ".join(summary.split()), " ".join(body.split()))
            if name in seen_names or _folded(text) in seen_texts:
                continue
            seen_names.add(name)
            seen_texts.add(_folded(text))
            yield docstring


def _module_docstrings(path: Path, module: str) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # a few files are there to be malformed
        return
    yield from _walk(tree, module)


def _walk(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(node, documented) and (text := ast.get_docstring(node)):
        yield name, text
    for child in ast.iter_child_nodes(node):
        is_named = isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _walk(child, f"{name}.{child.name}" if is_named else name)  # type: ignore[attr-defined]


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def _write_lines(path: Path, lines: Iterator[str] | list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
