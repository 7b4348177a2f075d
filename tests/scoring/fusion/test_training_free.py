import math
from dataclasses import replace

import numpy as np
import pytest

from indexes.phone_index import PhoneIndex
from indexes.trust import MIN_COVERAGE
from retriever.evidence import PhoneEvidence
from scoring.fusion.features import FeatureTable
from scoring.fusion.natives import NativeReference
from scoring.fusion.training_free import TrainingFree
from scoring.gop_evidence import measure_gop
from scoring.grading import Grade
from scoring.hearing import Hearing
from speech.alignment import AlignedPhone, Alignment
from speech.frames import Frames


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
    hearing = Hearing(
        frames,
        Alignment(phones, ("word",), (0,), "test"),
        phones,
        tuple(asked),
        measure_gop(frames, index.inventory, [e.phone for e in asked]),
        table,
        np.full(len(asked), deleted),
        (),
    )
    return TrainingFree(index, false_rejections=rate).grades(hearing)


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


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_as_many_natives_are_flagged_as_were_allowed(tone_index: PhoneIndex, rate: float) -> None:
    asked = [evidence(tone_index, margin) for margin in native_margins(tone_index)]
    flagged = [grade.verdict != "correct" for grade in grades(tone_index, asked, rate=rate)]
    assert np.mean(flagged) == pytest.approx(rate, abs=0.02)


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
