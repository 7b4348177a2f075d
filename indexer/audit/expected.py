"""How often natives whom the index has never heard will be misheard, phone by phone.

Read from what the index keeps of its own natives, each of whom was asked while the speaker or the
utterance was left out, and the transform fitted without it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.native_margins import NativeMargins
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.unheard import native_sums
from nativeear.speech.alignment import SILENCE

FALSE_REJECTIONS = 0.04
"""Share of native phones that may be flagged, as assessments have it."""

PRIOR = 10
"""How many natives the mean of all phones counts for, beside those of the phone itself."""


@dataclass(frozen=True)
class Expectation:
    """What is to be expected of one phone, of natives who were never heard.

    Both shares are drawn towards the mean of all phones, as if `PRIOR` natives more had been asked.
    """

    asked: int  # natives that this rests on
    error: float  # share that is nearer to another phone
    # Share that is flagged where the index's natives are the measure, at the share that may be
    # flagged of all.
    false_rejections: float


@dataclass(frozen=True)
class Expectations:
    """What is to be expected of all phones."""

    error: float  # mean over the phones, each weighed by its exemplars
    phones: dict[str, Expectation]  # by phone; of phones without exemplars nothing is said


def expectations(index: PhoneIndex) -> Expectations:
    """What is to be expected of every phone of an index."""
    margins = index.native_margins.astype(np.float64)
    flagged = log_quantiles(index) < math.log(FALSE_REJECTIONS)
    counts = {}
    for phone in index.classes:
        if phone == SILENCE:
            continue
        rows = index.rows_of(phone)
        with_margin = ~np.isnan(margins[rows])
        counts[phone] = (
            int(with_margin.sum()),
            int((margins[rows][with_margin] <= 0).sum()),
            int(flagged[rows][with_margin].sum()),
            rows.stop - rows.start,
        )
    error, rejected = (_mean_of(counts, which) for which in (1, 2))
    return Expectations(
        error=round(error, 4),
        phones={
            phone: Expectation(
                asked=asked,
                error=round((wrong + PRIOR * error) / (asked + PRIOR), 4),
                false_rejections=round((flags + PRIOR * rejected) / (asked + PRIOR), 4),
            )
            for phone, (asked, wrong, flags, _) in counts.items()
        },
    )


def log_quantiles(index: PhoneIndex) -> NDArray[np.float64]:
    """ln quantile of every native among the index's natives, silences last and NaN.

    By the sums that the training-free calibration judges by.
    """
    both, alone = native_sums(index)
    found = np.full(len(index.native_margins), np.nan)
    found[: len(both)] = np.where(
        np.isnan(both),
        NativeMargins.of_all(alone).log_quantile(alone),
        NativeMargins.fit(both).log_quantile(both),
    )
    return found


def _mean_of(counts: dict[str, tuple[int, int, int, int]], which: int) -> float:
    """Share over all phones, each weighed by its exemplars."""
    asked = [figures for figures in counts.values() if figures[0]]
    total = sum(figures[3] for figures in asked)
    weighed = sum(figures[3] * figures[which] / figures[0] for figures in asked)
    return weighed / total if total else 1.0
