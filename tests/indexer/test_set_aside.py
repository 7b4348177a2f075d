"""What could not be used is kept with its reasons, and goes along through every change."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.merging import merge
from nativeear.indexer.removing import remove
from nativeear.indexer.thinning import thin
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.set_aside import SET_ASIDE, SetAsideUtterance, set_aside_of
from nativeear.indexes.verification import verify
from nativeear.service.cli import app
from nativeear.speech.errors import IndexFormatError


def table(folder: Path, tones: Path, missing: int) -> Path:
    """A corpus `mixed` of 18 words and `missing` more; two of its recordings are no audio."""
    folder = folder / "the folder of a builder" / "mixed"
    folder.mkdir(parents=True)
    rows = ["id,audio,textgrid,speaker"]
    for number, wav in enumerate(sorted(tones.rglob("*.wav"))[:20]):
        shutil.copy(wav, folder / f"{number}.wav")
        shutil.copy(wav.with_suffix(".TextGrid"), folder / f"{number}.TextGrid")
        rows.append(f"{number:02d},{folder / f'{number}.wav'},{number}.TextGrid,{'ab'[number % 2]}")
    for number in (4, 7):
        (folder / f"{number}.wav").write_bytes(b"not audio at all")
    rows += [f"m{number:02d},m{number}.wav,0.TextGrid,a" for number in range(missing)]
    (folder / "utterances.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def build(corpus: Path, out: Path) -> Path:
    build_index(BuildRequest((str(corpus),), "en-US", out, encoder="spectral"))
    return out


def aside(index: Path) -> dict[str, SetAsideUtterance]:
    assert verify(index).ok
    return {row.utterance: row for row in set_aside_of(index, read_manifest(index))}


@pytest.fixture
def corpus(tone_corpus: Path, tmp_path: Path) -> Path:
    return table(tmp_path, tone_corpus, 14)


@pytest.fixture
def index(corpus: Path, tmp_path: Path) -> Path:
    return build(corpus, tmp_path / "index")


def test_all_of_them_are_shown_with_their_reasons(index: Path, corpus: Path) -> None:
    rows = aside(index)
    assert len(rows) == 16
    assert rows["m13"].reason == "line 35: there is no recording m13.wav."
    assert (rows["04"].corpus, rows["04"].speaker) == ("mixed", "a")
    assert rows["04"].reason
    assert SET_ASIDE in read_manifest(index).files
    assert str(corpus.parent) not in (index / SET_ASIDE).read_text(encoding="utf-8")
    text = CliRunner().invoke(app, ["index", "show", str(index), "--set-aside"])
    assert text.exit_code == 0
    assert len(text.stdout.splitlines()) == 16
    assert "mixed/m13: line 35: there is no recording m13.wav." in text.stdout
    told = CliRunner().invoke(app, ["index", "show", str(index), "--set-aside", "--json"])
    assert len(json.loads(told.stdout)["set_aside"]) == 16
    plain = CliRunner().invoke(app, ["index", "show", str(index)])
    assert "16 utterances; see --set-aside" in " ".join(plain.stdout.split())


def test_what_is_mended_and_added_is_no_longer_set_aside(index: Path, corpus: Path) -> None:
    shutil.copy(corpus / "0.wav", corpus / "4.wav")
    shutil.copy(corpus / "0.TextGrid", corpus / "4.TextGrid")
    add(AddRequest(index, (str(corpus),)))
    assert "04" not in aside(index)
    assert len(aside(index)) == 15


def test_what_is_removed_is_not_told_of_any_more(index: Path) -> None:
    assert aside(index)["07"].speaker == "b"
    remove(index, speakers=["b"])
    assert "07" not in aside(index)
    assert "04" in aside(index)
    thin(index)
    assert len(aside(index)) == 15


def test_merging_joins_them(index: Path, corpus: Path, tone_corpus: Path, tmp_path: Path) -> None:
    shutil.copy(corpus / "0.wav", corpus / "4.wav")
    shutil.copy(corpus / "0.TextGrid", corpus / "4.TextGrid")
    other = build(corpus, tmp_path / "other")
    merge([index, other], tmp_path / "both")
    assert aside(tmp_path / "both") == {
        name: row for name, row in aside(index).items() if name != "04"
    }
    whole = build(tone_corpus, tmp_path / "whole")
    assert not (whole / SET_ASIDE).exists()
    assert aside(whole) == {}


def test_a_damaged_table_is_told_plainly(index: Path) -> None:
    (index / SET_ASIDE).write_text("a,b\n")
    with pytest.raises(IndexFormatError, match="is damaged"):
        set_aside_of(index, read_manifest(index))


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        ("line 3: there is no recording /home/anna/my speech/a.wav.", "a.wav."),
        ("/srv/x/b.wav: bad", "b.wav: bad"),
        ("It lies at s3://bucket/a/b.wav or and/or", "s3://bucket/a/b.wav or and/or"),
        (r"C:\Users\anna\b.wav is silent", "b.wav is silent"),
    ],
)
def test_reasons_tell_no_folder_of_the_machine(reason: str, left: str) -> None:
    row = SetAsideUtterance("x", "y", "", reason).without_folders({"/home/anna/my speech"})
    assert row.reason.endswith(left)
    assert "anna" not in row.reason
    assert "srv" not in row.reason
