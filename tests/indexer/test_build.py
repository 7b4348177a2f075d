import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexer.build import BuildReport, BuildRequest, build_index
from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.discriminant import fit_lda
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import sha256_of
from nativeear.speech.errors import CorpusError, InputError
from tests.conftest import SOUNDS


def build(corpus: Path, out: Path, **options: object) -> BuildReport:
    return build_index(
        BuildRequest(
            corpora=(str(corpus),),
            language="en-US",
            out=out,
            encoder="spectral",
            **options,  # type: ignore[arg-type]
        )
    )


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): sha256_of(p) for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture
def few(tone_corpus: Path, tmp_path: Path) -> Path:
    """Eight utterances: enough to build from, quick to build twice."""
    folder = tmp_path / "few"
    for path in sorted(tone_corpus.rglob("*0[0-3].*")):
        target = folder / path.relative_to(tone_corpus)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return folder


def test_a_build_says_how_many_phones_can_be_judged(tone_corpus: Path, tmp_path: Path) -> None:
    report = build(tone_corpus, tmp_path / "a")
    index = PhoneIndex.open(tmp_path / "a")
    assert report.judged_phones == len(SOUNDS)
    assert report.inventory_phones == len(index.inventory.symbols)
    assert report.native_accuracy == index.manifest.decision.native_accuracy


def test_a_rebuild_is_byte_identical(few: Path, tmp_path: Path) -> None:
    build(few, tmp_path / "a", name="x")
    build(few, tmp_path / "b", name="x")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_two_workers_build_what_one_builds(few: Path, tmp_path: Path) -> None:
    build(few, tmp_path / "a", name="x")
    build(few, tmp_path / "b", name="x", workers=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_interrupted_build_resumes_to_the_same_bytes(few: Path, tmp_path: Path) -> None:
    build(few, tmp_path / "whole", name="x")

    def interrupt(stage: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    request = BuildRequest((str(few),), "en-US", tmp_path / "part", name="x", encoder="spectral")
    with pytest.raises(KeyboardInterrupt):
        build_index(request, interrupt)
    assert not (tmp_path / "part").exists()
    records = sorted((tmp_path / ".part.building").glob("*.npz"))
    assert len(records) == 3
    written = [path.stat().st_mtime_ns for path in records]

    def untouched(stage: str, done: int, total: int) -> None:
        if stage == "Publishing":
            assert [path.stat().st_mtime_ns for path in records] == written

    resumed = BuildRequest(
        (str(few),), "en-US", tmp_path / "part", name="x", encoder="spectral", resume=True
    )
    build_index(resumed, untouched)
    assert contents(tmp_path / "whole") == contents(tmp_path / "part")
    assert not (tmp_path / ".part.building").exists()


def test_a_published_index_is_never_overwritten(few: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="exists already"):
        build(few, tmp_path / "taken")


def test_a_broken_utterance_is_set_aside_with_its_reason(few: Path, tmp_path: Path) -> None:
    (few / "anna" / "anna00.wav").write_bytes(b"not audio at all")
    grid = few / "ben" / "ben01.TextGrid"
    grid.write_text(grid.read_text().replace('text = "M"', 'text = "QQ"').replace("S", "QQ"))
    report = build(few, tmp_path / "index")
    reasons = dict(report.set_aside)
    assert len(reasons) == 2
    assert report.utterances == 6
    assert any("anna00" in name for name in reasons)


def test_a_corpus_of_which_nothing_is_usable_publishes_nothing(few: Path, tmp_path: Path) -> None:
    for wav in few.rglob("*.wav"):
        soundfile.write(wav, np.zeros(16_000, np.float32), 16_000)
    with pytest.raises(CorpusError, match="No utterance of the corpus could be used") as caught:
        build(few, tmp_path / "index")
    assert "silent" in caught.value.cause.lower()
    assert not (tmp_path / "index").exists()


def test_an_unknown_aligner_is_told_before_anything_is_heard(few: Path, tmp_path: Path) -> None:
    request = BuildRequest(
        corpora=(str(few),),
        language="en-US",
        out=tmp_path / "x",
        encoder="spectral",
        aligner="nosuch",
    )
    said: list[str] = []
    with pytest.raises(InputError, match="no aligners entry called 'nosuch'"):
        build_index(request, lambda stage, *_: said.append(stage))
    assert said == []


def test_excluded_utterances_stay_out(few: Path, tmp_path: Path) -> None:
    build(few, tmp_path / "all")
    _, everyone = PhoneIndex.open(tmp_path / "all").codes("utterance")
    build(few, tmp_path / "less", exclude=frozenset(everyone[:2]))
    _, kept = PhoneIndex.open(tmp_path / "less").codes("utterance")
    assert set(kept) == set(everyone) - set(everyone[:2])


def test_middle_frame_pooling_is_recorded(few: Path, tmp_path: Path) -> None:
    build(few, tmp_path / "index", pooling="middle-frame")
    assert PhoneIndex.open(tmp_path / "index").manifest.pooling == "middle-frame"


def test_lda_finds_the_direction_that_separates() -> None:
    rng = np.random.default_rng(0)
    labels = tuple("ab" * 200)
    data = rng.normal(size=(400, 6)).astype(np.float32)
    data[:, 2] *= 10  # loud, and tells nothing
    data[1::2, 4] += 3  # quiet, and tells everything
    transform = fit_lda(data, labels)
    assert transform.matrix.shape == (6, 1)
    weights = np.abs(transform.matrix[:, 0])
    assert weights[4] > 5 * np.delete(weights, 4).max()
    again = fit_lda(data, labels)
    assert again.fingerprint == transform.fingerprint


def rated_table(corpus: Path, folder: Path, ratings: str) -> Path:
    """A table of one recording with its TextGrid, phones and ratings."""
    wav = next(corpus.rglob("anna00.wav"))
    for path in (wav, wav.with_suffix(".TextGrid")):
        shutil.copy(path, folder)
    grid = (folder / "anna00.TextGrid").read_text()
    phones = [
        line.split('"')[1]
        for line in grid[grid.index('"phones"') :].splitlines()[1:]
        if "text =" in line
    ]
    table = folder / "table.csv"
    said = " ".join(filter(None, phones))
    table.write_text(
        "id,audio,text,phones,textgrid,phone_scores\n"
        f"one,anna00.wav,word,{said},anna00.TextGrid,{ratings}\n"
    )
    return table


def test_phones_that_raters_scored_low_are_left_out(
    few: Path, tone_corpus: Path, tmp_path: Path
) -> None:
    rated = rated_table(tone_corpus, tmp_path, "2 2 1 2 0.4 2")
    counts = {}
    for name, least in (("all", None), ("good", 2.0)):
        build_index(
            BuildRequest(
                (str(few), str(rated)),
                "en-US",
                tmp_path / name,
                encoder="spectral",
                min_rating=least,
            )
        )
        counts[name] = PhoneIndex.open(tmp_path / name).manifest.counts.exemplars
    assert counts["all"] - counts["good"] == 2


def test_ratings_that_do_not_fit_the_phones_are_refused(tone_corpus: Path, tmp_path: Path) -> None:
    rated = rated_table(tone_corpus, tmp_path, "2 2 1")
    with pytest.raises(CorpusError, match="no usable utterance") as caught:
        read_corpus(rated)
    assert "line 2: the phone scores are not one number a phone" in caught.value.cause
