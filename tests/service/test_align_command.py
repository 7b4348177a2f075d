import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.service.cli import app
from nativeear.speech.textgrid import TextGrid


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def corpus(tone_corpus: Path, tmp_path: Path) -> Path:
    """A table with two utterances that have grids, and one whose grid holds no phone tier."""
    good = [tone_corpus / "anna" / f"anna0{number}" for number in (0, 1)]
    (tmp_path / "bad.TextGrid").write_text("not a grid")
    rows = [("anna/0", f"{good[0]}.wav", "word", f"{good[0]}.TextGrid"),
            ("anna/1", f"{good[1]}.wav", "word", f"{good[1]}.TextGrid"),
            ("anna/bad", f"{good[1]}.wav", "word", tmp_path / "bad.TextGrid")]  # fmt: skip
    path = tmp_path / "corpus.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "audio", "text", "textgrid"), *rows])
    return path


def only(corpus: Path, *ids: str) -> Path:
    with corpus.open() as file:
        header, *rows = csv.reader(file)
    path = corpus.with_name("-".join(ids).replace("/", "_") + ".csv")
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *(row for row in rows if row[0] in ids)])
    return path


def align(corpus: Path, out: Path, *options: object) -> Result:
    return run(
        "align", "--corpus", corpus, "--lang", "en-US", "--out", out, "--encoder", "spectral",
        *options,
    )  # fmt: skip


def test_all_aligned_ends_with_0(corpus: Path, tmp_path: Path) -> None:
    result = align(only(corpus, "anna/0", "anna/1"), tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("2 aligned in ")
    assert result.stderr.splitlines()[-1] == "Aligning: 2 of 2"
    grid = TextGrid.load(tmp_path / "out" / "anna" / "0.TextGrid")
    assert [tier.name for tier in grid.tiers] == ["words", "phones", "confidence"]


def test_some_set_aside_ends_with_1_and_lists_them(corpus: Path, tmp_path: Path) -> None:
    result = align(corpus, tmp_path / "out")
    assert result.exit_code == 1
    assert "2 aligned" in result.stdout
    assert "Set aside: 1\n  anna/bad: " in result.stdout
    assert "is not a TextGrid" in result.stdout
    assert not (tmp_path / "out" / "anna" / "bad.TextGrid").exists()

    result = align(corpus, tmp_path / "out", "--resume", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["out"], told["aligned"], told["kept"]) == (str(tmp_path / "out"), 0, 2)
    assert [id for id, _ in told["set_aside"]] == ["anna/bad"]


def test_none_aligned_ends_with_2(corpus: Path, tmp_path: Path) -> None:
    result = align(only(corpus, "anna/bad"), tmp_path / "out", "--json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["message"] == "No utterance of the corpus could be aligned."
    assert "anna/bad" in error["cause"]


def test_what_is_in_the_way_ends_with_2_and_says_what_to_do(corpus: Path, tmp_path: Path) -> None:
    two = only(corpus, "anna/0", "anna/1")
    align(two, tmp_path / "out")
    result = align(two, tmp_path / "out")
    assert result.exit_code == 2
    assert "exist already" in result.stderr
    assert "--resume" in result.stderr
    assert align(two, tmp_path / "out", "--resume").exit_code == 0


def test_mfa_that_is_not_there_ends_with_2_and_the_command_that_brings_it(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("NATIVEEAR_MFA", raising=False)
    result = align(corpus, tmp_path / "out", "--aligner", "mfa")
    assert result.exit_code == 2
    assert "conda create -n aligner -c conda-forge montreal-forced-aligner" in result.stderr


def test_a_corpus_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    result = align(tmp_path / "none", tmp_path / "out")
    assert result.exit_code == 2
    assert "There is no corpus" in result.stderr
    assert not (tmp_path / "out").exists()
