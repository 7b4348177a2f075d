"""What is told of a path through the readings of a text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nativeear.speech.reading import reading
from nativeear.speech.reading.graph import Costs, spell
from nativeear.speech.reading.match import BY_RETRIEVAL
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


def test_a_word_that_lacks_its_last_phone_alone_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "left_out", lambda *_: frozenset({1}))
    text = pronounced("c a c", "a b c b")
    columns = np.repeat([3, 1, 3, 1, 2, 3], 4)
    read = reading.read_text(
        text,
        np.log(np.eye(4)[columns] * 0.96 + 0.01),
        columns=("", "a", "b", "c"),
        spelling={"a": (1, 1), "b": (2, 2), "c": (3, 3)},
        edges_s=np.arange(len(columns) + 1) * 0.02,
        distances=np.full((4, 4), np.inf),
        model=replace(BY_RETRIEVAL, costs=Costs(skip=1.0)),
        loud=np.ones(len(columns), dtype=bool),
    )
    assert read.events == ()
    assert [p.phone for p in read.alignment.spoken if p.word_index == 1] == ["a", "b", "c", "b"]
