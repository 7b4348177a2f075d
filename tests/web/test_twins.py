"""What the page's package and Python must have alike is held to each other without running it."""

import importlib.util
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from nativeear.speech.reading.graph import Costs

WEB = Path(__file__).parents[2] / "web"
TWINS = re.compile(r"`((?:speech|indexes|retriever|scoring)/[\w/]+\.py)`")
CONSTANT = re.compile(
    r"^(?:export )?const ([A-Z][A-Z_]+)(?:: \w+)? = (-?[\d._]+(?:e-\d+)?(?: / \d+)?);", re.M
)
COSTS = re.compile(r"^  (\w+): (-?[\d.]+),$", re.M)


def constants(file: Path) -> dict[str, float]:
    """The numbers that a module of the package gives a name in capitals."""
    found = CONSTANT.findall(file.read_text(encoding="utf-8"))
    return {name: eval(value.replace("_", "")) for name, value in found}  # noqa: S307


def twins() -> list[tuple[Path, str]]:
    files = sorted((WEB / "src").rglob("*.ts"))
    return [
        (file, twin)
        for file in files
        for twin in TWINS.findall(file.read_text(encoding="utf-8").partition("*/")[0])
    ]


def test_every_module_of_a_room_names_its_twin() -> None:
    named = {file for file, _ in twins()}
    alone = {"autocorrelation.ts", "fourier.ts", "paths.ts", "sequence_matcher.ts"}
    for room in ("speech", "indexes", "retriever", "scoring"):
        for file in (WEB / "src" / room).rglob("*.ts"):
            assert file in named or file.name in alone, file


@pytest.mark.parametrize(("file", "twin"), twins(), ids=lambda each: str(each).rpartition("/")[2])
def test_constants_are_those_of_the_twin(file: Path, twin: str) -> None:
    assert (WEB.parent / twin).is_file()
    python: Any = import_module("nativeear." + twin.removesuffix(".py").replace("/", "."))
    shared = {name: value for name, value in constants(file).items() if hasattr(python, name)}
    for name, value in shared.items():
        assert value == pytest.approx(getattr(python, name)), name


def test_enough_constants_are_compared() -> None:
    assert sum(len(constants(file)) for file, _ in twins()) > 60


def test_costs_of_a_path_are_those_of_the_twin() -> None:
    text = (WEB / "src/speech/reading/graph.ts").read_text(encoding="utf-8")
    told = dict(COSTS.findall(text.partition("COSTS: Costs = {")[2].partition("}")[0]))
    snake = {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), name): v for name, v in told.items()}
    assert {name: float(value) for name, value in snake.items()} == vars(Costs())


def test_the_declarations_of_a_result_are_those_of_the_models() -> None:
    spec = importlib.util.spec_from_file_location("web_declarations", WEB / "declarations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.FILE.read_text(encoding="utf-8") == module.written(), (
        "run python web/declarations.py"
    )
