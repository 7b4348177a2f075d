"""How voices that an index has never heard should fare: its own, each asked while it was left out.

A voice unlike those of the index is misheard and flagged more than they are together. What each of
the index's voices was, while all of it was left out, is what to expect of others.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.audit.coverage import AuditModel
from nativeear.indexer.audit.expected import FALSE_REJECTIONS, log_quantiles
from nativeear.indexes.native_margins import MIN_SPEAKERS
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.unheard import unheard_reference
from nativeear.indexes.utterances import sexes_of

LEAST_ASKED = 20
"""Phones of a voice that were asked, from which on its shares are told."""


class VoiceAudit(AuditModel):
    """What an index holds of a speaker, and how the speaker would fare without that."""

    corpus: str
    speaker: str
    sex: str | None
    exemplars: int
    minutes: float
    asked: int  # phones that were asked while the whole speaker was left out
    # Shares of these that are nearer to another phone, and that should be flagged.
    error: float
    false_rejections: float


class SexAudit(AuditModel):
    """The same for all speakers of one sex, every speaker weighed alike."""

    sex: str
    speakers: int
    error: float
    false_rejections: float


class VoicesAudit(AuditModel):
    """The speakers of an index as voices that it does not know."""

    # The most flagged first; empty where utterances were left out, and not speakers.
    voices: tuple[VoiceAudit, ...]
    by_sex: tuple[SexAudit, ...]  # those that corpora state
    # Between which shares of their phones eight new native voices in ten should have flagged, where
    # `FALSE_REJECTIONS` of all may be.
    expected: tuple[float, float]
    # Share of the exemplars that the three speakers with the most have together.
    three_largest: float


def voices(index: PhoneIndex) -> VoicesAudit:
    """What is to be expected of voices, by those of an index."""
    spoken = slice(0, index.manifest.counts.spoken)
    corpus, corpora = index.codes("corpus")
    speaker, speakers = index.codes("speaker")
    pair, place = np.unique(corpus[spoken] * len(speakers) + speaker[spoken], return_inverse=True)
    held = np.bincount(place)
    largest = float(np.sort(held)[-3:].sum() / max(1, held.sum()))
    expected = _expected(index)
    if len(pair) < MIN_SPEAKERS:
        return VoicesAudit(voices=(), by_sex=(), expected=expected, three_largest=round(largest, 4))
    margin = index.native_margins[spoken].astype(np.float64)
    asked = ~np.isnan(margin)
    flagged = log_quantiles(index)[spoken] < math.log(FALSE_REJECTIONS)
    seconds = np.bincount(place, index.durations_s[spoken])
    count = np.bincount(place[asked], minlength=len(pair))
    wrong = np.bincount(place[asked & (margin <= 0)], minlength=len(pair))
    flags = np.bincount(place[asked & flagged], minlength=len(pair))
    sex = _sexes(index, spoken, place, len(pair))
    found = [
        VoiceAudit(
            corpus=corpora[number // len(speakers)],
            speaker=speakers[number % len(speakers)],
            sex=sex[i],
            exemplars=int(held[i]),
            minutes=round(float(seconds[i]) / 60, 3),
            asked=int(count[i]),
            error=round(float(wrong[i] / count[i]), 4),
            false_rejections=round(float(flags[i] / count[i]), 4),
        )
        for i, number in enumerate(pair.tolist())
        if count[i] >= LEAST_ASKED
    ]
    return VoicesAudit(
        voices=tuple(sorted(found, key=lambda v: (-v.false_rejections, v.corpus, v.speaker))),
        by_sex=_by_sex(found),
        expected=expected,
        three_largest=round(largest, 4),
    )


def _expected(index: PhoneIndex) -> tuple[float, float]:
    natives = unheard_reference(index)
    judging = natives.with_head if len(natives.with_head) else natives.alone
    low, high = judging.expected(FALSE_REJECTIONS)
    return round(low, 4), round(high, 4)


def _sexes(
    index: PhoneIndex, spoken: slice, place: NDArray[np.int64], number: int
) -> list[str | None]:
    """Sex of each voice, where a corpus states it."""
    known = sexes_of(index)
    own, names = index.utterances
    first = np.full(number, -1, dtype=np.int64)
    first[place[::-1]] = own[spoken][::-1]
    return [known.get(names[utterance]) for utterance in first.tolist()]


def _by_sex(found: list[VoiceAudit]) -> tuple[SexAudit, ...]:
    parts = []
    for sex in ("f", "m"):
        own = [voice for voice in found if voice.sex == sex]
        if own:
            parts.append(
                SexAudit(
                    sex=sex,
                    speakers=len(own),
                    error=round(sum(v.error for v in own) / len(own), 4),
                    false_rejections=round(sum(v.false_rejections for v in own) / len(own), 4),
                )
            )
    return tuple(parts)
