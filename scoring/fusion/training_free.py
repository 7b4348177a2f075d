"""The `training-free` calibration: natives of the index, and nothing else, are the measure.

Two logarithms of probability are added: how surely the encoder's phone head hears the canonical
phone where it is expected, and how far retrieval prefers it to its best competitor. The sum is
placed among the same sums of the index's natives, each of which retrieval judged without its own
speaker or utterance. Where the encoder has no phone head, retrieval judges alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.native_margins import (
    MARGIN_WEIGHT,
    NativeMargins,
    evidence_sums,
    native_sums,
)
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.grading import DELETED, FALSE_REJECTIONS, FLAGGED_SCORE, UNCERTAIN, Grade
from nativeear.scoring.verdicts import Verdict
from nativeear.speech.alignment import SILENCE

GOOD_QUANTILE = 0.9
"""Native quantile of the sum that scores 100."""

FALL = 1.5
"""Below the score of `FLAGGED_SCORE` the scale is as many times longer: learners fall further
short of natives than natives differ. Chosen on fold 0 among 1, 1.5 and 2."""


@dataclass(frozen=True)
class Scale:
    """From sums to scores: 100 where one native in ten is better, 50 where 4 % are worse."""

    good: float
    fair: float

    @property
    def poor(self) -> float:
        """The sum that scores nothing."""
        return self.fair - FALL * (self.good - self.fair)

    def scores(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores 0–100, rising with the sum."""
        scores: NDArray[np.float64] = np.interp(
            sums, [self.poor, self.fair, self.good], [0.0, FLAGGED_SCORE, 100.0]
        )
        return scores


class TrainingFree:
    """Grades against the natives of one index. Safe to share between threads.

    Parameters
    ----------
    index
        The index.
    false_rejections
        Share of the index's own native phones that may be flagged.
    """

    name = "training-free"
    marks = None

    def __init__(
        self,
        index: PhoneIndex,
        *,
        false_rejections: float = FALSE_REJECTIONS,
    ) -> None:
        self._index = index
        self._flagged_below = math.log(false_rejections)

    @cached_property
    def _native_sums(self) -> tuple[NativeMargins, NativeMargins]:
        """The natives' own sums with the phone head, and their margins alone."""
        spoken = (
            self._index.bounds[self._index.classes.index(SILENCE)]
            if (SILENCE in self._index.classes)
            else self._index.bounds[-1]
        )
        margins = self._index.native_margins[:spoken].astype(np.float64)
        log_posteriors = self._index.native_log_posteriors[:spoken].astype(np.float64)
        return native_sums(margins, log_posteriors)

    @cached_property
    def _scales(self) -> tuple[Scale, Scale]:
        both, alone = (
            Scale(*np.quantile(natives.ordered, [GOOD_QUANTILE, FALSE_REJECTIONS]).tolist())
            if len(natives)
            else Scale(math.nan, math.nan)
            for natives in self._native_sums
        )
        return both, alone

    def judge(self, features: FeatureTable) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores 0–100 and ln native quantiles of N phones, `[N]` each; NaN without a margin.

        A phone that the head cannot tell is judged by retrieval alone.
        """
        margins = features.column("margin")
        both = evidence_sums(margins, features.column("log_posterior"))
        with_head = ~np.isnan(both) & (len(self._native_sums[0]) > 0)
        sums = np.where(with_head, both, MARGIN_WEIGHT * margins)
        scores = np.where(with_head, *(scale.scores(sums) for scale in self._scales))
        quantiles = np.where(
            with_head, *(natives.log_quantile(sums) for natives in self._native_sums)
        )
        return scores, quantiles

    def grades(self, evidence: RecordingEvidence) -> tuple[Grade, ...]:
        """Grade every canonical phone, in order; not those of which there are few exemplars."""
        if not evidence.phones:
            return ()
        judged = ~np.isnan(evidence.features.column("margin_quantile"))
        scores, quantiles = self.judge(evidence.features)
        grades = []
        for i, retrieved in enumerate(evidence.retrieval):
            if not judged[i]:
                grades.append(UNCERTAIN)
            elif evidence.deleted[i]:
                grades.append(DELETED)
            else:
                verdict: Verdict = "correct"
                if quantiles[i] < self._flagged_below:
                    verdict = "substituted" if retrieved.margin < 0 else "accented"
                probability = self._probability(float(quantiles[i]))
                grades.append(Grade.of(float(scores[i]), probability, verdict))
        return tuple(grades)

    def _probability(self, log_quantile: float) -> float:
        """Of a mispronunciation; see `indexes.manifest.Decision`."""
        decision = self._index.manifest.decision
        logit = decision.error_slope * log_quantile + decision.error_intercept
        return 1 / (1 + math.exp(-logit))
