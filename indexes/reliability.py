"""How reliably an index hears a phone: one figure, for audits and for assessments.

A phone is judged where its index has enough exemplars of it, and where those, each asked about
while its speaker or utterance was left out, were nearer to their own phone than to any other more
often than not, for all that is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nativeear.indexes.phone_index import PhoneIndex

MIN_COVERAGE = 10
"""Exemplars of a phone below which it is `uncertain`."""

MIN_RELIABILITY = 0.5
"""Share that is surely heard right below which a phone is `uncertain`."""

_Z = 1.2816
"""Standard normal quantile of a one-sided bound that holds nine times in ten."""


@dataclass(frozen=True)
class PhoneReliability:
    """What the natives of an index told about one of its phones."""

    exemplars: int  # how many the index has
    # Of how many the margin while they were left out is known, and how many were nearest to their
    # own phone.
    asked: int
    right: int

    def lower_bound(self, coverage: int | None = None) -> float:
        """Lower bound of the share of natives that the index hears right, 0–1.

        It is Wilson's bound (1927), one-sided at 90 %, and 0 where the exemplars are fewer than
        `MIN_COVERAGE`.
        """
        answering = self.exemplars if coverage is None else coverage
        if min(answering, self.asked) < MIN_COVERAGE:
            return 0.0
        return wilson_lower_bound(self.right, self.asked)

    def judged(self, coverage: int | None = None) -> bool:
        """Whether an assessment gives the phone a grade instead of calling it uncertain."""
        return self.lower_bound(coverage) >= MIN_RELIABILITY


NO_EXEMPLARS = PhoneReliability(0, 0, 0)
"""A phone that an index does not hold."""


def phone_reliability(index: PhoneIndex) -> dict[str, PhoneReliability]:
    """What is known of every class of an index, silence included, by phone."""
    found = {}
    for phone in index.classes:
        margins = index.native_margins[index.rows_of(phone)]
        known = margins[~np.isnan(margins)]
        found[phone] = PhoneReliability(len(margins), len(known), int((known > 0).sum()))
    return found


def wilson_lower_bound(successes: float, trials: float, z: float = _Z) -> float:
    """Wilson's lower bound of a share, 0–1; 0 without trials."""
    if trials <= 0:
        return 0.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, (centre - spread) / (1 + z * z / trials))
