"""An index is built again from what it recorded, to the byte where nothing has changed."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.merging import merge
from nativeear.indexer.rebuilding import RebuildRequest, rebuild
from nativeear.indexer.removing import remove
from nativeear.indexer.thinning import thin
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import versions
from nativeear.service.cli import app
from nativeear.speech.errors import CorpusError, EncoderError, IndexFormatError
from tests.indexer.test_changes import FITTED, build, fitted


def index(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["index", *map(str, arguments)])


@pytest.fixture
def corpora(tone_corpus: Path, tmp_path: Path) -> tuple[Path, Path]:
    found = []
    for speaker in ("anna", "ben"):
        folder = tmp_path / "speech" / f"of {speaker}"
        shutil.copytree(tone_corpus / speaker, folder / speaker)
        found.append(folder)
    return found[0], found[1]


@pytest.fixture
def built(corpora: tuple[Path, Path], tmp_path: Path) -> Path:
    out = tmp_path / "indexes" / "tones"
    build(out, corpora[0], clips="flac", licence="CC0")
    return out


def test_what_was_resolved_is_recorded(built: Path, corpora: tuple[Path, Path]) -> None:
    manifest = read_manifest(built)
    recipe = manifest.recipe
    assert recipe is not None
    assert manifest.aligner == "auto"
    assert recipe.aligner == "textgrid"
    assert recipe.pronunciations == ("cmudict", "espeak")
    (source,) = recipe.corpora
    assert (source.name, source.reader, source.licence) == ("of anna", "textgrid", "CC0")
    assert Path(source.place).expanduser() == corpora[0]
    assert manifest.libraries["transformers"] == version("transformers")
    assert manifest.libraries["espeak-ng"][0].isdigit()
    assert "--corpus 'of anna'" in manifest.command
    assert "--aligner textgrid" in manifest.command
    assert str(corpora[0].parent) not in manifest.command


def test_a_home_folder_is_not_named(
    corpora: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    build(tmp_path / "index", corpora[0])
    assert str(tmp_path) not in (tmp_path / "index" / "manifest.json").read_text()
    report = rebuild(RebuildRequest(tmp_path / "index"))
    assert report.different == ()


def test_it_is_built_again_to_the_byte(built: Path, tmp_path: Path) -> None:
    before = fitted(built)
    result = index("rebuild", built)
    assert result.exit_code == 0, result.output
    assert "It has the same bytes as before." in result.stdout
    assert verify(built).ok
    assert [v.revision for v in versions(built)] == [2, 1]
    assert fitted(built) == before
    assert [path.name for path in built.parent.iterdir()] == ["tones"]
    told = json.loads(index("rebuild", built, "--out", tmp_path / "other", "--json").stdout)
    assert told["different"] == []
    assert fitted(tmp_path / "other") == before
    assert [v.revision for v in versions(built)] == [2, 1]


def test_what_was_added_and_removed_counts(
    built: Path, corpora: tuple[Path, Path], tmp_path: Path
) -> None:
    add(AddRequest(built, (str(corpora[1]),)))
    gone = PhoneIndex.open(built).utterances[1][3]
    remove(built, utterances=["/".join(gone)])
    report = rebuild(RebuildRequest(built, out=tmp_path / "again"))
    assert report.different == ()
    assert report.utterances == 29
    remove(built, speakers=["anna"])
    assert rebuild(RebuildRequest(built)).utterances == 15
    assert PhoneIndex.open(built).speakers[1] == (("of ben", "ben"),)
    add(AddRequest(built, (str(corpora[0]),)))
    assert rebuild(RebuildRequest(built)).utterances == 30, "what came back is no longer left out"
    thin(built, keep=0)
    merge([built, tmp_path / "again"], tmp_path / "merged")
    with pytest.raises(IndexFormatError, match="not recorded how merged can be built again"):
        rebuild(RebuildRequest(tmp_path / "merged"))
    assert rebuild(RebuildRequest(built)).different == ()


def test_a_corpus_that_moved_is_asked_for(
    built: Path, corpora: tuple[Path, Path], tmp_path: Path
) -> None:
    corpora[0].rename(tmp_path / "elsewhere")
    result = index("rebuild", built)
    assert result.exit_code == 2
    assert "The corpus of anna is not where it was" in result.stderr
    assert "--corpus of anna=PATH" in result.stderr
    result = index("rebuild", built, "--corpus", f"of anna={tmp_path / 'elsewhere'}")
    assert result.exit_code == 0, result.output
    assert "same bytes" in result.stdout
    with pytest.raises(CorpusError, match="was not built from a corpus 'x'"):
        rebuild(RebuildRequest(built, places={"x": "y"}))
    assert index("rebuild", built, "--corpus", "x").exit_code == 2


def test_what_is_not_recorded_or_not_the_same_is_refused(built: Path) -> None:
    with pytest.raises(EncoderError, match="another encoder than compact"):
        rebuild(RebuildRequest(built, encoder="compact"))
    golden = Path(__file__).parents[1] / "indexes" / "golden-v1"
    copy = Path(shutil.copytree(golden, built.parent / "golden"))
    with pytest.raises(IndexFormatError, match="not recorded how"):
        rebuild(RebuildRequest(copy))
    assert verify(built).ok
    assert {*FITTED} <= read_manifest(built).files.keys()
