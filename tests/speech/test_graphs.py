"""Spelled texts against their definitions: CTC by listing every path, HMM by what they may emit."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax

from nativeear.speech.aligners.graphs import SpelledText, read_path, spell_ctc, spell_hmm
from nativeear.speech.aligners.viterbi import NEVER, best_path
from nativeear.speech.alignment import SILENCE
from nativeear.speech.canonical import PhoneSequence, Pronunciation, WordPronunciation

FloatArray = NDArray[np.float64]
COLUMNS = {"a": (1,), "b": (2,), "c": (3,), "ts": (1, 2)}


def said(*words: Sequence[str]) -> Pronunciation:
    """Words, each given by its variants; phones are parted by spaces."""

    def sequence(text: str) -> PhoneSequence:
        phones = tuple(text.split())
        return PhoneSequence(phones, (None,) * len(phones), ((0, len(phones)),), "given")

    return Pronunciation(
        "und",
        tuple(WordPronunciation(f"w{i}", tuple(map(sequence, w))) for i, w in enumerate(words)),
    )


def collapsed(path: Sequence[int]) -> tuple[int, ...]:
    """What a CTC path says: repetitions joined, blanks dropped."""
    return tuple(label for label, _ in itertools.groupby(path) if label)


def label_sequences(
    pronunciation: Pronunciation, columns: Mapping[str, tuple[int, ...]] = COLUMNS
) -> set[tuple[int, ...]]:
    """Every sequence of labels that the variants of the words say."""
    return {
        tuple(column for variant in chosen for phone in variant.phones for column in columns[phone])
        for chosen in itertools.product(*(word.variants for word in pronunciation.words))
    }


def check_ctc(pronunciation: Pronunciation, log_probs: FloatArray) -> None:
    text = spell_ctc(pronunciation, COLUMNS)
    wanted = label_sequences(pronunciation)
    scores = {
        path: sum(log_probs[t, label] for t, label in enumerate(path))
        for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs))
        if collapsed(path) in wanted
    }
    found = best_path(text.graph, log_probs)
    if not scores:
        assert found is None
        return
    assert found is not None
    labels = tuple(text.graph.column[found.states].tolist())
    assert labels in scores  # it says the text; equal neighbours have kept their blank
    assert found.score == pytest.approx(max(scores.values()))
    assert scores[labels] == pytest.approx(found.score)


@pytest.mark.parametrize(
    "words",
    [
        [["a"]],
        [["a a"]],
        [["a"], ["a"]],
        [["a b"], ["b a"]],
        [["a", "b c"], ["c", "a"]],
        [["ts"]],
        [["a ts", "b"], ["b", "ts"]],
        [["a a", "a"], ["a"]],
    ],
)
def test_the_best_ctc_path_is_the_best_of_all(words: list[list[str]]) -> None:
    rng = np.random.default_rng(0)
    for n_frames in range(1, 7):
        for _ in range(3):
            check_ctc(said(*words), log_softmax(3 * rng.normal(size=(n_frames, 4)), axis=1))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=2), min_size=1),
        min_size=1,
        max_size=2,
    ),
    st.integers(0, 2**32 - 1),
)
def test_any_text_is_spelled_as_ctc_defines_it(words: list[list[list[str]]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [[" ".join(variant) for variant in word[:2]] for word in words]
    check_ctc(said(*texts), log_softmax(3 * rng.normal(size=(5, 4)), axis=1))


# --- Hidden Markov models -----------------------------------------------------------------------

STATES = {"a": (0, 1, 2), "b": (3, 4, 5), "c": (6, 7, 8), SILENCE: (9,)}


def hmm_path(words: Sequence[Sequence[str]], emitted: Sequence[int]) -> tuple[SpelledText, float]:
    """The text and the score of frames that each emit one column at 0, all others at -10."""
    text = spell_hmm(said(*words), STATES)
    scores = np.full((len(emitted), 10), -10.0)
    scores[np.arange(len(emitted)), emitted] = 0.0
    found = best_path(text.graph, scores)
    assert found is not None
    return text, found.score


@pytest.mark.parametrize(
    ("emitted", "fits"),
    [
        ([0, 1, 2, 3, 4, 5], True),
        ([9, 9, 0, 0, 1, 2, 2, 3, 4, 5, 9], True),
        ([0, 1, 2, 9, 9, 3, 4, 5], True),
        ([0, 1, 2, 6, 7, 8], True),
        ([0, 1, 9, 2, 3, 4, 5], False),  # no pause within a phone
        ([0, 2, 3, 4, 5, 5], False),  # no state is left out
        ([3, 4, 5, 0, 1, 2], False),
        ([0, 1, 2, 3, 4, 8], False),  # variants do not mix
    ],
)
def test_what_a_chain_of_states_may_emit(emitted: list[int], fits: bool) -> None:
    _, score = hmm_path([["a"], ["b", "c"]], emitted)
    assert (score == 0.0) == fits


def test_a_phone_without_states_is_named() -> None:
    with pytest.raises(KeyError, match="z"):
        spell_hmm(said(["z"]), STATES)


# --- Paths as alignments ------------------------------------------------------------------------


def states_of(path: NDArray[np.integer], text: SpelledText) -> NDArray[np.int64]:
    """States of a path that is given by its labels, `[T]`, for a text without variants.

    States alternate: a blank first, then every label and the blank behind it.
    """
    states = np.empty(len(path), dtype=np.int64)
    blank = (text.graph.column == 0).tolist()
    at, before = 0, 0
    for t, label in enumerate(path.tolist()):
        if label == 0:
            at += int(not blank[at])
        elif label != before:
            at += 1 if blank[at] else 2
        states[t] = at
        before = label
    return states


def read(words: Sequence[Sequence[str]], columns: Sequence[int], shortest_s: float) -> list[str]:
    """Phones with their spans in frames of a CTC path."""
    text = spell_ctc(said(*words), COLUMNS)
    alignment = read_path(
        text,
        states_of(np.array(columns), text),
        np.ones(len(columns)),
        np.arange(len(columns) + 1, dtype=np.float64),
        "test",
        shortest_pause_s=shortest_s,
    )
    return [f"{p.phone} {p.start_s:g}-{p.end_s:g}" for p in alignment.phones]


def test_silences_within_words_and_short_ones_are_shared() -> None:
    words = [["a b"], ["c"]]
    path = [0, 1, 1, 0, 0, 2, 0, 0, 3, 0]
    assert read(words, path, 2.0) == ["SIL 0-1", "a 1-4", "b 4-6", "SIL 6-8", "c 8-9", "SIL 9-10"]
    assert read(words, path, 2.5) == ["SIL 0-1", "a 1-4", "b 4-7", "c 7-9", "SIL 9-10"]


def test_a_phone_of_two_labels_is_one_phone() -> None:
    words = [["ts"], ["c"]]
    assert read(words, [1, 0, 0, 2, 3], 1.0) == ["ts 0-4", "c 4-5"]
    assert read(words, [1, 2, 2, 2, 3], 1.0) == ["ts 0-4", "c 4-5"]


def test_a_score_is_the_mean_over_the_frames_of_a_phone() -> None:
    text = spell_ctc(said(["a"]), COLUMNS)
    alignment = read_path(
        text,
        states_of(np.array([0, 1, 1, 0]), text),
        np.array([1.0, 0.25, 0.75, 1.0]),
        np.arange(5.0),
        "test",
        shortest_pause_s=1.0,
    )
    assert [p.score for p in alignment.spoken] == [0.5]
    assert alignment.phones[0].word_index == NEVER
