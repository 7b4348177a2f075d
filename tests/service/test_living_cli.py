import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.leftovers import leftovers
from nativeear.indexes.locking import writing
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.verification import verify
from nativeear.service.cli import app
from nativeear.service.doctor import examine


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


@pytest.mark.parametrize("loss", ["removed", "damaged"])
def test_a_lost_manifest_does_not_lose_the_versions(indexes: Path, loss: str) -> None:
    assert run("remove", "tones", "--speaker", "ben").exit_code == 0
    if loss == "removed":
        (indexes / "tones" / "manifest.json").unlink()
    else:
        (indexes / "tones" / "manifest.json").write_text("{")
    assert run("restore", "tones").exit_code == 0
    assert verify(indexes / "tones").ok
    assert PhoneIndex.open(indexes / "tones").manifest.revision == 1


def test_a_new_index_of_the_name_inherits_nothing(indexes: Path, tone_index: PhoneIndex) -> None:
    assert run("remove", "tones", "--speaker", "ben").exit_code == 0
    shutil.rmtree(indexes / "tones")
    shutil.copytree(tone_index.path, indexes / "tones")
    assert [v["revision"] for v in json.loads(run("versions", "tones", "--json").stdout)] == [1]
    result = run("restore", "tones")
    assert result.exit_code == 2
    assert "No older version of tones is kept" in result.stderr


def test_how_many_versions_stay_is_remembered(indexes: Path, tone_corpus: Path) -> None:
    def kept() -> list[int]:
        return [v["revision"] for v in json.loads(run("versions", "tones", "--json").stdout)][1:]

    assert result_of("remove", "tones", "--speaker", "ben", "--keep", "3")["dropped"] == []
    for _ in range(2):
        assert run("thin", "tones").exit_code == 0
    assert kept() == [3, 2, 1]
    assert run("restore", "tones", "--version", "1").exit_code == 0
    assert kept()[0] != 1
    result = run("thin", "tones")
    assert "No longer kept, see --keep: version 2." in result.stdout
    assert kept() == [4, 3, 1]
    assert result_of("thin", "tones", "--keep", "0")["change"]["dropped"] == [1, 3, 4, 5]
    assert run("thin", "tones").exit_code == 0
    assert kept() == []


def test_an_index_is_renamed_with_its_versions(indexes: Path) -> None:
    assert run("remove", "tones", "--speaker", "ben", "--keep", "4").exit_code == 0
    result = run("rename", "tones", "noises")
    assert result.exit_code == 0, result.output
    assert [path.name for path in indexes.iterdir()] == ["noises"]
    assert verify(indexes / "noises").ok
    assert PhoneIndex.open(indexes / "noises").manifest.name == "noises"
    assert run("restore", "noises").exit_code == 0
    assert PhoneIndex.open(indexes / "noises").manifest.counts.speakers == 2
    for _ in range(4):
        assert run("thin", "noises").exit_code == 0
    found = json.loads(run("versions", "noises", "--json").stdout)
    assert len(found) == 5, "what was said of --keep went along"


def test_a_copy_takes_the_versions_only_if_they_are_asked_for(indexes: Path) -> None:
    assert run("remove", "tones", "--speaker", "ben").exit_code == 0
    assert result_of("copy", "tones", "bare")["path"] == str(indexes / "bare")
    assert run("copy", "tones", "whole", "--versions").exit_code == 0
    for name, numbers in (("tones", [2, 1]), ("bare", [2]), ("whole", [2, 1])):
        assert verify(indexes / name).ok
        found = json.loads(run("versions", name, "--json").stdout)
        assert [version["revision"] for version in found] == numbers
        assert PhoneIndex.open(indexes / name).manifest.name == name
    (indexes / "bare" / "vectors.faiss").write_bytes(b"x")
    assert verify(indexes / "tones").ok, "a copy shares no file"


def test_nothing_is_left_of_what_is_deleted(indexes: Path) -> None:
    assert run("remove", "tones", "--speaker", "ben").exit_code == 0
    for left in (".tones.adding", ".tones.building"):
        (indexes / left).mkdir()
    result = run("delete", "tones")
    assert result.exit_code == 2
    assert "1 older versions" in result.stderr
    assert verify(indexes / "tones").ok
    assert run("delete", "tones", "--yes").exit_code == 0
    assert list(indexes.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rename", "tones", "tones"], "exists already"),
        (["copy", "tones", "tones"], "exists already"),
        (["copy", "tones", "/"], "no place for an index"),
        (["rename", "en-US", "mine"], "ships with NativeEar"),
        (["delete", "en-US", "--yes"], "ships with NativeEar"),
    ],
)
def test_what_cannot_be_moved_stays(indexes: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert [path.name for path in indexes.iterdir()] == ["tones"]
    assert verify(find_index("en-US")).ok


def test_a_folder_that_is_no_index_is_not_deleted(indexes: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "photo").touch()
    result = run("delete", tmp_path / "other", "--yes")
    assert result.exit_code == 2
    assert (tmp_path / "other" / "photo").exists()


def test_killed_work_is_told(indexes: Path) -> None:
    for left in (".tones.adding", ".x.abcdefgh.stage", ".tones.lock"):
        (indexes / left).mkdir()
    (told,) = (c for c in examine().checks if c.name == "unfinished work")
    assert str(indexes / ".tones.adding") in told.found
    assert str(indexes / ".x.abcdefgh.stage") in told.found
    assert "--resume" in told.fix
    (indexes / ".tones.lock").rmdir()
    with writing(indexes / "tones", "test"):
        assert [left.index.name for left in leftovers(indexes)] == ["x"]
    shutil.rmtree(indexes / ".tones.adding")
    shutil.rmtree(indexes / ".x.abcdefgh.stage")
    (told,) = (c for c in examine().checks if c.name == "unfinished work")
    assert told.ok


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
