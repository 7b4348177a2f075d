"""The `training-free` calibration: natives, and nothing else, are the measure.

Two logarithms of probability are added: how surely the encoder's phone head hears the canonical
phone where it is expected, and how far retrieval prefers it to its best competitor. Half the mean
over the recording is added to that, and the sum is placed among those of natives whom neither the
encoder nor the index has heard (`indexes.unheard`). Where the encoder has no phone head, retrieval
judges alone: by the log posteriors of a phone and of its frames, in company too, where the index
was asked for them of natives of many voices, else by margins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.native_margins import evidence_sums, retrieval_sums
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.unheard import UnheardNatives, UnheardReference, unheard_reference
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.grading import DELETED, FALSE_REJECTIONS, FLAGGED_SCORE, UNCERTAIN, Grade
from nativeear.scoring.verdicts import Verdict

GOOD_QUANTILE = 0.25
"""Native quantile of the sum that scores 100: three natives in four are as good as can be told."""

FALL = 1.5
"""Below the score of `FLAGGED_SCORE` the scale is as many times longer: learners fall further
short of natives than natives differ. Of 1, 1.5, 2, 3 and 4, and with 0.2, 0.25, 0.35, 0.5 and 0.9
for `GOOD_QUANTILE`, one of the best on learners of folds 0 and 1."""

FALL_OF_LOGS = 4.0
"""The same where retrieval's log posteriors judge alone: they fall further than margins, which end
at the similarity of the best. Of 1.5, 2, 3, 4 and 5, one of the two best on learners of folds 0 and
1, heard by Whisper base as it is."""


@dataclass(frozen=True)
class Scale:
    """From sums to scores: 100 where a quarter of natives is worse, 50 where those flagged are."""

    good: float
    fair: float
    fall: float = FALL

    @classmethod
    def of(cls, natives: UnheardNatives, false_rejections: float, fall: float = FALL) -> Scale:
        """The scale on which this share of natives lies below 50."""
        good = natives.at(max(GOOD_QUANTILE, 1.5 * false_rejections))
        return cls(good, natives.at(false_rejections), fall)

    @property
    def poor(self) -> float:
        """The sum that scores nothing."""
        return self.fair - self.fall * (self.good - self.fair)

    def scores(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores 0–100, rising with the sum."""
        scores: NDArray[np.float64] = np.interp(
            sums, [self.poor, self.fair, self.good], [0.0, FLAGGED_SCORE, 100.0]
        )
        return scores


@dataclass(frozen=True, eq=False)
class Judged:
    """What is made of N phones; NaN where there is no margin.

    Attributes
    ----------
    scores
        0–100, float64 `[N]`.
    log_shares
        ln of the share of unheard natives whose sum is no larger, float64 `[N]`.
    probabilities
        Of a mispronunciation, float64 `[N]`; None where they are not calibrated.
    """

    scores: NDArray[np.float64]
    log_shares: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None


class TrainingFree:
    """Grades against natives. Safe to share between threads.

    Parameters
    ----------
    index
        The index.
    false_rejections
        Share of phones of natives who were not heard that may be flagged.
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
        self._false_rejections = false_rejections

    @cached_property
    def _natives(self) -> UnheardReference:
        return unheard_reference(self._index)

    @cached_property
    def _scales(self) -> tuple[Scale, Scale]:
        natives, share = self._natives, self._false_rejections
        fall = FALL if natives.spreads is None else FALL_OF_LOGS
        return Scale.of(natives.with_head, share), Scale.of(natives.alone, share, fall)

    @property
    def expected_rejections(self) -> tuple[float, float]:
        """Between which shares of phones eight natives in ten have flagged."""
        natives = self._natives
        judging = natives.with_head if len(natives.with_head) else natives.alone
        return judging.expected(self._false_rejections)

    @property
    def deleted(self) -> Grade:
        """What a phone gets that was not said; no probability where none is calibrated."""
        known = len(self._natives.sums) > 0
        return DELETED if known else replace(DELETED, probability_mispronounced=None)

    def judge(self, features: FeatureTable) -> Judged:
        """Judge the N phones of one recording.

        A phone that the head cannot tell is judged by retrieval alone.
        """
        margins = features.column("margin")
        recording = np.zeros(len(margins), dtype=np.int64)
        natives = self._natives
        both, alone = evidence_sums(
            margins,
            features.column("log_posterior"),
            recording,
            many_voices=natives.many_voices,
        )
        if natives.spreads is not None:
            alone = retrieval_sums(
                features.column("posterior"),
                features.column("frame_log_posterior"),
                recording,
                natives.spreads,
            )
        with_head = ~np.isnan(both) & (len(natives.with_head) > 0)
        of_both, of_alone = self._scales
        return Judged(
            np.where(with_head, of_both.scores(both), of_alone.scores(alone)),
            np.where(with_head, natives.with_head.log_share(both), natives.alone.log_share(alone)),
            natives.probability(both),
        )

    def grades(self, evidence: RecordingEvidence) -> tuple[Grade, ...]:
        """Grade every canonical phone, in order; not those of which there are few exemplars."""
        if not evidence.phones:
            return ()
        unjudged = np.isnan(evidence.features.column("margin_quantile"))
        found = self.judge(evidence.features)
        flagged = found.log_shares < np.log(self._false_rejections)
        deleted = self.deleted
        grades = []
        for i, retrieved in enumerate(evidence.retrieval):
            if unjudged[i]:
                grades.append(UNCERTAIN)
            elif evidence.deleted[i] and flagged[i]:  # natives drop sounds, too
                grades.append(deleted)
            else:
                verdict: Verdict = "correct"
                if flagged[i]:
                    verdict = "substituted" if retrieved.margin < 0 else "accented"
                probability = None if found.probabilities is None else float(found.probabilities[i])
                grades.append(Grade.of(float(found.scores[i]), probability, verdict))
        return tuple(grades)
