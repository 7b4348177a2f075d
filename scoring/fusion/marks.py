"""The marks that experts would give words and the whole reading.

Words are judged by boosted trees over `scoring.fusion.measures`. The reading as a whole is judged
by the mean of boosted trees, which know of thresholds, and a line, which goes on beyond what they
saw. How complete it is needs no fitting: a word was said as far as it can be recognised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.scoring.assessment import Reading, WordAssessment
from nativeear.scoring.fusion.measures import (
    WordFacts,
    flow_measures,
    phone_measures,
    word_measures,
)
from nativeear.scoring.fusion.trees import Trees
from nativeear.scoring.prosody.assessment import Fluency, Prosody

FloatArray = NDArray[np.float64]

HIGHEST = 10.0
"""The best mark of a word or sentence."""

STRESS_WRONG = 5.0
"""The mark of a word that is stressed on another syllable; there is none below."""

RECOGNISABLE = (0.5, 1.5)
"""Mean expert score of a word's phones up to which it does not count as said, and from which on it
does in full. Chosen on the learners of folds 0 and 1 among six pairs."""

WORD_MARKS = ("accuracy", "stress", "total")
SENTENCE_MARKS = ("accuracy", "fluency", "prosodic", "total")


@dataclass(frozen=True, eq=False)
class SentenceModel:
    """One mark of a reading from its measures.

    Attributes
    ----------
    trees
        Over the measures, NaN where one is missing.
    usual, spread, weights
        float64 `[M]`, of the line: what stands for a missing measure and is taken off, what a
        measure is divided by, and what it counts.
    offset
        The mark of a reading with the usual measures.
    """

    trees: Trees
    usual: FloatArray
    spread: FloatArray
    weights: FloatArray
    offset: float

    def __call__(self, measures: FloatArray) -> FloatArray:
        """Marks 0–10 of S readings, `[S]`, from measures `[S, M]`."""
        filled = np.where(np.isnan(measures), self.usual, measures)
        line = self.offset + ((filled - self.usual) / self.spread) @ self.weights
        return np.clip((self.trees(measures) + line) / 2, 0.0, HIGHEST)


@dataclass(frozen=True)
class Marks:
    """What experts would give a reading and its words, 0–100; None where it cannot be told."""

    accuracy: float
    fluency: float
    prosody: float
    total: float
    completeness: float
    words: tuple[float | None, ...]
    stress: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class MarkModel:
    """The fitted models, by `WORD_MARKS` and `SENTENCE_MARKS`, and the names of the M measures."""

    words: Mapping[str, Trees]
    sentences: Mapping[str, SentenceModel]
    measures: tuple[str, ...]

    def marks(
        self,
        expected: FloatArray,
        word_of: NDArray[np.int64],
        words: Sequence[WordAssessment],
        *,
        fluency: Fluency | None,
        prosody: Prosody | None,
        reading: Reading | None,
        duration_s: float,
    ) -> Marks:
        """The marks of one reading.

        Parameters
        ----------
        expected, word_of
            float64 `[N]`, what experts would give each phone, NaN where that cannot be told, and
            int64 `[N]`, its word.
        words
            The W words, with their stress.
        fluency, prosody, reading, duration_s
            How it flows, and how its text was read.
        """
        flow = flow_measures(fluency, prosody, reading, duration_s)
        omitted = np.array([word.omitted for word in words], dtype=bool)
        said = np.where(omitted[word_of], np.nan, expected)
        whole = measure_table([flow | phone_measures(expected, word_of)], self.measures)
        spoken = measure_table(
            [flow | phone_measures(said, word_of) | {"read_omitted": 0.0}], self.measures
        )
        marks = {  # how well words were said has nothing to do with those that were not
            name: 10 * float(model(spoken if name == "accuracy" else whole)[0])
            for name, model in self.sentences.items()
        }
        by_word = word_measures(said, word_of, [WordFacts.of(word) for word in words])
        total = self.words["total"](by_word)
        stress = self.words["stress"](by_word)
        return Marks(
            accuracy=marks["accuracy"],
            fluency=marks["fluency"],
            prosody=marks["prosodic"],
            total=marks["total"],
            completeness=100 * completeness(expected, word_of, len(words)),
            words=tuple(
                None if np.isnan(mean) else 10 * float(np.clip(mark, 0.0, HIGHEST))
                for mark, mean in zip(total, by_word[:, 0], strict=True)
            ),
            stress=tuple(
                None
                if word.stress is None
                else 100 * float(np.clip((mark - STRESS_WRONG) / (HIGHEST - STRESS_WRONG), 0, 1))
                for mark, word in zip(stress, words, strict=True)
            ),
        )


def measure_table(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> FloatArray:
    """Measures of S readings as a table `[S, M]`, NaN where one has not got one."""
    return np.array([[row.get(name, np.nan) for name in names] for row in rows], dtype=np.float64)


def completeness(expected: FloatArray, word_of: NDArray[np.int64], words: int) -> float:
    """Share of the words that were said, 0–1: each as far as it can be recognised.

    Words of which no phone could be judged count as said.
    """
    low, high = RECOGNISABLE
    said = np.ones(words)
    for word in np.unique(word_of):
        own = expected[word_of == word]
        own = own[~np.isnan(own)]
        if len(own):
            said[word] = np.clip((own.mean() - low) / (high - low), 0.0, 1.0)
    return float(said.mean()) if words else 1.0
