import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.manifest import SearchChoice, SearchTrial
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.service.search_summary import print_search, search_in_words


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["index", *map(str, arguments)])


@pytest.fixture
def index(tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(tmp_path))
    return shutil.copytree(tone_index.path, tmp_path / "tones")


def choice(codes: str | None) -> SearchChoice:
    exact = SearchTrial(
        codes=None,
        cells=0,
        nearest=0,
        each=0,
        recall=1,
        phone_recall=1,
        margin_error=0,
        milliseconds=300,
        bytes=10**9,
    )
    few = SearchTrial(
        codes="pq4",
        cells=12345,
        nearest=64,
        each=4,
        recall=0.991,
        phone_recall=0.993,
        margin_error=0.0012,
        milliseconds=12.34,
        bytes=4 * 10**8,
    )
    return SearchChoice(
        least_recall=0.99,
        most_bytes=2 * 10**9,
        queries=400,
        batch=40,
        k=10,
        chosen=few if codes else exact,
        tried=(exact, few),
    )


def test_an_index_is_optimised_by_name(index: Path) -> None:
    result = run("optimize", "tones", "--recall", "0.9", "--memory", "1.5MB")
    assert result.exit_code == 0, result.output
    assert "exact" in result.stdout
    assert "taken" in result.stdout
    assert "is now version 2" in result.stdout
    assert "Asking exactly" in result.stderr
    assert "search" in run("show", "tones").stdout
    told = json.loads(run("optimize", "tones", "--json").stdout)
    assert told["revision"] == 3
    assert told["path"] == str(index)
    assert told["search"]["most_bytes"] == 2 * 10**9
    assert told["search"] == json.loads(run("show", "tones", "--json").stdout)["search"]
    assert "whole" in run("verify", "tones").stdout


@pytest.mark.parametrize("given", [("--memory", "much"), ("--memory", "12"), ("--recall", "2")])
def test_wishes_have_to_make_sense(index: Path, given: tuple[str, str]) -> None:
    result = run("optimize", "tones", *given)
    assert result.exit_code == 2
    assert given[0] in result.output
    assert read_manifest(index).revision == 1


def test_too_little_memory_is_said(index: Path) -> None:
    result = run("optimize", "tones", "--memory", "10B")
    assert result.exit_code == 2
    assert "No way to search this index fits into" in result.output
    assert read_manifest(index).revision == 1


def test_a_choice_in_words() -> None:
    assert search_in_words(None) == search_in_words(choice(None)) == "exact"
    assert search_in_words(choice("pq4")) == (
        "12,345 cells of pq4 in 400.0 MB, 64 of them at a time and 4 of every phone: finds "
        "99.1% of the 10 nearest"
    )


def test_what_was_tried_fits_a_terminal() -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    print_search(choice("pq4"), console)
    lines = console.export_text().splitlines()
    assert any(line.split() == EXACT for line in lines)
    assert any(line.split() == FEW for line in lines)


EXACT = ["exact", "1.000", "1.000", "0.0000", "300.0", "1,000.0"]
FEW = ["pq4", "64", "+", "4", "a", "phone", "0.991", "0.993", "0.0012", "12.3", "400.0", "taken"]
