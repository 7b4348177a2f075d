"""The detector that most apps have: recognise phones, and call wrong what differs from the text.

The greedy decode of a phone head is laid on the canonical phones by the fewest changes. A phone
that comes out as it was meant is right; one that comes out as another, or not at all, is wrong.
There is nothing between: no doubt, no near miss, no probability. It is here to be measured beside
ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from nativeear.scoring.assessment import (
    Assessment,
    Insertion,
    PhoneAssessment,
    Scores,
    SoundsLike,
    WordAssessment,
)
from nativeear.speech.decoding import DecodedPhone
from nativeear.speech.inventory import PhoneInventory

NAME = "recogniser"

RIGHT, WRONG = 100.0, 0.0
"""Scores: the detector knows no others."""


def decoded_and_compared(
    result: Assessment, decoded: Sequence[DecodedPhone], inventory: PhoneInventory
) -> Assessment:
    """The result as this detector alone would give it, to be measured as ours is.

    Words, their places and canonical phones are those of `result`; a word's and the recording's
    pronunciation are the share of its phones that came out right.

    Parameters
    ----------
    result
        Our assessment of the same recording.
    decoded
        What the head heard, in the times of the result and in symbols of the inventory.
    """
    canonical = [phone.phone for phone in result.phones]
    places = alignment(canonical, [item.phone for item in decoded])
    judged = [
        _judged(phone, None if place is None else decoded[place], inventory)
        for phone, place in zip(result.phones, places, strict=True)
    ]
    rest = iter(judged)
    words = []
    for word in result.words:
        phones = tuple(next(rest) for _ in word.phones)
        words.append(word.model_copy(update={"phones": phones, "score": _share(phones)}))
    return result.model_copy(
        update={
            "score": Scores(pronunciation=_share(judged)),
            "words": tuple(words),
            "insertions": tuple(_insertions(decoded, set(places), words)),
            "calibration": NAME,
        }
    )


def alignment(canonical: Sequence[str], heard: Sequence[str]) -> list[int | None]:
    """For each canonical phone the position of what was heard in its place, None for nothing.

    The fewest substitutions, deletions and insertions (Levenshtein); of several such ways the one
    that replaces, from the end, rather than leaving out and adding.
    """
    n, m = len(canonical), len(heard)
    cost = [[i + j for j in range(m + 1)] for i in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost[i][j] = min(
                cost[i - 1][j - 1] + (canonical[i - 1] != heard[j - 1]),
                cost[i - 1][j] + 1,
                cost[i][j - 1] + 1,
            )
    places: list[int | None] = [None] * n
    i, j = n, m
    while i and j:
        if cost[i][j] == cost[i - 1][j - 1] + (canonical[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            places[i] = j
        elif cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return places


def _judged(
    phone: PhoneAssessment, heard: DecodedPhone | None, inventory: PhoneInventory
) -> PhoneAssessment:
    right = heard is not None and heard.phone == phone.phone
    named = () if heard is None else (heard.phone,)
    return phone.model_copy(
        update={
            "score": RIGHT if right else WRONG,
            "verdict": "correct" if right else "deleted" if heard is None else "substituted",
            "probability_mispronounced": None,
            "sounds_like": tuple(
                SoundsLike(phone=each, ipa=inventory.ipa(each), probability=1.0) for each in named
            ),
        }
    )


def _share(phones: Sequence[PhoneAssessment]) -> float | None:
    """Mean score, None where there is no phone."""
    scores = [phone.score or WRONG for phone in phones]
    return sum(scores) / len(scores) if scores else None


def _insertions(
    decoded: Sequence[DecodedPhone], taken: set[int | None], words: Sequence[WordAssessment]
) -> list[Insertion]:
    """What was heard in no phone's place, each behind the word that begins before it."""
    return [
        Insertion(
            after_word_index=sum(
                word.start_s is not None and word.start_s <= item.start_s for word in words
            )
            - 1,
            phone=item.phone,
            start_s=item.start_s,
            end_s=item.end_s,
        )
        for place, item in enumerate(decoded)
        if place not in taken
    ]
