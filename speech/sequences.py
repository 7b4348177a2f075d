"""Phone sequences of words, made from labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.syllables import syllabify

_STRESS_MARKS = {"ˈ": 1, "ˌ": 2}


def sequence(
    phones: Iterable[str], stress: Iterable[int | None], inventory: PhoneInventory, source: str
) -> PhoneSequence:
    """Phones with their stress, parted into syllables."""
    symbols = tuple(phones)
    return PhoneSequence(symbols, tuple(stress), syllabify(symbols, inventory), source)


def from_labels(
    labels: Sequence[str], inventory: PhoneInventory, scheme: str, source: str
) -> PhoneSequence:
    """Phones from labels, whose stress digits or marks count on syllabic ones.

    Raises
    ------
    PhoneError
        If a label is unknown.
    """
    phones = [inventory.symbol(label, scheme) for label in labels]
    stress: list[int | None] = []
    for label, phone in zip(labels, phones, strict=True):
        digit = re.search(r"[0-2]$", label) if scheme == "arpabet" else None
        mark = int(digit[0]) if digit else _STRESS_MARKS.get(label[0])
        stress.append(mark if inventory.is_syllabic(phone) else None)
    return sequence(phones, stress, inventory, source)


def from_table(
    forms: Iterable[str], inventory: PhoneInventory, source: str
) -> tuple[PhoneSequence, ...]:
    """Phones from the forms of an English table, each in ARPAbet with spaces."""
    return tuple(from_labels(form.split(), inventory, "arpabet", source) for form in forms)


def scheme_of(phones: str, inventory: PhoneInventory) -> str:
    """ARPAbet or IPA, for a whole string of labels: `b` alone could be either."""
    if inventory.notation != "arpabet":
        return "ipa"
    arpabet, ipa = (
        sum(inventory.knows(label, scheme) for label in phones.split())
        for scheme in ("arpabet", "ipa")
    )
    # Where neither knows all, the closer one gives the more useful error.
    return "ipa" if ipa > arpabet else "arpabet"


def joined(sequences: Sequence[PhoneSequence]) -> PhoneSequence:
    """One after the other, as one word."""
    phones: tuple[str, ...] = ()
    stress: tuple[int | None, ...] = ()
    syllables: tuple[tuple[int, int], ...] = ()
    for part in sequences:
        syllables += tuple((a + len(phones), b + len(phones)) for a, b in part.syllables)
        phones += part.phones
        stress += part.stress
    return PhoneSequence(phones, stress, syllables, sequences[0].source)
