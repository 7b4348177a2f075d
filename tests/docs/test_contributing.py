"""Every name and every path that leads through the code is there."""

import re
from importlib import import_module

import pytest

from tests.docs.reading import ROOT

PAGE = ROOT / "docs" / "contributing.md"
TOLD = re.findall(r"`([^`\n]+)`", PAGE.read_text("utf-8"))
GROUPS = {"nativeear.encoders", "nativeear.aligners", "nativeear.g2p", "nativeear.corpora"}
"""Entry points: their names stand in `pyproject.toml`."""

NAMES = sorted({told for told in TOLD if re.fullmatch(r"nativeear(\.\w+)+", told)} - GROUPS)
PATHS = sorted({told for told in TOLD if re.fullmatch(r"[\w.-]+/[\w./-]*", told)})


def found(name: str) -> object:
    """What a dotted name stands for."""
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
        value = getattr(value, attribute)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there(name: str) -> None:
    assert found(name) is not None


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_entry_points_are_declared() -> None:
    declared = (ROOT / "pyproject.toml").read_text("utf-8")
    for group in GROUPS:
        assert f"`{group}`" in PAGE.read_text("utf-8")
        assert f'[project.entry-points."{group}"]' in declared


def test_there_is_something_to_hold() -> None:
    assert len(NAMES) > 15
    assert len(PATHS) > 8
    assert len(PAGE.read_text("utf-8").split()) < 1000, "one page"
