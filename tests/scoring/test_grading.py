import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.assessment import Verdict
from scoring.grading import (
    DELETED,
    FALSE_REJECTIONS,
    FLAGGED,
    FLAGGED_SCORE,
    GOOD_SCORE,
    LIKELY,
    UNCERTAIN,
    Grade,
    combine,
    mean,
    score_of,
)
from scoring.marks import band_of


def test_the_score_is_fifty_where_four_natives_in_a_hundred_lie_below() -> None:
    assert (FALSE_REJECTIONS, FLAGGED_SCORE) == (0.04, 50.0)
    assert score_of(math.log(0.04)) == pytest.approx(50)
    assert score_of(0.0) == pytest.approx(100)
    assert 0 < score_of(-20.0) < 2


def test_a_word_is_pulled_down_by_its_worst_phone() -> None:
    assert combine([90.0, 90.0, 90.0]) == pytest.approx(90)
    assert combine([100.0, 40.0]) == pytest.approx(0.7 * 70 + 0.3 * 40)
    assert combine([80.0, None]) == pytest.approx(80)
    assert combine([None, None]) is None
    assert mean([None, 10.0, 21.0]) == pytest.approx(15.5)
    assert mean([]) is None


def test_what_was_not_said_scores_nothing_and_is_surely_wrong() -> None:
    assert (DELETED.score, DELETED.probability_mispronounced) == (0.0, 1.0)
    assert (UNCERTAIN.score, UNCERTAIN.probability_mispronounced) == (None, None)
    assert frozenset({"accented", "substituted", "deleted"}) == FLAGGED
    assert DELETED.verdict in FLAGGED
    assert UNCERTAIN.verdict not in FLAGGED


KINDS: tuple[Verdict, ...] = ("correct", "accented", "substituted", "deleted")


@given(
    score=st.floats(0, 100),
    probability=st.none() | st.floats(0, 1),
    verdict=st.sampled_from(KINDS),
    border=st.sampled_from([FLAGGED_SCORE, GOOD_SCORE]),
)
def test_score_probability_and_verdict_are_one_judgement(
    score: float, probability: float | None, verdict: Verdict, border: float
) -> None:
    grade = Grade.of(score, probability, verdict, border=border)
    assert grade.score is not None
    assert grade.probability_mispronounced == probability
    assert (grade.verdict in FLAGGED) == (verdict in FLAGGED)
    assert (round(grade.score) < border) == (grade.verdict in FLAGGED)
    assert (grade.score >= border) == (grade.verdict == "correct")
    if grade.verdict in {"substituted", "deleted"}:
        assert grade.verdict == verdict
        assert probability is None or probability >= LIKELY
    if grade.verdict == "deleted":
        assert grade.score == 0.0
    elif verdict == "correct" or score < border - 1:
        assert grade.score in {score, border}, "a measured score that fits stays"


@given(scores=st.lists(st.floats(0, 100), min_size=1, max_size=12))
def test_a_word_with_a_flagged_phone_is_never_painted_as_native(scores: list[float]) -> None:
    known: list[float | None] = [*scores]
    whole, flagged = combine(known), combine(known, flagged=True)
    assert whole is not None
    assert flagged is not None
    assert band_of(flagged) != "good"
    assert round(flagged) < GOOD_SCORE
    assert flagged == whole or whole > flagged
