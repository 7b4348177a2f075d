"""The `training-free` calibration: natives of the index, and nothing else, are the measure.

The evidence of retrieval and of the encoder's phone head are each taken as ln of their native
quantile: how few natives say this phone with no more of it. Their sum, Fisher's way of joining
tests, is compared with the same sum of the natives, and its native quantile is the grade. Where
the encoder has no phone head, retrieval judges alone.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexes.natives import NativeMargins
from indexes.phone_index import PhoneIndex
from retriever.evidence import PhoneEvidence
from scoring.assessment import Verdict
from scoring.fusion.natives import MIN_COVERAGE, NativeReference
from scoring.grading import DELETED, FALSE_REJECTIONS, UNCERTAIN, Grade, score_of
from scoring.hearing import Hearing


class TrainingFree:
    """Grades against the natives of one index. Safe to share between threads.

    Parameters
    ----------
    index
        The index.
    natives
        How its natives say each phone.
    false_rejections
        Share of native phones that may be flagged.
    """

    name = "training-free"

    def __init__(
        self,
        index: PhoneIndex,
        natives: NativeReference,
        *,
        false_rejections: float = FALSE_REJECTIONS,
    ) -> None:
        self._index = index
        self._natives = natives
        self._flagged_below = math.log(false_rejections)

    @cached_property
    def _sums(self) -> dict[str, NativeMargins]:
        """Distribution of the natives' own sums, by phone."""
        found = {}
        for phone, margins in self._natives.margins.items():
            own = self._index.rows_of(phone)
            heard = self._natives.log_posteriors[phone]
            sums = margins.log_quantile(self._index.native_margins[own]) + heard.log_quantile(
                self._index.native_log_posteriors[own]
            )
            found[phone] = NativeMargins.fit(sums)
        return found

    def log_quantiles(self, hearing: Hearing) -> NDArray[np.float64]:
        """ln native quantile of the evidence on every phone, `[N]`; NaN where there is too little.

        A phone that the head cannot tell, or whose natives it was not asked about, is judged by
        retrieval alone.
        """
        if not hearing.phones:
            return np.zeros(0)
        by_margin = hearing.features.column("margin_quantile")
        both = by_margin + hearing.features.column("log_posterior_quantile")
        found: NDArray[np.float64] = by_margin.copy()
        for i, phone in enumerate(hearing.phones):
            natives = self._sums.get(phone.phone)
            if natives is not None and len(natives) >= MIN_COVERAGE and not np.isnan(both[i]):
                found[i] = natives.log_quantile(both[i])
        return found

    def grades(self, hearing: Hearing) -> tuple[Grade, ...]:
        """Grade every canonical phone, in order."""
        return tuple(
            self._grade(item, float(log_quantile), bool(deleted))
            for item, log_quantile, deleted in zip(
                hearing.evidence, self.log_quantiles(hearing), hearing.deleted, strict=True
            )
        )

    def _grade(self, evidence: PhoneEvidence, log_quantile: float, deleted: bool) -> Grade:
        if math.isnan(log_quantile):
            return UNCERTAIN
        if deleted:
            return DELETED
        decision = self._index.manifest.decision
        logit = decision.error_slope * log_quantile + decision.error_intercept
        verdict: Verdict = "correct"
        if log_quantile < self._flagged_below:
            verdict = "substituted" if evidence.margin < 0 else "accented"
        return Grade(
            score=score_of(log_quantile),
            probability_mispronounced=1 / (1 + math.exp(-logit)),
            verdict=verdict,
        )
