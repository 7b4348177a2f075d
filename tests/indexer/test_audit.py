import json
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.assembly import IndexSettings, publish_new
from nativeear.indexer.audit.exemplar_map import exemplar_map
from nativeear.indexer.audit.expected import expectations
from nativeear.indexer.audit.geometry import geometry, neighbourhood, skewness, two_nn
from nativeear.indexer.audit.learning import learning_curve
from nativeear.indexer.audit.left_out import ask_left_out
from nativeear.indexer.audit.report import AuditReport, audit
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.pool import Record
from nativeear.indexer.pooled_utterance import PooledPhone, PooledUtterance
from nativeear.indexes.manifest import EncoderIdentity
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import class_similarities
from nativeear.speech.inventory import PhoneInventory

PHONES = ("AA", "IY", "M", "S", "Z")
DIM = 24


def build(folder: Path, *, speakers: int, embeddings: bool, utterances: int = 60) -> PhoneIndex:
    """An index of random phones; the centres of S and Z lie close together, the others apart."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(len(PHONES), DIM)) * 1.6
    centres[4] = centres[3] + 0.2 * rng.normal(size=DIM)
    folder.mkdir(exist_ok=True)
    records = []
    for number in range(utterances):
        own = rng.choice(len(PHONES), size=16, p=[0.25, 0.25, 0.2, 0.2, 0.1])
        phones = tuple(
            PooledPhone(PHONES[p], "SIL", "SIL", -1, "word", i * 0.1, i * 0.1 + 0.1)
            for i, p in enumerate(own)
        )
        vectors = centres[own] + rng.normal(size=(16, DIM))
        path = folder / f"{number}.npz"
        PooledUtterance(phones, vectors.astype(np.float32), 1.6).save(path)
        utterance = Utterance(f"u{number:03d}", Path("none.wav"), "word", f"s{number % speakers}")
        records.append(Record("random", "none", utterance, path))
    settings = IndexSettings(
        name="x",
        language="en-US",
        inventory=PhoneInventory.load("en-US").to_json(),
        encoder=EncoderIdentity(name="spectral", layer=None, fingerprint="sha256:0", dim=DIM),
        pooling="middle-third",
        aligner="auto",
        g2p=None,
        min_rating=None,
        clips=None,
        command="",
    )
    publish_new(folder / "index", records, settings, embeddings=embeddings)
    return PhoneIndex.open(folder / "index")


@pytest.fixture(scope="module")
def refitted(tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    return build(tmp_path_factory.mktemp("refitted"), speakers=6, embeddings=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    return build(tmp_path_factory.mktemp("plain"), speakers=6, embeddings=False)


@pytest.fixture(scope="module")
def report(refitted: PhoneIndex) -> AuditReport:
    return audit(refitted)


def test_natives_are_asked_without_their_own_speaker(plain: PhoneIndex) -> None:
    found = ask_left_out(plain, asked_per_phone=20)
    assert found.by_speaker
    assert not found.refitted
    speaker, _ = plain.codes("speaker")
    for i in range(0, len(found.rows), 7):
        row = found.rows[i]
        others = np.flatnonzero(speaker != speaker[row])
        labels = np.repeat(np.arange(len(plain.classes)), np.diff(plain.bounds))[others]
        expected = class_similarities(
            plain.vectors[[row]],
            np.ascontiguousarray(plain.vectors[others]),
            np.searchsorted(labels, np.arange(len(plain.classes) + 1)),
            top_m=plain.manifest.decision.top_m,
        )[0]
        assert found.similar[-1, i] == pytest.approx(expected, abs=1e-5)


def test_smaller_shares_answer_with_less(plain: PhoneIndex) -> None:
    found = ask_left_out(plain)
    assert (np.diff(found.answering, axis=0) >= 0).all()
    assert found.answering[-1].tolist() == np.diff(plain.bounds).tolist()
    # With fewer to choose from, the nearest ten are no nearer.
    assert np.nanmean(found.similar[1] - found.similar[-1]) < 0
    assert found.nearest.shape == (5, len(found.rows))


def test_a_refitted_transform_agrees_with_the_margins_that_the_index_keeps(
    refitted: PhoneIndex,
) -> None:
    found = ask_left_out(refitted, asked_per_phone=1000)
    assert found.refitted
    assert len(found.rows) == len(refitted.vectors)
    right = (found.nearest[-1] == found.own).mean()
    kept = (refitted.native_margins[found.rows] > 0).mean()
    assert right == pytest.approx(kept, abs=0.03)
    with_all = class_similarities(
        refitted.vectors, refitted.vectors, refitted.bounds, top_m=10,
        groups=np.arange(len(refitted.vectors)), query_groups=np.arange(len(refitted.vectors)),
    )  # fmt: skip
    flattered = (with_all.argmax(axis=1) == found.own).mean()
    assert right < flattered


def test_expected_errors_are_those_of_the_left_out(
    refitted: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = expectations(refitted)
    margins = refitted.native_margins
    wrong = {p: (margins[refitted.rows_of(p)] <= 0).mean() for p in PHONES}
    assert wrong["Z"] > 3 * wrong["M"]
    for phone, told in found.phones.items():
        assert told.asked == refitted.manifest.counts.phones[phone]
        # Drawn towards the mean of all, and not beyond it.
        low, high = sorted((wrong[phone], found.error))
        assert low - 1e-4 <= told.error <= high + 1e-4
    assert found.error == pytest.approx((margins <= 0).mean(), abs=1e-4)
    weights = np.array([refitted.manifest.counts.phones[p] for p in found.phones])
    flagged = np.array([told.false_rejections for told in found.phones.values()])
    assert weights @ flagged / weights.sum() == pytest.approx(0.04, abs=0.01)
    monkeypatch.setattr("nativeear.indexer.audit.expected.FALSE_REJECTIONS", 0.01)
    stricter = expectations(refitted)
    assert stricter.phones["Z"].false_rejections < found.phones["Z"].false_rejections


def test_the_report_names_what_is_confused(report: AuditReport, refitted: PhoneIndex) -> None:
    found = {p.phone: p for p in report.phones}
    assert set(found) == set(PHONES)
    assert found["Z"].taken_for[0].phone == "S"
    assert report.confusions.rows == report.confusions.columns
    for phone, row in zip(report.confusions.rows, report.confusions.counts, strict=True):
        assert sum(row) == min(150, refitted.manifest.counts.phones[phone])
    assert 0.5 < report.accuracy < 1
    assert report.left_out == "speaker"
    assert report.coverage.missing
    assert not {p.phone for p in report.coverage.phones if p.judged} - set(PHONES)
    assert AuditReport.model_validate_json(report.model_dump_json()) == report


def test_the_same_index_gives_the_same_report(report: AuditReport, refitted: PhoneIndex) -> None:
    assert audit(PhoneIndex.open(refitted.path)) == report


def test_utterances_are_left_out_where_there_are_few_speakers(tmp_path: Path) -> None:
    index = build(tmp_path / "few", speakers=2, embeddings=False, utterances=20)
    assert audit(index).left_out == "utterance"


def test_a_power_law_is_found_and_continued() -> None:
    exemplars = np.array([50, 100, 200, 400, 800])
    wrong = np.round(100_000 * 0.9 * exemplars**-0.5).astype(np.int64)
    curve = learning_curve(exemplars, wrong, 100_000)
    assert curve.exponent == pytest.approx(0.5, abs=0.01)
    assert curve.doubled == pytest.approx(0.9 * 1600**-0.5, rel=0.02)
    assert curve.gain == pytest.approx(0.9 * (800**-0.5 - 1600**-0.5), rel=0.05)
    assert curve.gain_error is not None
    assert curve.gain_error < curve.gain
    few = learning_curve(exemplars, np.round(wrong / 2000).astype(np.int64), 50)
    assert few.gain_error is not None
    assert few.gain_error > 3 * curve.gain_error
    assert learning_curve(np.array([0, 0, 3, 9, 20]), np.zeros(5, np.int64), 20).exponent == 0
    assert learning_curve(np.array([0, 0, 0, 2, 4]), np.zeros(5, np.int64), 4).gain is None
    assert "±" in curve.change


def test_what_more_speech_is_worth_is_borne_out(tmp_path: Path) -> None:
    small = build(tmp_path / "small", speakers=6, embeddings=True, utterances=80)
    large = build(tmp_path / "large", speakers=6, embeddings=True, utterances=160)
    curve = audit(small).curve
    assert curve.doubled is not None
    assert curve.gain_error is not None
    now = audit(large).curve.errors[-1]
    assert now == pytest.approx(curve.doubled, abs=0.02)
    assert now < curve.errors[0] - 0.02


@pytest.mark.parametrize("dimension", [2, 5])
def test_intrinsic_dimension_is_that_of_the_cube(dimension: int) -> None:
    rng = np.random.default_rng(0)
    cube = rng.random((2500, dimension)) @ rng.normal(size=(dimension, 30))
    squared = (cube**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squared[:, None] + squared[None] - 2 * cube @ cube.T, 0))
    np.fill_diagonal(distances, np.inf)
    found = two_nn(np.sort(distances, axis=1)[:, :2])
    assert found == pytest.approx(dimension, rel=0.12)


def test_hubness_is_the_skewness_of_occurrences(refitted: PhoneIndex) -> None:
    assert skewness(np.array([1.0, 1.0, 1.0])) == 0
    assert skewness(np.array([0.0, 0.0, 0.0, 0.0, 5.0])) == pytest.approx(1.5)
    shape = geometry(neighbourhood(refitted))
    assert shape.exemplars == len(refitted.vectors)
    assert shape.dimensions == refitted.vectors.shape[1]
    # Few neighbours by hand: those of the exemplar itself do not count.
    products = np.array(refitted.vectors @ refitted.vectors.T)
    np.fill_diagonal(products, -np.inf)
    nearest = np.argpartition(-products, 10, axis=1)[:, :10]
    occurrences = np.bincount(nearest.ravel(), minlength=len(products))
    assert shape.hubness == pytest.approx(skewness(occurrences.astype(float)), abs=0.05)
    assert shape.orphans == pytest.approx((occurrences == 0).mean(), abs=0.005)


def test_the_map_keeps_phones_apart(refitted: PhoneIndex) -> None:
    laid = exemplar_map(refitted, ["AA", "IY", "M"], per_phone=12)
    assert len(laid.rows) == 36
    assert 0 < laid.explained <= 1 + 1e-6
    labels = [refitted.exemplar(row).phone for row in laid.rows]
    nearest = [
        min(laid.centres, key=lambda p: np.hypot(*(place - np.array(laid.centres[p]))))
        for place in laid.places
    ]
    assert np.mean([a == b for a, b in zip(labels, nearest, strict=True)]) > 0.8


def test_an_index_without_clips_and_with_missing_phones_is_valid_json(report: AuditReport) -> None:
    told = json.loads(report.model_dump_json())
    assert told["against"] is None
    assert {"AE", "T"} <= set(told["coverage"]["missing"])
