"""Pronunciations as state graphs, and paths through them as alignments.

Two topologies share one search. In a *hidden Markov model* every phone is a chain of one to three
states that may each last, with an optional pause between words. In *CTC* every phone is one label
that may last, with an optional blank before it, which two equal neighbours need (Graves et al.,
2006); the blank stands for silence too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.aligners.viterbi import NEVER, GraphBuilder, StateGraph
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.canonical import Pronunciation

Arc = tuple[int, float]


@dataclass(frozen=True)
class SpelledPhone:
    """A phone of one variant of one word."""

    phone: str
    stress: int | None
    word: int
    variant: int


@dataclass(frozen=True, eq=False)
class SpelledText:
    """The state graph of a text and the phones that its states belong to.

    Attributes
    ----------
    graph
        The states.
    phones
        Every phone of every variant.
    words
        The words of the text.
    """

    graph: StateGraph
    phones: tuple[SpelledPhone, ...]
    words: tuple[str, ...]


def spell_hmm(
    pronunciation: Pronunciation,
    columns: Mapping[str, tuple[int, ...]],
    *,
    pause_weight: float = 0.0,
) -> SpelledText:
    """Spell a text as chains of states with optional pauses around words.

    Parameters
    ----------
    pronunciation
        Words and their variants.
    columns
        The score columns of every phone's states, and those of `SILENCE`.
    pause_weight
        Log weight of entering a pause between two words.

    Raises
    ------
    KeyError
        If a phone has no column.
    """
    builder = GraphBuilder()
    phones: list[SpelledPhone] = []

    def pause(before: list[Arc], *, first: bool = False) -> list[Arc]:
        for column in columns[SILENCE]:
            state = builder.add(column, NEVER, before, first=first)
            before, first = [(state, 0.0)], False
        return before

    before: list[Arc] = pause([], first=True)
    for number, word in enumerate(pronunciation.words):
        ends: list[Arc] = []
        for variant, sequence in enumerate(word.variants):
            reached = before
            for place, (phone, stress) in enumerate(
                zip(sequence.phones, sequence.stress, strict=True)
            ):
                phones.append(SpelledPhone(phone, stress, number, variant))
                for step, column in enumerate(columns[phone]):
                    state = builder.add(
                        column,
                        len(phones) - 1,
                        reached,
                        first=number == place == step == 0,
                    )
                    reached = [(state, 0.0)]
            ends += reached
        paused = pause([(state, pause_weight) for state, _ in ends])
        before = ends + paused
    graph = builder.build([state for state, _ in before])
    return SpelledText(graph, tuple(phones), tuple(w.word for w in pronunciation.words))


def spell_ctc(
    pronunciation: Pronunciation,
    columns: Mapping[str, tuple[int, ...]],
    *,
    blank: int = 0,
) -> SpelledText:
    """Spell a text as CTC labels with optional blanks.

    Parameters
    ----------
    pronunciation
        Words and their variants.
    columns
        The label column, or columns one after the other, that say each phone.
    blank
        Column of the blank.
    """
    builder = GraphBuilder()
    phones: list[SpelledPhone] = []
    # The blank that parts a word from the one before it.
    joint = builder.add(blank, NEVER, [], first=True)
    before: list[tuple[int, int | None]] = [(joint, None)]  # states and the labels they hold
    for number, word in enumerate(pronunciation.words):
        ends: list[tuple[int, int | None]] = []
        for variant, sequence in enumerate(word.variants):
            reached = before
            opening = number == 0
            for phone, stress in zip(sequence.phones, sequence.stress, strict=True):
                phones.append(SpelledPhone(phone, stress, number, variant))
                for place, label in enumerate(columns[phone]):
                    if reached is not before:
                        # A blank between the labels of one phone is a part of it.
                        owner = len(phones) - 1 if place else NEVER
                        between = builder.add(blank, owner, [(state, 0.0) for state, _ in reached])
                        reached = [*reached, (between, None)]
                    arcs = [(state, 0.0) for state, held in reached if held != label]
                    own = builder.add(label, len(phones) - 1, arcs, first=opening)
                    reached, opening = [(own, label)], False
            ends += reached
        joint = builder.add(blank, NEVER, [(state, 0.0) for state, _ in ends])
        before = [*ends, (joint, None)]
    return SpelledText(
        builder.build([state for state, _ in before]),
        tuple(phones),
        tuple(word.word for word in pronunciation.words),
    )


def read_path(
    text: SpelledText,
    states: NDArray[np.int64],
    confidence: NDArray[np.floating],
    edges_s: NDArray[np.floating],
    aligner: str,
    *,
    shortest_pause_s: float,
) -> Alignment:
    """Read a path as an alignment that covers the recording.

    A silence within a word, or shorter than `shortest_pause_s` between words, belongs half to the
    phone before it and half to the one after.

    Parameters
    ----------
    text
        The spelled text.
    states
        The path, `[T]`.
    confidence
        0 to 1 for every frame, `[T]`; a phone's score is the mean over its frames.
    edges_s
        Where frames begin and the last one ends, seconds, `[T + 1]`.
    aligner
        Name to put down.
    """
    owner = text.graph.phone[states]
    cuts = np.flatnonzero(np.diff(owner)) + 1
    first = np.concatenate([[0], cuts])
    last = np.concatenate([cuts, [len(owner)]])
    runs = [
        _Run(int(owner[a]), float(edges_s[a]), float(edges_s[b]), float(confidence[a:b].mean()))
        for a, b in zip(first, last, strict=True)
    ]
    runs = _without_gaps(runs, text, shortest_pause_s)
    phones = []
    variants = [0] * len(text.words)
    for run in runs:
        if run.owner == NEVER:
            phones.append(AlignedPhone(SILENCE, run.start_s, run.end_s, NEVER, run.score))
            continue
        spelled = text.phones[run.owner]
        variants[spelled.word] = spelled.variant
        phones.append(
            AlignedPhone(
                spelled.phone, run.start_s, run.end_s, spelled.word, run.score, spelled.stress
            )
        )
    return Alignment(tuple(phones), text.words, tuple(variants), aligner)


@dataclass(frozen=True)
class _Run:
    """A stretch of frames of one phone, or of silence."""

    owner: int
    start_s: float
    end_s: float
    score: float


def _without_gaps(runs: list[_Run], text: SpelledText, shortest_pause_s: float) -> list[_Run]:
    kept: list[_Run] = []
    start_s = runs[0].start_s
    for place, run in enumerate(runs):
        inside = 0 < place < len(runs) - 1
        if run.owner == NEVER and inside:
            left, right = text.phones[runs[place - 1].owner], text.phones[runs[place + 1].owner]
            if left.word == right.word or run.end_s - run.start_s < shortest_pause_s:
                before = kept.pop()
                start_s = (run.start_s + run.end_s) / 2
                kept.append(_Run(before.owner, before.start_s, start_s, before.score))
                continue
        kept.append(_Run(run.owner, start_s, run.end_s, run.score))
        start_s = run.end_s
    return kept
