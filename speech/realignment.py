"""Where an alignment and the encoder's phone head disagree, the head's own path is taken.

In noise an aligner with an acoustic model of its own may let a word's faint end fall into the
silence behind it, and squeeze the phones before. The encoder, which has heard noise, is seldom
moved by it. Where both agree, the aligner's boundaries stay: they are the finer ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment

REACH_S = 0.03
"""A phone is displaced whose middle, by the head, lies farther than this outside its span. Of six
choices, this moves rhythm the least when noise comes to native prompts of the shipped index."""

AGREEMENT_S = 0.04
"""Two alignments agree on a phone whose edges differ by less: two frames of the shipped encoder."""

Spans = NDArray[np.float64]


def corroborated(alignment: Alignment, read: Alignment, heard_s: Spans) -> Alignment:
    """An alignment, relaid as it was read where the encoder's phone head hears phones elsewhere.

    Parameters
    ----------
    alignment
        Of the recording.
    read
        The same phones as they lie on the path of the reading.
    heard_s
        float64 `[N, 2]`, where the head expects each phone, in seconds; NaN where it cannot tell.
    """
    return realigned(alignment, read, displaced(alignment.spoken, heard_s))


def displaced(phones: Sequence[AlignedPhone], heard_s: Spans) -> NDArray[np.bool_]:
    """Which of N aligned phones the head hears elsewhere, bool `[N]`.

    Parameters
    ----------
    phones
        Without silences.
    heard_s
        float64 `[N, 2]`, where the head expects each, in seconds; NaN where it cannot tell.
    """
    spans_s = _spans_s(phones)
    middles = heard_s.mean(axis=1)
    with np.errstate(invalid="ignore"):
        outside = (middles < spans_s[:, 0] - REACH_S) | (middles > spans_s[:, 1] + REACH_S)
    return np.asarray(outside, dtype=bool)


def realigned(alignment: Alignment, other: Alignment, wrong: NDArray[np.bool_]) -> Alignment:
    """An alignment with the other's spans around what is wrong, as far as the two disagree.

    Parameters
    ----------
    alignment
        The one that is kept elsewhere.
    other
        Of the same phones; without them, `alignment` stays as it is.
    wrong
        bool `[N]`, over the phones without silences.
    """
    phones = alignment.spoken
    if [p.phone for p in phones] != [p.phone for p in other.spoken] or not wrong.any():
        return alignment
    spans_s, others_s = _spans_s(phones), _spans_s(other.spoken)
    agree = (np.abs(spans_s - others_s) < AGREEMENT_S).all(axis=1) & ~wrong
    # A stretch on which they disagree is taken as a whole, if something in it is wrong.
    stretch = np.cumsum(np.diff(~agree, prepend=False))
    taken = ~agree & np.isin(stretch, stretch[wrong])
    spans_s = np.where(taken[:, None], others_s, spans_s)
    # Where one alignment follows the other, they meet halfway.
    starts, ends = spans_s[1:, 0], spans_s[:-1, 1]
    meet = (starts < ends) | ((taken[1:] != taken[:-1]) & (starts - ends < AGREEMENT_S))
    halfway = (starts + ends) / 2
    spans_s[1:, 0], spans_s[:-1, 1] = np.where(meet, [halfway, halfway], [starts, ends])
    if (spans_s[:, 1] <= spans_s[:, 0]).any():
        return alignment
    return replace(alignment, phones=_with_silences(phones, spans_s, alignment.phones[-1].end_s))


def _with_silences(
    phones: Sequence[AlignedPhone], spans_s: Spans, duration_s: float
) -> tuple[AlignedPhone, ...]:
    """Phones at their new spans, and a silence wherever nothing is said."""
    placed: list[AlignedPhone] = []
    at_s = 0.0
    for phone, (start_s, end_s) in zip(phones, spans_s.tolist(), strict=True):
        if start_s > at_s:
            placed.append(AlignedPhone(SILENCE, at_s, start_s, -1))
        placed.append(replace(phone, start_s=start_s, end_s=end_s))
        at_s = end_s
    if duration_s > at_s:
        placed.append(AlignedPhone(SILENCE, at_s, duration_s, -1))
    return tuple(placed)


def _spans_s(phones: Sequence[AlignedPhone]) -> Spans:
    return np.array([(p.start_s, p.end_s) for p in phones], dtype=np.float64).reshape(-1, 2)
