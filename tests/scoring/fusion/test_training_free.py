import math
from dataclasses import replace

import numpy as np
import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.reliability import MIN_COVERAGE
from nativeear.retriever.evidence import PhoneEvidence
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.fusion.natives import NativeReference
from nativeear.scoring.fusion.training_free import Scale, TrainingFree
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.grading import Grade
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.frames import Frames


def evidence(index: PhoneIndex, margin: float, coverage: int = 50) -> PhoneEvidence:
    return PhoneEvidence(
        phone="S",
        posterior=np.full(len(index.classes), 1 / len(index.classes), np.float32),
        margin=margin,
        canonical_share=1.0,
        coverage=coverage,
        neighbours=(),
        similarities=(),
        models=(),
        model_similarities=(),
    )


def native_margins(index: PhoneIndex) -> list[float]:
    spoken = index.native_margins[: index.rows_of("SIL").start]
    return spoken[~np.isnan(spoken)].tolist()


def grades(
    index: PhoneIndex, asked: list[PhoneEvidence], deleted: bool = False, rate: float = 0.04
) -> tuple[Grade, ...]:
    return TrainingFree(index, false_rejections=rate).grades(
        recording_evidence(index, asked, deleted)
    )


def recording_evidence(
    index: PhoneIndex, asked: list[PhoneEvidence], deleted: bool = False
) -> RecordingEvidence:
    natives = NativeReference(index)
    phones = tuple(AlignedPhone(e.phone, 0.0, 0.1, 0) for e in asked)
    frames = Frames(np.zeros((10, 3), np.float32), 0.01, 0.005)
    table = FeatureTable(
        ("margin", "log_posterior", "margin_quantile"),
        np.column_stack(
            [
                [e.margin for e in asked],
                np.full(len(asked), np.nan),
                natives.margin_quantiles(asked),
            ]
        ),
    )
    return RecordingEvidence(
        frames,
        Alignment(phones, ("word",), (0,), "test"),
        phones,
        tuple(asked),
        measure_gop(frames, index.inventory, [e.phone for e in asked]),
        table,
        np.full(len(asked), deleted),
        (),
    )


def test_scores_rise_and_error_probabilities_fall_with_the_margin(tone_index: PhoneIndex) -> None:
    found = grades(tone_index, [evidence(tone_index, m) for m in np.linspace(-1.5, 1.5, 31)])
    scores = [grade.score for grade in found if grade.score is not None]
    errors = [grade.probability_mispronounced or 0.0 for grade in found]
    assert len(scores) == len(found)
    assert all(0 <= score <= 100 for score in scores)
    assert scores == sorted(scores)
    assert errors == sorted(errors, reverse=True)
    assert found[0].verdict == "substituted"
    assert found[-1].verdict == "correct"


def test_natives_score_as_the_scale_says(tone_index: PhoneIndex) -> None:
    found = grades(tone_index, [evidence(tone_index, m) for m in native_margins(tone_index)])
    scores = np.array([grade.score for grade in found])
    assert np.mean(scores < 50) == pytest.approx(0.04, abs=0.02)
    assert np.mean(scores == 100) == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("rate", [0.04, 0.1, 0.3])
def test_as_many_natives_are_flagged_as_were_allowed(tone_index: PhoneIndex, rate: float) -> None:
    asked = [evidence(tone_index, margin) for margin in native_margins(tone_index)]
    flagged = [grade.verdict != "correct" for grade in grades(tone_index, asked, rate=rate)]
    assert sum(flagged) == pytest.approx(rate * len(asked), abs=0.3 * rate * len(asked))
    assert any(flagged)


def test_a_flagged_phone_is_accented_while_it_is_still_the_nearest(tone_index: PhoneIndex) -> None:
    lowest = evidence(tone_index, -1.5)
    for margin, verdict in ((-0.01, "substituted"), (0.0, "accented"), (0.01, "accented")):
        found = recording_evidence(tone_index, [lowest])
        told = replace(found, retrieval=(replace(lowest, margin=margin),))
        (grade,) = TrainingFree(tone_index, false_rejections=0.3).grades(told)
        assert grade.verdict == verdict


def test_the_scale_is_longer_below_than_above() -> None:
    scale = Scale(good=2.0, fair=0.0)
    sums = np.array([-4.0, -3.0, -1.5, 0.0, 1.0, 2.0, 5.0])
    assert scale.scores(sums).tolist() == [0, 0, 25, 50, 75, 100, 100]


def test_sums_are_placed_among_the_natives_own(tone_index: PhoneIndex) -> None:
    """With the head where it tells a phone, by margins alone where not; silence is no phone."""
    opened = PhoneIndex.open(tone_index.path)
    spoken = opened.rows_of("SIL").start
    known = opened.native_margins[:spoken].astype(np.float64)
    told = np.random.default_rng(0).uniform(-4, 0, size=len(opened.vectors)).astype(np.float32)
    told[spoken:] = -30
    opened.__dict__["native_log_posteriors"] = told
    both = np.sort((told[:spoken] + 4 * known)[~np.isnan(known)])
    alone = np.sort(4 * known[~np.isnan(known)])
    table = FeatureTable(
        ("margin", "log_posterior"), np.array([[0.3, -1.0], [0.3, np.nan], [np.nan, -1.0]])
    )
    scores, quantiles = TrainingFree(opened).judge(table)
    for i, (total, natives) in enumerate(((0.2, both), (1.2, alone))):
        good, fair = np.quantile(natives, [0.9, 0.04])
        expected = Scale(good, fair).scores(np.array([total]))[0]
        assert scores[i] == pytest.approx(expected)
        assert np.exp(quantiles[i]) == pytest.approx(np.mean(natives <= total), abs=0.02)
    assert np.isnan(scores[2]) and np.isnan(quantiles[2])
    # An index that never heard its natives with the head judges by margins alone.
    opened.__dict__["native_log_posteriors"] = np.full_like(told, np.nan)
    without, _ = TrainingFree(opened).judge(table)
    assert without[0] == without[1] == scores[1]


def test_an_index_without_silence_is_all_speech(tone_index: PhoneIndex) -> None:
    opened = PhoneIndex.open(tone_index.path)
    opened.classes = tuple("X" if phone == "SIL" else phone for phone in opened.classes)
    table = FeatureTable(("margin", "log_posterior"), np.array([[0.3, np.nan]]))
    known = 4 * opened.native_margins.astype(np.float64)
    good, fair = np.nanquantile(known, [0.9, 0.04])
    scores, _ = TrainingFree(opened).judge(table)
    assert scores[0] == pytest.approx(Scale(good, fair).scores(np.array([1.2]))[0])


def test_an_index_that_knows_nothing_of_its_natives_judges_nobody(tone_index: PhoneIndex) -> None:
    opened = PhoneIndex.open(tone_index.path)
    opened.__dict__["native_margins"] = np.full(len(opened.vectors), np.nan, np.float32)
    table = FeatureTable(("margin", "log_posterior"), np.array([[0.3, np.nan]]))
    scores, quantiles = TrainingFree(opened).judge(table)
    assert np.isnan(scores[0]) and np.isnan(quantiles[0])


def test_the_probability_of_an_error_is_that_of_the_index(tone_index: PhoneIndex) -> None:
    decision = tone_index.manifest.decision
    asked = [evidence(tone_index, margin) for margin in (-1.0, -0.2, 0.1)]
    judge = TrainingFree(tone_index)
    _, quantiles = judge.judge(recording_evidence(tone_index, asked).features)
    for grade, quantile in zip(grades(tone_index, asked), quantiles, strict=True):
        logit = decision.error_slope * quantile + decision.error_intercept
        assert grade.probability_mispronounced == pytest.approx(1 / (1 + math.exp(-logit)))


@pytest.mark.parametrize(
    "missing",
    [{"coverage": MIN_COVERAGE - 1}, {"margin": math.nan}, {"phone": "ZH"}],
)
def test_what_cannot_be_judged_is_uncertain_and_not_guessed(
    tone_index: PhoneIndex, missing: dict[str, object]
) -> None:
    asked = replace(evidence(tone_index, 0.3), **missing)  # type: ignore[arg-type]
    (grade,) = grades(tone_index, [asked])
    assert (grade.score, grade.probability_mispronounced, grade.verdict) == (
        None,
        None,
        "uncertain",
    )


def test_a_deleted_phone_scores_nothing(tone_index: PhoneIndex) -> None:
    (grade,) = grades(tone_index, [evidence(tone_index, 0.5)], deleted=True)
    assert (grade.score, grade.verdict) == (0.0, "deleted")
