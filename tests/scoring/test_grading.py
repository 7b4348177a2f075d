import math

import pytest

from scoring.grading import (
    DELETED,
    FALSE_REJECTIONS,
    FLAGGED,
    FLAGGED_SCORE,
    UNCERTAIN,
    combine,
    mean,
    score_of,
)


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
