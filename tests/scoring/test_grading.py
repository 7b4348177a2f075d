import math
from dataclasses import replace

import numpy as np
import pytest

from indexes.phone_index import PhoneIndex
from retriever.evidence import PhoneEvidence
from scoring.grading import (
    FLAGGED_QUANTILE,
    FLAGGED_SCORE,
    MIN_COVERAGE,
    NativeScale,
    combine,
    mean,
    score_of,
)


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


def test_the_score_is_fifty_where_four_natives_in_a_hundred_lie_below() -> None:
    assert score_of(math.log(FLAGGED_QUANTILE)) == pytest.approx(FLAGGED_SCORE)
    assert score_of(0.0) == pytest.approx(100)
    assert 0 < score_of(-20.0) < 2


def test_scores_rise_and_error_probabilities_fall_with_the_margin(tone_index: PhoneIndex) -> None:
    scale = NativeScale(tone_index)
    grades = [
        scale.grade(evidence(tone_index, margin), deleted=False)
        for margin in np.linspace(-1.5, 1.5, 31)
    ]
    scores = [grade.score for grade in grades if grade.score is not None]
    errors = [grade.probability_mispronounced or 0.0 for grade in grades]
    assert len(scores) == len(grades)
    assert all(0 <= score <= 100 for score in scores)
    assert scores == sorted(scores)
    assert errors == sorted(errors, reverse=True)
    assert grades[0].verdict == "substituted"
    assert grades[-1].verdict == "correct"


def test_natives_score_as_the_definition_says(tone_index: PhoneIndex) -> None:
    scale = NativeScale(tone_index)
    margins = tone_index.native_margins[tone_index.rows_of("S")]
    scores = [
        scale.grade(evidence(tone_index, float(margin)), deleted=False).score or 0.0
        for margin in margins
    ]
    assert np.mean(scores) == pytest.approx(82, abs=4)


@pytest.mark.parametrize(
    "missing",
    [{"coverage": MIN_COVERAGE - 1}, {"margin": math.nan}, {"phone": "ZH"}],
)
def test_what_cannot_be_judged_is_uncertain_and_not_guessed(
    tone_index: PhoneIndex, missing: dict[str, object]
) -> None:
    asked = replace(evidence(tone_index, 0.3), **missing)  # type: ignore[arg-type]
    grade = NativeScale(tone_index).grade(asked, deleted=False)
    assert (grade.score, grade.probability_mispronounced, grade.verdict) == (
        None,
        None,
        "uncertain",
    )


def test_a_deleted_phone_scores_nothing(tone_index: PhoneIndex) -> None:
    grade = NativeScale(tone_index).grade(evidence(tone_index, 0.5), deleted=True)
    assert (grade.score, grade.verdict) == (0.0, "deleted")


def test_a_word_is_pulled_down_by_its_worst_phone() -> None:
    assert combine([90.0, 90.0, 90.0]) == pytest.approx(90)
    assert combine([100.0, 40.0]) == pytest.approx(0.7 * 70 + 0.3 * 40)
    assert combine([80.0, None]) == pytest.approx(80)
    assert combine([None, None]) is None
    assert mean([None, 10.0, 20.0]) == pytest.approx(15)
    assert mean([]) is None
