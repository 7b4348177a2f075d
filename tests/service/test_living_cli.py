import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from indexes.locking import writing
from indexes.phone_index import PhoneIndex
from indexes.verification import verify
from service.cli import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["index", *map(str, arguments)])


def result_of(*arguments: object) -> dict[str, object]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    told: dict[str, object] = json.loads(result.stdout)
    return told


@pytest.fixture
def indexes(tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "indexes"
    shutil.copytree(tone_index.path, folder / "tones")
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(folder))
    return folder


def test_speech_is_removed_added_and_restored_by_name(indexes: Path, tone_corpus: Path) -> None:
    removed = result_of("remove", "tones", "--speaker", "ben")
    assert (removed["utterances"], removed["revision"]) == (15, 2)
    assert removed["path"] == str(indexes / "tones")
    result = run("add", "tones", "--corpus", tone_corpus)
    assert result.exit_code == 0, result.output
    assert "version 3" in result.stdout
    assert "from 30 utterances" in result.stdout
    assert "Aligning and encoding: 30 of 30" in result.stderr
    assert [v["revision"] for v in json.loads(run("versions", "tones", "--json").stdout)] == [3, 2]
    assert "*   3" in run("versions", "tones").stdout
    assert "version 2 again" in run("restore", "tones").stdout
    assert result_of("restore", "tones", "--version", "3")["utterances"] == 30
    assert verify(indexes / "tones").ok
    names = [summary["name"] for summary in json.loads(run("list", "--json").stdout)]
    assert [name for name in names if "tones" in name] == ["tones"]


def test_a_lost_folder_comes_back_from_its_versions(indexes: Path) -> None:
    assert run("remove", "tones", "--speaker", "ben").exit_code == 0
    shutil.rmtree(indexes / "tones")
    assert run("restore", "tones").exit_code == 0
    assert verify(indexes / "tones").ok


def test_an_index_is_thinned_by_name(indexes: Path, tmp_path: Path) -> None:
    before = PhoneIndex.open(indexes / "tones").manifest.counts.exemplars
    told = result_of("thin", "tones", "--budget", "160", "--out", tmp_path / "thin")
    change = told["change"]
    assert isinstance(change, dict)
    assert change["path"] == str(tmp_path / "thin")
    assert (change["exemplars_before"], told["outliers"]) == (before, [])
    assert 150 <= change["exemplars"] <= 160
    result = run("thin", "tones", "--budget", "0.1MB")
    assert result.exit_code == 0, result.output
    assert "version 2" in result.stdout
    assert "for which others stand" in result.stdout
    assert PhoneIndex.open(indexes / "tones").manifest.counts.exemplars < before


def test_a_build_keeps_its_budget(indexes: Path, tone_corpus: Path) -> None:
    told = result_of(
        *("build", "--corpus", tone_corpus, "--lang", "en-US", "--encoder", "spectral"),
        *("--name", "small", "--budget", "160"),
    )
    manifest = PhoneIndex.open(indexes / "small").manifest
    assert manifest.counts.exemplars <= 160
    assert manifest.history[0].startswith("nativeear index build")
    thinning = told["thinning"]
    assert isinstance(thinning, dict)
    assert thinning["thinned"] > 0
    assert sorted(p.name for p in indexes.iterdir() if "versions" in p.name) == []


def test_indexes_are_merged_and_compared(indexes: Path) -> None:
    shutil.copytree(indexes / "tones", indexes / "anna")
    shutil.copytree(indexes / "tones", indexes / "ben")
    assert run("remove", "anna", "--speaker", "ben").exit_code == 0
    assert run("remove", "ben", "--speaker", "anna").exit_code == 0
    assert result_of("merge", "anna", "ben", "--name", "whole")["utterances"] == 30
    told = result_of("diff", "anna", "whole")
    assert told["same"] is False
    corpus = PhoneIndex.open(indexes / "tones").codes("corpus")[1][0]
    assert told["speakers"] == {"first": [], "second": [f"{corpus}/ben"]}
    assert set(told["settings"]) == {"name", "transform"}  # type: ignore[call-overload]
    text = run("diff", "anna", "whole").stdout
    assert f"1 speakers only in {indexes / 'whole'}: {corpus}/ben" in text
    assert "and 7 more" in text
    assert result_of("diff", "tones", "tones")["same"] is True
    assert "the same speech" in run("diff", "tones", "tones").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["remove", "tones"], "Nothing was named"),
        (["remove", "tones", "--speaker", "bem"], "no speaker 'bem'"),
        (["remove", "tones", "--utterance", "x"], "no utterance 'x'"),
        (["remove", "tones", "--speaker", "ben", "--speaker", "anna"], "Nothing would be left"),
        (["merge", "tones", "--name", "other"], "nothing to merge"),
        (["merge", "tones", "tones"], "no place to go"),
        (["merge", "tones", "tones", "--name", "tones"], "exists already"),
        (["restore", "tones"], "No older version of tones is kept"),
        (["restore", "none"], "no index called 'none'"),
        (["thin", "tones", "--budget", "many"], "--budget cannot be 'many'"),
        (["thin", "tones", "--budget", "3"], "too small"),
        (["add", "none", "--corpus", "x"], "no index called 'none'"),
        (["add", "tones", "--corpus", "none"], "no corpus at none"),
        (["diff", "tones", "none"], "no index called 'none'"),
    ],
)
def test_bad_input_ends_with_2(indexes: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert verify(indexes / "tones").ok
    assert sorted(p.name for p in indexes.iterdir()) == ["tones"]


def test_a_second_writer_is_told_who_writes(indexes: Path) -> None:
    with writing(indexes / "tones", "nativeear index add tones"):
        result = run("remove", "tones", "--speaker", "ben")
    assert result.exit_code == 2
    assert "`nativeear index add tones` runs as process" in result.stderr
