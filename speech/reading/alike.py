"""Was a stretch of speech said before? Told by the likeness of its frames with those of a word.

What a path takes for speech beside the text may be a word of the text once more, and what it takes
for a word that was gone back to may be another one. The same speaker's frames tell that better than
phones do: they are warped onto each other in time (Sakoe & Chiba, 1978, symmetric steps), and the
mean of their cosines along the best warp is how alike they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.alignment import Alignment
from nativeear.speech.reading.reading import LEAST_EXTRA, SHORTEST_EXTRA_S, ReadingEvent

FloatArray = NDArray[np.floating]

ALIKE, UNLIKE = 0.6, 0.5
"""Likeness from which what is told as extra was a word once more, and below which what is told as a
word once more was another. In other sentences of three natives and half of the learners, a word
that is said again is less alike than 0.6 once in ten times; said twice on end it seldom is."""

BEGUN_ALIKE = 0.7
"""The same for a stretch and the beginning of a word: many words begin alike."""

SAME_LENGTH = (0.55, 3.0)
"""A word that is said again lasts so many times as long, pauses among it, and less if it is only
begun."""


def alike(similar: FloatArray) -> tuple[float, float]:
    """How alike two stretches are, and how alike the first is to the beginning of the second.

    Parameters
    ----------
    similar
        Cosine of every frame of the first with every frame of the second, `[A, B]`.

    Returns
    -------
    whole, beginning
        Means of the cosines along the best warps, from -1 to 1.
    """
    length = similar.shape[1]
    best = [0.0] + [np.inf] * length
    for row in (1.0 - similar).tolist():
        new = [np.inf] * (length + 1)
        for j, far in enumerate(row, start=1):
            new[j] = min(best[j] + far, new[j - 1] + far, best[j - 1] + 2 * far)
        best = new
    shares = 1 - np.array(best[1:]) / (len(similar) + np.arange(1, length + 1))
    return float(shares[-1]), float(shares.max())


def retold(
    events: Sequence[ReadingEvent], alignment: Alignment, vectors: FloatArray, times_s: FloatArray
) -> tuple[ReadingEvent, ...]:
    """Events, those of speech beside the text called by what they are alike to.

    Parameters
    ----------
    events
        As the path has them.
    alignment
        Of the words that count.
    vectors
        The frames' unit vectors, `[T, D]`.
    times_s
        Their centres, `[T]`.
    """

    def of(start_s: float, end_s: float) -> FloatArray:
        return vectors[(times_s >= start_s) & (times_s < end_s)]

    words: dict[int, FloatArray] = {}
    begins: dict[int, float] = {}
    for word in {phone.word_index for phone in alignment.spoken}:
        own = [phone for phone in alignment.spoken if phone.word_index == word]
        words[word], begins[word] = of(own[0].start_s, own[-1].end_s), own[0].start_s

    def told(event: ReadingEvent, start_s: float, end_s: float) -> ReadingEvent | None:
        found = _told(event, of(start_s, end_s), words)
        short = end_s - start_s < SHORTEST_EXTRA_S or len(event.phones) < LEAST_EXTRA
        return None if found.kind == "extra" != event.kind and short else found

    found = [event for event in events if event.start_s is None]
    last: ReadingEvent | None = None
    for event in sorted(events, key=lambda e: e.start_s or 0.0):
        if event.start_s is None or event.end_s is None:
            continue
        one = told(event, event.start_s, event.end_s)
        if one is None:
            continue
        if last is not None and _are_one(last, one, begins.values()):
            found.remove(last)
            start_s, end_s = last.start_s or 0.0, event.end_s
            before = max((i for i, begin_s in begins.items() if begin_s < start_s), default=-1)
            phones = last.phones + one.phones
            whole = ReadingEvent("extra", before, phones, start_s, end_s)
            one = told(whole, start_s, end_s) or whole
        found.append(one)
        last = one
    return tuple(sorted(found, key=lambda e: (e.word_index, e.start_s or 0.0)))


def _are_one(one: ReadingEvent, other: ReadingEvent, begins: Iterable[float]) -> bool:
    """Whether two events are of one stretch of speech that is no word of the text as a whole."""
    kinds = {one.kind, other.kind}
    between = any((one.start_s or 0.0) < at <= (other.start_s or 0.0) for at in begins)
    return "extra" in kinds and "repeated" not in kinds and not between


def _told(event: ReadingEvent, own: FloatArray, words: dict[int, FloatArray]) -> ReadingEvent:
    """One event by what its frames are alike to: the word that it is of, or those around it."""
    at = event.word_index
    behind = min((i for i in words if i > at), default=-1)  # the word between may be left out
    near = [at, behind] if event.kind == "extra" else [at]
    near = [i for i in near if i in words and len(own) and len(words[i])]
    if not near:
        return event
    likeness = {i: alike(own @ words[i].T) for i in near}
    again = max(near, key=lambda i: likeness[i][0])
    ratio = len(own) / len(words[again])
    if likeness[again][0] >= ALIKE and SAME_LENGTH[0] <= ratio <= SAME_LENGTH[1]:
        return replace(event, kind="repeated", word_index=again)
    begun = max(near, key=lambda i: likeness[i][1])
    if event.kind != "extra":
        if max(likeness[at]) < UNLIKE:
            return replace(event, kind="extra", word_index=at - 1)
        return event
    if likeness[begun][1] >= BEGUN_ALIKE and len(own) < SAME_LENGTH[0] * len(words[begun]):
        return replace(event, kind="restart", word_index=begun)
    return event
