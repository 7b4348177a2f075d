"""Every table of the commands, at every width: what names a row is always there."""

import ast
import csv
import io
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import nativeear.service
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.service.tables import LEAST_TEXT, PIPE_WIDTH, Column, Listing
from nativeear.speech.encoders.catalogue import list_encoders
from nativeear.speech.textgrid import TextGrid

WIDTHS = (60, 80, 120, None)
"""Columns of the terminal; None for a pipe."""


def listing() -> Listing:
    table = Listing(
        (
            Column("number first", "number"),
            Column("phone", "name"),
            *(Column(f"figure {i}", "number") for i in range(6)),
            Column("remark"),
        )
    )
    for place, name in enumerate(("aɪ?", "a rather long name", "[b]x[/b]")):
        remark = " ".join(["words"] * 20 * place)
        table.add(f"{place:,}", name, *(f"{place * 10_000 + i:,}" for i in range(6)), remark)
    return table


def shown(table: Listing, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(table)
    return file.getvalue()


@pytest.mark.parametrize("width", range(20, 181, 8))
def test_names_are_there_and_figures_are_whole_or_named(width: int) -> None:
    printed = shown(listing(), width)
    assert all(len(line) <= width for line in printed.splitlines())
    left_out = " ".join(printed.partition("No room for:")[2].split())
    for name in ("aɪ?", "a rather long name", "[b]x[/b]"):
        assert name in printed
    for i in range(6):
        there = f"{20_000 + i:,}" in printed
        assert there is (f"{10_000 + i:,}" in printed)
        assert there or f"figure {i}" in left_out
    if width >= 120:
        assert "No room" not in printed


def test_text_is_folded_before_figures_go_and_never_below_its_least() -> None:
    table = Listing((Column("name", "name"), Column("count", "number"), Column("told")))
    table.add("a", "1", "word " * 30)
    assert "No room" not in shown(table, 4 + 5 + LEAST_TEXT + 6)
    narrow = shown(table, 4 + 5 + LEAST_TEXT + 5)
    assert "No room for: told" in narrow
    assert "count" in narrow


def printed_by(
    command: Iterable[object], width: int | None, monkeypatch: pytest.MonkeyPatch
) -> str:
    if width is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", str(width))
    result = CliRunner().invoke(app, [str(part) for part in command])
    assert result.exit_code in {0, 1}, result.output
    rows = [line for line in result.stdout.splitlines() if line.startswith(" ")]
    assert max(map(len, rows)) <= (width or PIPE_WIDTH)
    return result.stdout


@pytest.fixture(scope="module")
def home(tone_index: PhoneIndex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(tone_index.path, folder / "tones-of-a-rather-long-name")
    shutil.copytree(tone_index.path, folder / "damaged")
    (folder / "damaged" / "manifest.json").write_text("{}")
    return folder


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_about_indexes(
    home: Path, width: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(home))
    name = "tones-of-a-rather-long-name"
    practice = tmp_path / "practice.txt"
    practice.write_text("See me.\nSee a seat at the sea, and tell us what you see of it all.\n")
    audited = printed_by(["index", "audit", name, "--against", practice], width, monkeypatch)
    for phone in ("ɑ", "i", "m", "s"):
        assert any(line.startswith(f" {phone} ") for line in audited.splitlines())
    assert "See me." in audited
    listed = printed_by(["index", "list"], width, monkeypatch)
    assert f" {name} " in listed
    assert " damaged " in listed
    told = printed_by(["index", "show", name], width, monkeypatch)
    for fact in ("fingerprint", "language", "made by"):
        assert f" {fact} " in told
    optimised = printed_by(["index", "optimize", name], width, monkeypatch)
    for fact in (" exact ", " taken"):
        assert fact in optimised


@pytest.mark.parametrize("width", WIDTHS)
def test_other_tables(
    tone_index: PhoneIndex,
    tone_corpus: Path,
    width: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoders = printed_by(["encoders", "list"], width, monkeypatch)
    for info in list_encoders():
        assert f" {info.name} " in encoders
    looked_for = printed_by(["doctor"], width, monkeypatch)
    for what in (" espeakng-loader ", " default encoder "):
        assert what in looked_for
    wav = tone_corpus / "anna" / "anna00.wav"
    spoken = TextGrid.load(wav.with_suffix(".TextGrid")).tiers[1]
    phones = [each.label for each in spoken.intervals if each.label]
    said = " | ".join([" ".join(phones[:3]), " ".join(phones[3:])])
    command = ["assess", wav, "--phones", said, "--text", "me saw"]
    assessed = printed_by([*command, "--index", tone_index.path], width, monkeypatch)
    assert " me " in assessed
    assert " saw " in assessed
    with (tmp_path / "utterances.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "speaker", "audio", "text", "phones", "phone_scores"])
        rows.writerow(["a", "anna", str(wav), "me saw", said, "2 2 2 | 2 2 2"])
    measured = printed_by(
        ["eval", "manifest", "--data", tmp_path, "--index", tone_index.path], width, monkeypatch
    )
    assert " FRR: false rejections" in measured
    assert " by phone" in measured


def test_there_is_one_way_to_make_tables() -> None:
    folder = Path(nativeear.service.__path__[0])
    for path in folder.rglob("*.py"):
        if path.name == "tables.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "rich.table", (
                    f"{path}: tables are made by nativeear.service.tables"
                )
