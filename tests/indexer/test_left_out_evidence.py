"""What an index is told of natives who were left out, when it is built."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from scipy.special import log_softmax

from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.discriminant import class_sums
from nativeear.indexer.merging import merge
from nativeear.indexer.removing import remove
from nativeear.indexes.index_files import EMBEDDINGS, LEFT_OUT
from nativeear.indexes.left_out import left_out_of
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import sha256_of
from nativeear.indexes.similarity import class_similarities
from nativeear.indexes.unheard import unheard_reference
from nativeear.indexes.verification import verify
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.fusion.training_free import TrainingFree
from tests.conftest import RATE, SOUNDS, recording, textgrid

SPEAKERS = ("ann", "bea", "cleo", "dora", "eva")


def speak(folder: Path, speakers: tuple[str, ...], words: int = 6) -> Path:
    for s, speaker in enumerate(speakers):
        (folder / speaker).mkdir(parents=True)
        for number in range(words):
            rng = np.random.default_rng([s, number])
            samples, spans = recording(
                [str(p) for p in rng.choice(SOUNDS, size=6)], 40 * s + number
            )
            soundfile.write(folder / speaker / f"{speaker}{number}.wav", samples, RATE)
            grid = folder / speaker / f"{speaker}{number}.TextGrid"
            grid.write_text(textgrid(spans, "word"), encoding="utf-8")
    return folder


def build(corpus: Path, out: Path, *, workers: int = 1) -> PhoneIndex:
    build_index(
        BuildRequest(
            corpora=(str(corpus),), language="en-US", out=out, encoder="spectral", workers=workers
        )
    )
    return PhoneIndex.open(out)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    folder = tmp_path_factory.mktemp("five")
    return build(speak(folder / "corpus", SPEAKERS), folder / "index")


def test_every_phone_is_told_as_an_index_without_its_speaker_tells_it(five: PhoneIndex) -> None:
    told = left_out_of(five)
    spoken = five.rows_of("SIL").start
    assert told.num_rows == spoken == len(SPEAKERS) * 6 * 6
    embeddings = np.load(five.path / EMBEDDINGS).astype(np.float32)[: len(five.vectors)]
    labels = np.repeat(np.arange(len(five.classes)), np.diff(five.bounds))
    own, names = five.speakers
    for speaker in ("ann", "dora"):
        s = names.index(("corpus", speaker))
        stays = own != s
        transform = class_sums(embeddings[stays].astype(np.float16), labels[stays])[0].lda()
        asked = np.flatnonzero((own == s) & (labels < five.classes.index("SIL")))
        similar = class_similarities(
            transform(embeddings[asked]),
            transform(embeddings[stays]),
            np.searchsorted(labels[stays], np.arange(len(five.classes) + 1)),
            top_m=five.manifest.decision.top_m,
        )
        expected = log_softmax(similar / five.manifest.decision.temperature, axis=1)
        found = told.filter(np.array(told.column("speaker").to_pylist()) == speaker)
        np.testing.assert_allclose(
            np.sort(found.column("posterior").to_numpy()),
            np.sort(expected[np.arange(len(asked)), labels[asked]]),
            atol=2e-3,
        )


def test_frames_are_told_as_well_and_worse_than_what_an_index_knows(five: PhoneIndex) -> None:
    frames = left_out_of(five).column("frame_log_posterior").to_numpy()
    assert np.isfinite(frames).all()
    assert (frames <= 0).all()
    assert -3 < np.median(frames) < -0.1
    assert len(np.unique(frames)) > 0.9 * len(frames)


def test_a_learner_is_judged_by_both_in_the_company_of_the_recording(five: PhoneIndex) -> None:
    reference = unheard_reference(five)
    assert reference.spreads is not None
    columns = ("margin", "log_posterior", "posterior", "frame_log_posterior")
    rows = np.array([[0.3, np.nan, -0.1, -0.5], [0.3, np.nan, -1.0, -2.0], [0.3, np.nan, -9, -9]])
    found = TrainingFree(five).judge(FeatureTable(columns, rows))
    own = (rows[:, 2:] / reference.spreads).sum(axis=1)
    expected = reference.alone.log_share(own + own.mean() / 2)
    np.testing.assert_allclose(found.log_shares, expected)
    assert found.scores[0] > found.scores[1:].max()


def test_an_index_of_an_earlier_release_judges_by_margins(five: PhoneIndex) -> None:
    files = {k: v for k, v in five.manifest.files.items() if k != LEFT_OUT}
    earlier = PhoneIndex.open(five.path)
    earlier.manifest = five.manifest.model_copy(update={"files": files})
    assert left_out_of(earlier).num_rows == 0
    assert unheard_reference(earlier).spreads is None


def test_few_voices_are_not_asked(tone_index: PhoneIndex) -> None:
    assert LEFT_OUT not in tone_index.manifest.files


def test_several_workers_and_a_second_build_give_the_same_bytes(
    five: PhoneIndex, tmp_path: Path
) -> None:
    again = build(five.path.parent / "corpus", tmp_path / "again", workers=2)
    assert sha256_of(again.path / LEFT_OUT) == sha256_of(five.path / LEFT_OUT)


def test_changes_carry_what_was_told_of_those_who_stay(tmp_path: Path) -> None:
    index = build(speak(tmp_path / "corpus", SPEAKERS), tmp_path / "index")
    before = left_out_of(index)
    report = add(AddRequest(index.path, (str(speak(tmp_path / "more", ("fay",), 2)),)))
    assert any("ask about natives" in sentence for sentence in report.one_build)
    added = PhoneIndex.open(index.path)
    assert left_out_of(added).to_pylist() == before.to_pylist()
    remove(index.path, speakers=["bea"])
    removed = PhoneIndex.open(index.path)
    assert verify(removed.path).ok
    assert left_out_of(removed).to_pylist() == [
        row for row in before.to_pylist() if row["speaker"] != "bea"
    ]
    assert (
        "bea" not in pq.read_table(removed.path / LEFT_OUT).column("speaker").unique().to_pylist()
    )


def test_who_is_in_two_merged_indexes_is_told_once(five: PhoneIndex, tmp_path: Path) -> None:
    build(five.path.parent / "corpus", tmp_path / "corpus")
    merge([five.path, tmp_path / "corpus"], tmp_path / "both")
    both = PhoneIndex.open(tmp_path / "both")
    assert left_out_of(both).to_pylist() == left_out_of(five).to_pylist()


def test_too_few_who_were_asked_are_no_measure_of_many_voices(
    five: PhoneIndex, tmp_path: Path
) -> None:
    """Their speakers are still in the index, but next to nothing of what they were asked."""
    index = build(five.path.parent / "corpus", tmp_path / "index")
    add(AddRequest(index.path, (str(speak(tmp_path / "more", ("fay", "gus"))),)))
    remove(index.path, speakers=["ann", "bea"])
    left = PhoneIndex.open(index.path)
    assert left_out_of(left).num_rows and len(left.speakers[1]) == len(SPEAKERS)
    assert unheard_reference(left).spreads is None
