"""Imports point one way only: speech, indexes ← indexer, retriever ← scoring ← service."""

import ast
from collections.abc import Collection
from functools import cache
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


@cache
def statements(file: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """How a file imports, at its top or later."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return tuple(n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))


def modules(file: Path) -> set[str]:
    """Dotted names of what a file imports."""
    found = set()
    for node in statements(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, f"{file}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imported(file: Path) -> set[str]:
    """Rooms, and other folders of the repository, that a file imports."""
    found = set()
    for name in modules(file):
        first, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        found.add(room if first == "nativeear" and room in BELOW else first)
    return found & OURS


@pytest.mark.parametrize("room", BELOW)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for file in files:
        assert imported(file) <= BELOW[room], file


def test_rooms_are_imported_by_one_name_alone() -> None:
    """`speech` is a folder of this repository, and a package of other people's projects."""
    for folder in (*BELOW, "nativeear", "benchmarks", "training", "tests", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            bare = {name for name in modules(file) if name.partition(".")[0] in BELOW}
            assert not bare, f"{file}: {bare}"


def test_what_tests_and_benchmarks_share_belongs_to_tests() -> None:
    """Benchmarks come and go; what ships needs neither."""
    for folder, never in {"tests": {"benchmarks"}, "training": {"benchmarks", "tests"}}.items():
        for file in (ROOT / folder).rglob("*.py"):
            assert not imported(file) & never, file


def test_every_room_is_part_of_the_package() -> None:
    for room in BELOW:
        link = ROOT / "nativeear" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


def test_no_file_is_called_by_a_name_that_says_nothing() -> None:
    for room in BELOW:
        for file in (ROOT / room).rglob("*.py"):
            assert file.stem not in {"utils", "helpers", "manager", "base", "common", "misc"}, file


def test_no_module_is_too_long_to_read_at_once() -> None:
    for folder in (*BELOW, "nativeear", "benchmarks", "training", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            n_lines = len(file.read_text(encoding="utf-8").splitlines())
            assert n_lines <= 400, f"{file}: {n_lines}"


def module_of(file: Path) -> str:
    """Name under which a file of a room, or of the public face, is imported."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "nativeear" else ("nativeear", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_of(file: Path, ours: Collection[str]) -> set[str]:
    """Which of our modules a file imports, at its top or later."""
    found = set()
    for node in statements(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            # What is no module is a name inside one.
            found |= {name if name in ours else str(node.module) for name in names}
    return found & set(ours)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Nor inside a function, nor for the types alone: circles hide what depends on what."""
    files = {module_of(file): file for room in BELOW for file in (ROOT / room).rglob("*.py")}
    files |= {module_of(file): file for file in (ROOT / "nativeear").glob("*.py")}
    imports = {name: imported_of(file, files) for name, file in files.items()}

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            new = imports[waiting.pop()] - found
            found |= new
            waiting += new
        return found

    assert imports["nativeear.speech.pronunciation"]
    assert not {name for name in files if name in reached(name)}
