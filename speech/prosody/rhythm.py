"""Rhythm from vocalic and consonantal intervals (Ramus et al. 1999; Grabe and Low 2002)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.inventory import PhoneInventory

MIN_INTERVALS = 5
"""Fewer vocalic, or consonantal, intervals are too few to call a rhythm."""


@dataclass(frozen=True)
class Rhythm:
    """Rhythm measures; None where there are too few intervals.

    Attributes
    ----------
    npvi_v
        100 times the mean difference of successive vocalic intervals over their mean.
    rpvi_c
        Mean difference of successive consonantal intervals, in milliseconds.
    percent_v
        Share of the intervals' time that is vocalic, in per cent.
    varco_v, varco_c
        100 times standard deviation over mean, of vocalic and of consonantal intervals.
    delta_c
        Standard deviation of the consonantal intervals, in milliseconds.
    """

    npvi_v: float | None = None
    rpvi_c: float | None = None
    percent_v: float | None = None
    varco_v: float | None = None
    varco_c: float | None = None
    delta_c: float | None = None


def measure_rhythm(
    phones: Sequence[AlignedPhone], inventory: PhoneInventory, breaks: Sequence[float] = ()
) -> Rhythm:
    """Measure the rhythm of phones and silences in order.

    Neighbouring vowels, and neighbouring consonants, are one interval, across words; a silence
    ends it, and no pair is formed across one; nor across `breaks`, times of pauses that the
    alignment may not know of.
    """
    stretches = _intervals(phones, inventory, breaks)
    vowels = [d for stretch in stretches for is_vowel, d in stretch if is_vowel]
    consonants = [d for stretch in stretches for is_vowel, d in stretch if not is_vowel]
    if min(len(vowels), len(consonants)) < MIN_INTERVALS:
        return Rhythm()
    relative = [2 * abs(a - b) / (a + b) for a, b in _pairs(stretches, True)]
    absolute = [abs(a - b) for a, b in _pairs(stretches, False)]
    return Rhythm(
        npvi_v=100 * float(np.mean(relative)) if relative else None,
        rpvi_c=1000 * float(np.mean(absolute)) if absolute else None,
        percent_v=100 * sum(vowels) / (sum(vowels) + sum(consonants)),
        varco_v=100 * float(np.std(vowels, ddof=1) / np.mean(vowels)),
        varco_c=100 * float(np.std(consonants, ddof=1) / np.mean(consonants)),
        delta_c=1000 * float(np.std(consonants, ddof=1)),
    )


Interval = tuple[bool, float]


def _intervals(
    phones: Sequence[AlignedPhone], inventory: PhoneInventory, breaks: Sequence[float]
) -> list[list[Interval]]:
    """Stretches between silences, each as intervals `(is_vowel, seconds)`."""
    stretches: list[list[Interval]] = [[]]
    for phone in phones:
        # A phone with a hesitation inside has a length that says nothing.
        if phone.is_silence or any(phone.start_s <= time < phone.end_s for time in breaks):
            stretches.append([])
            continue
        is_vowel = inventory.is_syllabic(phone.phone)
        stretch = stretches[-1]
        if stretch and stretch[-1][0] == is_vowel:
            stretch[-1] = (is_vowel, stretch[-1][1] + phone.duration_s)
        else:
            stretch.append((is_vowel, phone.duration_s))
    return [stretch for stretch in stretches if stretch]


def _pairs(stretches: Sequence[Sequence[Interval]], is_vowel: bool) -> list[tuple[float, float]]:
    pairs = []
    for stretch in stretches:
        own = [d for kind, d in stretch if kind == is_vowel and d > 0]
        pairs += list(pairwise(own))
    return pairs
