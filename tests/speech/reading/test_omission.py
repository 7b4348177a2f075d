"""A word is asked for between those beside it: with it and without."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.reading.graph import Costs, ReadingGraph, spell
from nativeear.speech.reading.omission import Heard, Sign, left_out, signs
from nativeear.speech.reading.path import Pass, best_reading
from tests.speech.reading.test_path import pronounced

COLUMNS = {"a": (1, 1), "b": (2, 2), "c": (3, 3)}
COSTS = Costs()
TEXT = pronounced("a b a", "c c c", "b a b")


def heard(said: str) -> Heard:
    """Four frames of each phone; silence of a dot."""
    columns = np.repeat([".abc".index(phone) for phone in said], 4)
    log_probs = np.full((len(columns), 4), np.log(0.01))
    log_probs[np.arange(len(columns)), columns] = np.log(0.97)
    loud: NDArray[np.bool_] = columns != 0
    return Heard.by(log_probs, np.full((4, 4), np.inf), loud, COSTS)


def kept_of(recording: Heard, unsaid: Sequence[int] = ()) -> tuple[Pass, ...]:
    graph = spell(TEXT, COLUMNS, COSTS, unsaid=unsaid)
    path = best_reading(graph, recording.log_probs, COSTS)
    return tuple(one for one in path.passes if one.states)


def told(recording: Heard, kept: Sequence[Pass]) -> dict[int, Sign]:
    graph = spell(TEXT, COLUMNS, COSTS)
    return {sign.word: sign for sign in signs(graph, kept, recording, COSTS, spelled)}


def spelled(words: Sequence[int]) -> ReadingGraph:
    some = replace(TEXT, words=tuple(TEXT.words[i] for i in words))
    return spell(some, COLUMNS, COSTS.forbidding())


def test_no_path_reads_a_word_that_is_unsaid() -> None:
    recording = heard("abacccbab")
    assert [one.joint for one in kept_of(recording)] == [0, 1, 2]
    assert [one.joint for one in kept_of(recording, unsaid=[1])] == [0, 2]


def test_a_clear_word_is_not_asked_and_one_that_is_not_there_is_left_out() -> None:
    graph = spell(TEXT, COLUMNS, COSTS)
    whole = heard("abacccbab")
    assert told(whole, kept_of(whole)) == {}
    without = heard("aba.bab")
    kept = kept_of(without)
    assert [one.joint for one in kept] == [0, 2]
    assert left_out(graph, kept, without, COSTS, spelled) == {1}


def test_a_word_that_was_skipped_although_it_is_there_is_read() -> None:
    graph = spell(TEXT, COLUMNS, COSTS)
    whole = heard("abacccbab")
    kept = kept_of(whole, unsaid=[1])
    sign = told(whole, kept)[1]
    assert sign.gain > 0
    assert sign.loud > 0.9
    assert left_out(graph, kept, whole, COSTS, spelled) == frozenset()


def test_loud_speech_that_no_word_explains_speaks_for_one_and_quiet_does_not() -> None:
    drowned = heard("abaabbbab")
    loud = told(drowned, kept_of(drowned, unsaid=[1]))[1]
    quiet = replace(drowned, loud=np.zeros_like(drowned.loud))
    hushed = told(quiet, kept_of(quiet, unsaid=[1]))[1]
    assert loud.loud + loud.stray > 0
    assert hushed.loud == hushed.stray == 0
    assert hushed.odds < loud.odds
    assert hushed.gain == loud.gain


def test_short_words_need_less() -> None:
    odds = [Sign(0, *phones, -1.0, 0.5, 0.0).odds for phones in ((3, False), (2, False), (2, True))]
    assert odds == sorted(set(odds))
