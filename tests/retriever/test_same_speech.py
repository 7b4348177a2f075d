"""Speech is the same where corpus, speaker and utterance are: names alone tell nothing."""

from dataclasses import replace

import numpy as np
import pytest

from nativeear.indexer.adding import _asked
from nativeear.indexer.assembly import publish_new
from nativeear.indexer.pool import Record, from_records
from nativeear.indexer.pooled_utterance import PooledUtterance
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import class_similarities, margins
from nativeear.retriever.deviations import Deviations
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.fusion.natives import NativeReference
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.speech.frames import Frames
from tests.indexer.test_assembly import records, settings
from tests.indexer.test_prosody import with_prosody

DIM = 8
ANNA = Exclusion(speakers=frozenset({("one", "s0")}))


def of(corpus: str, made: list[Record]) -> list[Record]:
    return [replace(record, corpus=corpus) for record in made]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """Two corpora whose speakers and utterances are called alike, and are not the same."""
    folder = tmp_path_factory.mktemp("records")
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    one = with_prosody(records(folder / "one", 12, 20, DIM), unrated=12)
    two = with_prosody(records(folder / "two", 14, 22, DIM), unrated=14)
    return [*of("one", one), *of("two", two)]


@pytest.fixture(scope="module")
def index(made: list[Record], tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    out = tmp_path_factory.mktemp("same") / "index"
    publish_new(out, made, settings(DIM), embeddings=False)
    return PhoneIndex.open(out)


def whose(index: PhoneIndex, corpus: str, speaker: str) -> np.ndarray:
    rows = index.table.select(["corpus", "speaker"]).to_pylist()
    return np.array([row == {"corpus": corpus, "speaker": speaker} for row in rows])


def test_a_speaker_of_another_corpus_answers(index: PhoneIndex) -> None:
    assert (ANNA.rows(index) == whose(index, "one", "s0")).all()
    assert ANNA.rows(index).any()
    of_two = Exclusion(utterances=frozenset({("two", "u00003")})).rows(index)
    found = [index.exemplar(row) for row in np.flatnonzero(of_two).tolist()]
    assert {(e.corpus, e.utterance) for e in found} == {("two", "u00003")}
    assert len(found) == 22


def test_class_means_are_those_of_the_speech_that_may_answer(index: PhoneIndex) -> None:
    frames = Frames(np.random.default_rng(1).normal(size=(5, DIM)).astype(np.float32), 0.02, 0.01)
    excluded = ANNA.rows(index)
    found = Deviations(index).without(excluded).similarities(frames)
    queries = index.transform(frames.embeddings)
    for p, phone in enumerate(index.classes):
        own = index.rows_of(phone)
        mean = index.vectors[own][~excluded[own]].mean(axis=0)
        assert found[:, p] == pytest.approx(queries @ mean / np.linalg.norm(mean), abs=1e-5)
    whole = Deviations(index).similarities(frames)
    assert np.abs(found - whole).max() > 0.01


def test_a_phone_of_which_nothing_may_answer_is_unknown(index: PhoneIndex) -> None:
    frames = Frames(np.eye(DIM, dtype=np.float32), 0.02, 0.01)
    excluded = np.zeros(len(index.vectors), dtype=bool)
    excluded[index.rows_of("M")] = True
    finder = Deviations(index).without(excluded)
    similar = finder.similarities(frames)
    assert (similar[:, index.classes.index("M")] == -1).all()
    assert np.isfinite(similar).all()
    assert "M" not in NativeReference(index).without(excluded)._medians_s


def test_the_native_reference_is_without_the_excluded(index: PhoneIndex) -> None:
    excluded = ANNA.rows(index)
    left = NativeReference(index).without(excluded)
    for phone, natives in left.margins.items():
        own = index.rows_of(phone)
        known = index.native_margins[own][~excluded[own]]
        assert natives.ordered.tolist() == sorted(known[~np.isnan(known)].astype(float).tolist())


def test_native_prosody_is_without_the_excluded(index: PhoneIndex) -> None:
    natives = NativeProsody(index)
    assert natives._answers(Exclusion()).sum() == 26
    assert natives._answers(ANNA).sum() == 24, "two of the 12 utterances of one are by s0"
    everyone = frozenset(("one", f"s{i}") for i in range(7))
    assert natives._answers(Exclusion(speakers=everyone)).sum() == 14
    assert natives.stress_without(Exclusion()) is natives.stress


@pytest.mark.parametrize("corpus", ["one", "three"])
def test_added_speech_is_not_asked_against_the_same_speaker(
    index: PhoneIndex, made: list[Record], corpus: str
) -> None:
    again = [
        record for record in made if record.corpus == "one" and record.utterance.speaker == "s0"
    ]
    new = from_records(
        [
            replace(record, corpus=corpus, utterance=replace(record.utterance, id=f"again {i}"))
            for i, record in enumerate(again)
        ],
        None,
    )
    asked = _asked(index, new)
    found = asked.phones.column("margin").to_numpy()
    embeddings = np.concatenate([PooledUtterance.load(r.path).embeddings for r in again])
    vectors = index.transform(embeddings.astype(np.float16).astype(np.float32))
    answering = np.ones(len(index.vectors), dtype=bool)
    if corpus == "one":
        answering = ~whose(index, "one", "s0")
    labels = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))[answering]
    own = np.array([index.classes.index(p) for p in new.phones.column("phone").to_pylist()])
    similar = class_similarities(
        vectors,
        index.vectors[answering],
        np.searchsorted(labels, np.arange(len(index.classes) + 1)),
        top_m=index.manifest.decision.top_m,
    )
    assert found == pytest.approx(margins(similar, own), abs=1e-5)
