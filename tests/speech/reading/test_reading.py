"""What is told of a path through the readings of a text."""

from __future__ import annotations

import numpy as np
import pytest

from nativeear.speech.reading import reading
from nativeear.speech.reading.graph import Costs, spell
from nativeear.speech.reading.path import Pass
from tests.speech.reading.test_path import COLUMNS, pronounced


@pytest.mark.parametrize("joint", [1, 2])
def test_speech_beside_a_word_left_out_is_told_behind_the_last_word_read(joint: int) -> None:
    graph = spell(pronounced("a", "b", "c"), COLUMNS, Costs())
    columns = np.repeat([1, 2, 3, 3], 2)
    log_probs = np.log(np.eye(4)[columns] * 0.9 + 0.025)
    passes = (Pass(0, 0, 2, (0, 0)), Pass(joint, 2, 6, extra=True), Pass(2, 6, 8, (2, 2)))
    heard = reading._Sounds(log_probs, ("", "a", "b", "c"), np.arange(9) * 0.04)
    told = reading._events(passes, (passes[0], passes[2]), graph, heard)
    assert [(e.kind, e.word_index) for e in told] == [("extra", 0), ("omitted", 1)]
