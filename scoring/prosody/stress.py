"""Which syllable of a word bears the stress, by what tells stress among the natives of an index.

Every nucleus is described by its length and its onset's, by F0 peak, mean and movement, by the
energy and tilt of its spectrum, and by how full its vowel is, relative to the mean of its word.
What a syllable owes to its position (the last one before a pause is long and low) is taken off: the
mean over natives in that position of a word of that length, stressed and unstressed ones weighing
alike, so that no position is preferred. Fisher's linear discriminant of stressed against unstressed
nuclei then gives one number, the prominence, and the most prominent syllable is the stressed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.native_margins import NativeMargins
from nativeear.speech.prosody.stress import CORRELATES, PRIMARY, Syllable

FloatArray = NDArray[np.float64]

MIN_WORDS = 30
"""Native words of several syllables below which nothing is learnt of stress."""

CUES = (*CORRELATES, "fullness")

FINALITIES, POSITIONS, LENGTHS = 3, 3, 3
"""What a position in a word is: its finality, first, second or later, of 2, 3 or more syllables."""
MIN_OF_POSITION = 8
"""Stressed, and unstressed, natives of a position; with fewer its finality alone is gone by."""
RIDGE = 1e-3


@dataclass(frozen=True)
class ObservedStress:
    """The stress of one word.

    Attributes
    ----------
    expected, observed
        Syllable indices.
    margin
        Prominence of the expected syllable minus that of the most prominent other one.
    """

    expected: int
    observed: int
    margin: float


@dataclass(frozen=True, eq=False)
class StressModel:
    """The discriminant.

    Attributes
    ----------
    weights
        float64 `[C]`, by `CUES`.
    offsets
        float64 `[P, C]`, what a position adds to each cue, by `_positions`.
    natives
        Margins of native words, by which those of learners are graded.
    """

    weights: FloatArray
    offsets: FloatArray
    natives: NativeMargins

    @classmethod
    def fit(cls, utterances: Iterable[Sequence[Syllable]]) -> StressModel | None:
        """Learn from the nuclei of native utterances; None if there are too few words."""
        words = [word for nuclei in utterances for word in polysyllables(nuclei)]
        if len(words) < MIN_WORDS:
            return None
        relative = np.concatenate([_relative(word) for word in words])
        stressed = np.array([s.stress == PRIMARY for word in words for s in word])
        positions = np.concatenate([_positions(word) for word in words])
        offsets = _offsets(relative, stressed, positions)
        corrected = relative - offsets[positions]
        weights = _discriminant(corrected[stressed], corrected[~stressed])
        model = cls(weights, offsets, NativeMargins.fit(np.zeros(0)))
        margins = np.array([model.observe(word).margin for word in words])
        return cls(weights, offsets, NativeMargins.fit(margins))

    def cues(self, word: Sequence[Syllable]) -> FloatArray:
        """What tells stress in the syllables of a word, `[S, C]`, less their position's own."""
        cues: FloatArray = _relative(word) - self.offsets[_positions(word)]
        return cues

    def observe(self, word: Sequence[Syllable]) -> ObservedStress:
        """Where the stress of one of `polysyllables` lies."""
        prominence = self.cues(word) @ self.weights
        expected = next(i for i, syllable in enumerate(word) if syllable.stress == PRIMARY)
        others = np.delete(prominence, expected)
        return ObservedStress(
            expected=expected,
            observed=int(prominence.argmax()),
            margin=float(prominence[expected] - others.max()),
        )


def polysyllables(nuclei: Sequence[Syllable]) -> list[tuple[Syllable, ...]]:
    """The words of several syllables of which one, and no other, bears the main stress."""
    words: dict[int, list[Syllable]] = {}
    for nucleus in nuclei:
        words.setdefault(nucleus.word, []).append(nucleus)
    return [
        tuple(word)
        for word in words.values()
        if len(word) > 1 and sum(s.stress == PRIMARY for s in word) == 1
    ]


def prominent_word(nuclei: Sequence[Syllable]) -> int | None:
    """The word that bears the sentence's accent; None where no syllable is voiced.

    The one whose nucleus stands highest in F0 and emphasis together, both in units of their
    deviation over the utterance, and F0 counted from the line that it declines along.
    """
    voiced = [n for n in nuclei if not np.isnan(n.f0_semitones)]
    if len(voiced) < 2:
        return None
    f0 = np.array([n.f0_semitones for n in voiced])
    position = np.arange(len(f0))
    f0 = f0 - np.polyval(np.polyfit(position, f0, 1), position)
    level = np.array([n.emphasis_db for n in voiced])
    standing = sum((x - x.mean()) / max(float(x.std()), 1e-9) for x in (f0, level))
    return voiced[int(np.argmax(standing))].word


def _positions(word: Sequence[Syllable]) -> NDArray[np.int64]:
    """Place of every syllable of a word as a row of `StressModel.offsets`, int64 `[S]`."""
    length = min(len(word) - 2, LENGTHS - 1)
    return np.array(
        [
            (syllable.finality * POSITIONS + min(position, POSITIONS - 1)) * LENGTHS + length
            for position, syllable in enumerate(word)
        ]
    )


def _offsets(
    relative: FloatArray, stressed: NDArray[np.bool_], positions: NDArray[np.int64]
) -> FloatArray:
    """Mean of the means of stressed and of unstressed natives of every position `[P, C]`."""
    offsets = np.zeros((FINALITIES * POSITIONS * LENGTHS, relative.shape[1]))
    finality = positions // (POSITIONS * LENGTHS)
    for position in range(len(offsets)):
        for own, least in (
            (positions == position, MIN_OF_POSITION),
            (finality == position // (POSITIONS * LENGTHS), 1),
        ):
            parts = [relative[own & (stressed == which)] for which in (True, False)]
            if min(map(len, parts)) >= least:
                offsets[position] = np.mean([part.mean(axis=0) for part in parts], axis=0)
                break
    return offsets


def _relative(word: Sequence[Syllable]) -> FloatArray:
    """Cues `[S, C]` less their mean over the word; what is unvoiced stands at the mean."""
    values = np.array([[getattr(s, name) for name in CUES] for s in word], dtype=np.float64)
    measured = ~np.isnan(values)
    counts = np.maximum(measured.sum(axis=0), 1)
    centred: FloatArray = np.where(
        measured, values - np.where(measured, values, 0.0).sum(axis=0) / counts, 0.0
    )
    return centred


def _discriminant(stressed: FloatArray, unstressed: FloatArray) -> FloatArray:
    """Fisher's linear discriminant, of unit standard deviation within the two groups."""
    if min(len(stressed), len(unstressed)) < 2:
        return np.ones(len(CUES)) / len(CUES)
    within = (np.cov(stressed.T) + np.cov(unstressed.T)) / 2
    within += RIDGE * np.diag(np.diag(within)) + 1e-9 * np.eye(len(within))
    weights = np.linalg.solve(within, stressed.mean(axis=0) - unstressed.mean(axis=0))
    scale = np.sqrt(weights @ within @ weights)
    normalised: FloatArray = weights / scale if scale > 0 else weights
    return normalised
