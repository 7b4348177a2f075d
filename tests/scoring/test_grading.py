import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nativeear.scoring.assessment import KnnEvidence, PhoneAssessment
from nativeear.scoring.grading import (
    DELETED,
    FALSE_REJECTIONS,
    FLAGGED_SCORE,
    GOOD_SCORE,
    LIKELY,
    UNCERTAIN,
    Grade,
    combine,
    mean,
    quality_of,
    score_of,
)
from nativeear.scoring.verdicts import FLAGGED, Verdict


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
    assert quality_of(flagged) != "good"
    assert round(flagged) < GOOD_SCORE
    assert flagged == whole or whole > flagged


@pytest.mark.parametrize(
    ("verdict", "probability", "told"),
    [
        ("substituted", 0.5, True),
        ("accented", 0.51, True),
        ("deleted", 1.0, True),
        ("substituted", 0.49, False),
        ("accented", None, True),
        ("correct", 0.9, False),
        ("uncertain", None, False),
    ],
)
def test_a_learner_is_told_of_what_is_as_likely_wrong_as_not(
    verdict: Verdict, probability: float | None, told: bool
) -> None:
    phone = PhoneAssessment(
        phone="S",
        ipa="s",
        start_s=0.0,
        end_s=0.1,
        score=None,
        verdict=verdict,
        probability_mispronounced=probability,
        knn=KnnEvidence(margin=None, canonical_share=None, k=0, coverage=0),
    )
    assert phone.needs_work == told


def test_the_borders_are_those_that_the_page_paints_by() -> None:
    assert Grade.of(90.0, 0.9, "substituted").score == 49.0
    assert Grade.of(20.0, 0.1, "correct").score == 50.0
    assert Grade.of(90.0, 0.9, "deleted").score == 0.0
    assert Grade.of(90.0, 0.49, "deleted").verdict == "accented"
    assert Grade.of(90.0, 0.5, "deleted").verdict == "deleted"
    assert combine([100.0, 90.0], flagged=True) == 74.0
    assert combine([100.0, 100.0], flagged=False) == 100.0
