"""Candidates of restarts and repetitions, for someone to listen to. Nothing is graded by them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from nativeear.scoring.assessment import Insertion, WordAssessment

Span = tuple[float, float]


def restarts(words: Sequence[WordAssessment], insertions: Sequence[Insertion]) -> tuple[Span, ...]:
    """Inserted sounds that begin as the next word does, or as the last one did.

    Insertions at one place are taken together: `TH IH` before “think” is one restart, `TH S` is
    none.
    """
    found = []
    for after, group in groupby(insertions, key=lambda item: item.after_word_index):
        sounds = list(group)
        inserted = [sound.phone for sound in sounds]
        around = words[max(after, 0) : after + 2]
        if any([p.phone for p in word.phones[: len(inserted)]] == inserted for word in around):
            found.append((sounds[0].start_s, sounds[-1].end_s))
    return tuple(found)


def repeated_words(words: Sequence[WordAssessment]) -> frozenset[int]:
    """Indices of words that are the word before them once more.

    Of recognised words only: what a given text repeats is meant to be said twice.
    """
    names = [word.word.casefold() for word in words]
    return frozenset(i for i in range(1, len(names)) if names[i] == names[i - 1])
