"""How far an index can be trusted with a phone: one figure, for audits and for assessments.

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

LEAST_TRUST = 0.5
"""Trust below which a phone is `uncertain`."""

USUAL_ACCURACY = (0.88, 0.96)
"""Shares of left-out natives that five indexes of some twenty minutes of one voice each, built with
the shipped encoder, hear right (docs/languages.md)."""

LEAST_ACCURACY = 0.75
"""Share below which nothing that an index says can be trusted. One with plain spectra for encoder
has 82 to 84 % (docs/corpora.md), one with untrained weights about 60 %."""

_Z = 1.2816
"""Standard normal quantile of a one-sided bound that holds nine times in ten."""


@dataclass(frozen=True)
class PhoneTrust:
    """What the natives of an index told about one of its phones.

    Attributes
    ----------
    exemplars
        How many the index has.
    asked, right
        Of how many the margin while they were left out is known, and how many were nearest to
        their own phone.
    """

    exemplars: int
    asked: int
    right: int

    def trust(self, coverage: int | None = None) -> float:
        """Lower bound of the share of natives that the index hears right, 0–1.

        It is Wilson's bound (1927), one-sided at 90 %, and 0 where the exemplars are fewer than
        `MIN_COVERAGE`.

        Parameters
        ----------
        coverage
            Exemplars that were allowed to answer; all of them if None.
        """
        answering = self.exemplars if coverage is None else coverage
        if min(answering, self.asked) < MIN_COVERAGE:
            return 0.0
        return lower_bound(self.right, self.asked)

    def judged(self, coverage: int | None = None) -> bool:
        """Whether an assessment gives the phone a grade instead of calling it uncertain."""
        return self.trust(coverage) >= LEAST_TRUST


UNHEARD = PhoneTrust(0, 0, 0)
"""A phone that an index does not hold."""


def usefulness(accuracy: float) -> str:
    """What the share of an index's left-out natives that are heard right says of it."""
    least, most = USUAL_ACCURACY
    told = f"the shipped encoder reaches {least:.0%} to {most:.0%} with twenty minutes of one voice"
    if accuracy < LEAST_ACCURACY:
        return (
            f"Nothing that it says can be trusted: {told}. Check that texts, recordings and "
            "alignment belong together, and that the encoder suits."
        )
    if accuracy < least:
        return f"That is less than usual: {told}."
    return f"That is as it should be: {told}."


def phone_trust(index: PhoneIndex) -> dict[str, PhoneTrust]:
    """What is known of every class of an index, silence included, by phone."""
    found = {}
    for phone in index.classes:
        margins = index.native_margins[index.rows_of(phone)]
        known = margins[~np.isnan(margins)]
        found[phone] = PhoneTrust(len(margins), len(known), int((known > 0).sum()))
    return found


def lower_bound(successes: float, trials: float, z: float = _Z) -> float:
    """Wilson's lower bound of a share, 0–1; 0 without trials."""
    if trials <= 0:
        return 0.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, (centre - spread) / (1 + z * z / trials))
