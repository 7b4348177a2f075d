"""Which form of each word was said, by the evidence.

A dictionary has several forms of many words, and who says any of them is right. An aligner takes
the one that suits its own acoustic model; the encoder that judges the sounds may have heard
another. So the judge is asked first, with a prior for the form that comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np

from nativeear.speech.aligners.graphs import spell_ctc
from nativeear.speech.aligners.viterbi import NEVER, best_path
from nativeear.speech.canonical import Pronunciation, WordPronunciation
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal, label_map
from nativeear.speech.tables import table

FORM_WEIGHT = -1.0
"""Log prior of any but the first form of a word. Of −3, −1 and 0, tried on three US natives, −3
blames more; between the others there is nothing to choose."""


def heard_forms(
    pronunciation: Pronunciation, frames: Frames, inventory: PhoneInventory
) -> tuple[int, ...] | None:
    """The form of each word that lies on the best path of the encoder's phone head.

    Returns
    -------
    tuple of int or None
        One number per word. None where there is nothing to choose, no phone head that tells these
        phones, or no room for them in the recording.
    """
    kept = [_distinct(word) for word in pronunciation.words]
    if all(len(own) == 1 for own in kept):
        return None
    if frames.log_probs is None or head_refusal(frames, inventory):
        return None
    head = label_map(frames.labels, inventory)
    words = tuple(
        replace(word, variants=tuple(word.variants[i] for i in own))
        for word, own in zip(pronunciation.words, kept, strict=True)
    )
    text = spell_ctc(replace(pronunciation, words=words), head.spelling, form_weight=FORM_WEIGHT)
    log_probs = head.pool(frames.log_probs)
    # A frame of blank in front, so that the first word pays for its form like any other.
    before = np.full((1, log_probs.shape[1]), -np.inf)
    before[0, 0] = 0.0
    path = best_path(text.graph, np.concatenate([before, log_probs]))
    if path is None:
        return None
    chosen = [0] * len(words)
    phone_of_frame = text.graph.phone[path.states]
    for phone in np.unique(phone_of_frame[phone_of_frame != NEVER]).tolist():
        spelled = text.phones[phone]
        chosen[spelled.word] = kept[spelled.word][spelled.variant]
    return tuple(chosen)


def accepted_phones(
    pronunciation: Pronunciation, variants: Sequence[int] = ()
) -> tuple[tuple[str, ...], ...]:
    """Phones that are as right as each canonical one.

    They are those in which other forms of the word differ, and those that natives of the accent
    merge with it, where the phones were not given as such.

    Returns
    -------
    tuple of tuple of str
        One per phone of `pronunciation.canonical(variants)`.
    """
    merging = _merged(pronunciation.language)
    found: list[tuple[str, ...]] = []
    for word, taken in zip(pronunciation.words, pronunciation.taken(variants), strict=True):
        phones = word.variants[taken].phones
        others: list[dict[str, None]] = [{} for _ in phones]
        for form in word.variants:
            for i, phone in _differing(phones, form.phones):
                others[i][phone] = None
        # Phones that were given are judged as they stand.
        mergers = {} if word.variants[taken].source == "given" else merging
        for i, (phone, following) in enumerate(zip(phones, [*phones[1:], ""], strict=True)):
            for also, not_before in mergers.get(phone, ()):
                if following != not_before:
                    others[i][also] = None
        found += [tuple(each) for each in others]
    return tuple(found)


def _merged(language: str) -> Mapping[str, list[tuple[str, str]]]:
    """What natives of an accent may say for a phone, and the phone before which they do not."""
    # English without a region is American here, as everywhere.
    tag = "en-us" if language == "en" else language.replace("_", "-").lower()
    found: dict[str, list[tuple[str, str]]] = {}
    for row in table("mergers"):
        if row["language"].lower() == tag:
            found.setdefault(row["phone"], []).append((row["also"], row["not_before"]))
    return found


def _differing(phones: tuple[str, ...], other: tuple[str, ...]) -> list[tuple[int, str]]:
    """Places in `phones` where another form has another phone in place of one."""
    matcher = SequenceMatcher(None, phones, other, autojunk=False)
    return [
        (first + i, other[of + i])
        for kind, first, end, of, of_end in matcher.get_opcodes()
        if kind == "replace" and end - first == of_end - of
        for i in range(end - first)
    ]


def _distinct(word: WordPronunciation) -> list[int]:
    """The forms of a word whose phones no earlier form has."""
    first: dict[tuple[str, ...], int] = {}
    for i, form in enumerate(word.variants):
        first.setdefault(form.phones, i)
    return list(first.values())
