"""`docs/constants.md` says of every constant that was chosen on speech what the code says."""

import ast
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.docs.reading import ROOT

PAGE = ROOT / "docs" / "constants.md"
ROOMS = ("speech", "indexes", "indexer", "retriever", "scoring")

ROWS = re.findall(r"^\| `(\S+\.py)` \| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.M)
NAMED = {(path, name) for path, names, *_ in ROWS for name in re.findall(r"`(\w+)`", names)}

CHOSEN = re.compile(
    r"\b(chosen|tried|fitted|set|settled)\s+(on|among|from|with)\b|\btried\s+\d|\bon\s+(three|half|fold)\b",
    re.IGNORECASE,
)


def shown(value: Any) -> str:
    """A value as the page writes it; of a data class its fields, unless they are the usual ones."""
    if is_dataclass(value):
        return shown(own_fields(value)) or "as usual"
    if isinstance(value, dict):
        return ", ".join(f"{name} {bracketed(shown(each))}" for name, each in value.items())
    if isinstance(value, tuple):
        return ", ".join(bracketed(shown(each)) for each in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def bracketed(told: str) -> str:
    return f"({told})" if "," in told else told


def own_fields(value: Any) -> dict[str, Any]:
    """Fields of a data class that have usual values, with these; of an instance, the others."""
    usual = {field.name: field.default for field in fields(value)}
    if isinstance(value, type):
        return {name: each for name, each in usual.items() if each is not MISSING}
    own = {name: getattr(value, name) for name in usual}
    return {name: each for name, each in own.items() if each != usual[name]}


def told_as_chosen(path: Path) -> Iterator[str]:
    """Constants of a module whose docstring says on what they were chosen."""
    body = ast.parse(path.read_text("utf-8")).body
    for node, after in pairwise(body):
        target = getattr(node, "target", None) or getattr(node, "targets", [None])[0]
        if not isinstance(target, ast.Name) or not isinstance(after, ast.Expr):
            continue
        told = ast.unparse(after.value)
        if target.id.isupper() and CHOSEN.search(told.replace("\\n", " ")):
            yield target.id


@pytest.mark.parametrize(("path", "names", "told", "chosen"), ROWS)
def test_the_page_has_the_values_of_the_code(path: str, names: str, told: str, chosen: str) -> None:
    module = import_module("nativeear." + path.removesuffix(".py").replace("/", "."))
    gone = [name for name in re.findall(r"`(\w+)`", names) if not hasattr(module, name)]
    assert not gone, f"{path} has no {gone} any more: name what took its place in {PAGE.name}."
    found = "; ".join(shown(getattr(module, name)) for name in re.findall(r"`(\w+)`", names))
    assert told == found, (
        f"{path}: {names} is {found} in the code. Write that into docs/{PAGE.name}, and into its "
        "last column the speech that it was chosen on, which is none that is reported on."
    )
    assert chosen.strip()


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_docstring_calls_chosen_is_on_the_page(room: str) -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in told_as_chosen(path)
        if (str(path.relative_to(ROOT)), name) not in NAMED
    ]
    assert not missing, f"Give each a row in docs/{PAGE.name}, with the speech: {missing}"


def test_there_is_something_to_hold() -> None:
    assert len(NAMED) > 150
