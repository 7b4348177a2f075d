"""Phones that are as right as those of the form of a word that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from nativeear.speech.canonical import Pronunciation
from nativeear.speech.tables import table


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
        for i, (phone, following) in enumerate(zip(phones, [*phones, ""][1:], strict=True)):
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
