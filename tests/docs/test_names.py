"""Names and paths that README, docs and docstrings send a reader to are there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs.reading import PAGES, ROOT

ROOMS = ("speech", "indexes", "indexer", "retriever", "scoring", "service")
FOLDERS = (*ROOMS, "nativeear", "training", "benchmarks", "tests", "docs", "examples")
GROUPS = {"encoders", "aligners", "g2p", "corpora"}
"""Entry points, which are written like modules: `nativeear.encoders`."""

CONTRIBUTING = ROOT / "docs" / "contributing.md"


def names(text: str) -> set[str]:
    """Dotted names in backticks, with `nativeear.` before them or not."""
    dotted = re.findall(rf"`((?:nativeear|{'|'.join(ROOMS)})(?:\.\w+)+)`", text)
    found = {name.removeprefix("nativeear.") for name in dotted} - GROUPS
    return {f"nativeear.{name}" for name in found}


def paths(text: str) -> set[str]:
    """Paths in backticks that begin in a folder of the repository; placeholders are in capitals."""
    found = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)`", text)
    return {path for path in found if not re.search(r"[A-Z]{3}", path.replace("README", ""))}


def found(name: str) -> object:
    """What a dotted name stands for; of a field, the class that has it."""
    parts = name.split(".")
    module, rest = import_module(parts[0]), parts[1:]
    while rest:
        try:
            module = import_module(f"{module.__name__}.{rest[0]}")
        except ModuleNotFoundError:
            break
        rest = rest[1:]
    value: object = module
    for attribute in rest:
        fields = getattr(value, "__dataclass_fields__", None) or getattr(value, "model_fields", {})
        value = value if attribute in fields else getattr(value, attribute)
    return value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for name in names(text):
        assert found(name) is not None
    assert not {path for path in paths(text) if not list(ROOT.glob(path))}


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "docs"])
def test_a_page_links_within_the_pages(page: Path) -> None:
    """What lies elsewhere in the repository is not on the site that mkdocs builds."""
    for target in re.findall(r"\]\((?!\w+:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).is_file(), target
        assert not target.startswith(".."), target


@pytest.mark.parametrize("room", ROOMS)
def test_what_docstrings_name_is_there(room: str) -> None:
    for file in (ROOT / room).rglob("*.py"):
        for name in names(file.read_text("utf-8")):
            assert found(name) is not None, file


def test_one_page_leads_from_frames_to_a_verdict() -> None:
    text = CONTRIBUTING.read_text("utf-8")
    assert len(names(text)) > 15
    assert len(paths(text)) > 8
    assert len(text.split()) < 1000
    declared = (ROOT / "pyproject.toml").read_text("utf-8")
    for group in GROUPS:
        assert f"`nativeear.{group}`" in text
        assert f'[project.entry-points."nativeear.{group}"]' in declared


def test_tests_that_are_named_in_tables_are_there() -> None:
    """Which run a command instead."""
    table = (ROOT / "tests" / "docs" / "test_commands.py").read_text("utf-8")
    told = re.findall(rf'\b((?:{"|".join(FOLDERS)})/[\w/]+\.py)"', table)
    assert told
    assert [path for path in told if not (ROOT / path).exists()] == []
