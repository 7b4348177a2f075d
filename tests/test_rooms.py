"""Imports point one way only: speech, indexes ← indexer, retriever ← scoring ← service."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BELOW = {
    "speech": {"speech"},
    "indexes": {"indexes", "speech"},
    "indexer": {"indexer", "indexes", "speech"},
    "retriever": {"retriever", "indexes", "speech"},
    "scoring": {"scoring", "indexer", "retriever", "indexes", "speech"},
    "service": {"service", "nativeear", "scoring", "indexer", "retriever", "indexes", "speech"},
}
OURS = {*BELOW, "nativeear", "training", "benchmarks", "tests"}


def imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.add((node.module or "").partition(".")[0])
    return found & OURS


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for file in files:
        assert imported(file) <= BELOW[room], file


def test_no_file_is_called_by_a_name_that_says_nothing() -> None:
    for room in BELOW:
        for file in (ROOT / room).rglob("*.py"):
            assert file.stem not in {"utils", "helpers", "manager", "base", "common", "misc"}, file
