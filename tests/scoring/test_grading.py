import math

import pytest

from scoring.grading import FALSE_REJECTIONS, FLAGGED_SCORE, combine, mean, score_of


def test_the_score_is_fifty_where_four_natives_in_a_hundred_lie_below() -> None:
    assert score_of(math.log(FALSE_REJECTIONS)) == pytest.approx(FLAGGED_SCORE)
    assert score_of(0.0) == pytest.approx(100)
    assert 0 < score_of(-20.0) < 2


def test_a_word_is_pulled_down_by_its_worst_phone() -> None:
    assert combine([90.0, 90.0, 90.0]) == pytest.approx(90)
    assert combine([100.0, 40.0]) == pytest.approx(0.7 * 70 + 0.3 * 40)
    assert combine([80.0, None]) == pytest.approx(80)
    assert combine([None, None]) is None
    assert mean([None, 10.0, 20.0]) == pytest.approx(15)
    assert mean([]) is None
