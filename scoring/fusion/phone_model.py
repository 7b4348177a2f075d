"""What experts would give every phone of a recording, 0–2: boosted trees, and a recurrent network.

The first pass of trees judges a phone by its own evidence and by that of its surroundings, as
columns of `scoring.fusion.features`. The second one sees what the first has made of the phones
beside it, of its word and of the recording: experts hear a phone in its context, too. Both are
monotone in every column of `COLUMNS` that speaks for the phone, and the second in what the first
found. The network (`scoring.fusion.recurrent`) reads the same columns of the whole recording. They
err in different places: their mean is nearer to experts than either. `training.judge` fits them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.scoring.fusion.features import CONTEXT_COLUMNS, LOW_SHARE, FeatureTable
from nativeear.scoring.fusion.recurrent import RecurrentNetwork
from nativeear.scoring.fusion.trees import Trees

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BEST = 2.0
"""What experts give for a phone without fault."""

COLUMNS = (
    "log_posterior",
    "log_posterior_quantile",
    "sf_s",
    "sf_sd",
    "gop_margin",
    "deletion",
    "rival",
    "rival_distance",
    "occupied_frames",
    "frame_log_posterior",
    "frame_margin",
    "margin",
    "margin_quantile",
    "posterior",
    "canonical_share",
    "own_similarity",
    "duration",
    "duration_here",
    "gap_s",
    "in_word",
    "to_word_end",
    "vowel",
    "phones",
    *CONTEXT_COLUMNS,
)
"""Columns of evidence that are weighed, in this order, beside those by phone (`RATIO` of
`scoring.fusion.features`); behind them comes what experts give the phone on average."""

AROUND = ("before", "after", "others", "low", "word_others", "word_least_other", "least_word")
"""Columns of the second pass, see `around`; before them comes what the first pass found."""

RISING_AROUND = frozenset(("low", "least_word"))
"""Those that rise with what was found of the phone itself: no grade may fall with them."""


@dataclass(frozen=True, eq=False)
class Opinions:
    """What each part of the model expects of N phones, 0–2, `[N]` each.

    Attributes
    ----------
    first, second
        The two passes of trees.
    network
        The recurrent network.
    """

    first: FloatArray
    second: FloatArray
    network: FloatArray

    @property
    def mean(self) -> FloatArray:
        """What is expected: trees and network weigh the same."""
        return (self.second + self.network) / 2


@dataclass(frozen=True, eq=False)
class PhoneModel:
    """What was fitted.

    Attributes
    ----------
    first, second
        The two passes of trees.
    network
        Reads what the first pass reads, but for the averages.
    averages
        What experts give each phone on average; the mean over all stands for others.
    columns
        Of evidence that is weighed, in this order: `COLUMNS`, and by phone what may have been said
        instead.
    """

    first: Trees
    second: Trees
    network: RecurrentNetwork
    averages: Mapping[str, float]
    columns: tuple[str, ...]

    def expected(
        self, features: FeatureTable, phones: Sequence[str], words: IntArray
    ) -> FloatArray:
        """Expert score 0–2 that each phone of one recording is expected to get, `[N]`.

        Parameters
        ----------
        features
            Evidence on N phones.
        phones, words
            Which they are, and the word `[N]` that each belongs to.
        """
        if not phones:
            return np.zeros(0)
        return self.opinions(features, phones, words).mean

    def opinions(self, features: FeatureTable, phones: Sequence[str], words: IntArray) -> Opinions:
        """The same by part, for at least one phone."""
        table = phone_table(features, phones, self.averages, self.columns)
        first = np.clip(self.first(table), 0.0, BEST)
        second = self.second(np.column_stack([table, first, around(first, words)]))
        network = self.network(table[:, :-1], phones)  # all but the averages
        return Opinions(first, np.clip(second, 0.0, BEST), np.clip(network, 0.0, BEST))


def phone_table(
    features: FeatureTable,
    phones: Sequence[str],
    averages: Mapping[str, float],
    columns: Sequence[str],
) -> FloatArray:
    """What the first pass weighs, `[N, len(columns) + 1]`."""
    other = float(np.mean(list(averages.values())))
    usual = np.array([averages.get(phone, other) for phone in phones])
    return np.column_stack([features.columns(columns), usual])


def around(found: FloatArray, words: IntArray) -> FloatArray:
    """What was found of the phones around each of N in one recording, `[N, len(AROUND)]`.

    The phone before and the one after; the mean of all others and the quantile of the weak ones;
    the mean and the least of the others of its word; the mean of the weakest word.
    """
    n = len(found)
    columns = np.full((n, len(AROUND)), np.nan)
    if not n:
        return columns
    columns[1:, 0], columns[:-1, 1] = found[:-1], found[1:]
    columns[:, 2] = (found.sum() - found) / max(n - 1, 1)
    columns[:, 3] = np.quantile(found, LOW_SHARE)
    means = []
    for word in np.unique(words):
        own = np.flatnonzero(words == word)
        values = found[own]
        means.append(values.mean())
        if len(own) > 1:
            least, second = np.sort(values)[:2]
            columns[own, 4] = (values.sum() - values) / (len(own) - 1)
            columns[own, 5] = np.where(values == least, second, least)
    columns[:, 6] = min(means)
    return columns
