"""An alignment that somebody else made, as what was meant and as it lies in what is heard."""

from __future__ import annotations

from dataclasses import replace

from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.canonical import Pronunciation, WordPronunciation
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.sequences import sequence
from nativeear.speech.steadying import Steadied


def heard_alignment(alignment: Alignment, heard: Steadied, inventory: PhoneInventory) -> Alignment:
    """The alignment in the times of what is heard, `steadied(recording)`.

    Phones that lie in what was cut away, which is silent, are kept at its edge: they were meant.

    Raises
    ------
    InputError
        If it has no phone, or one that the inventory lacks (`PhoneError`).
    """
    if not alignment.spoken:
        raise InputError(
            "The alignment holds no phone.", fix="Align the recording again, or leave it out."
        )
    for phone in alignment.spoken:
        inventory.phone(phone.phone)
    end_s = heard.audio.duration_s

    def moved(at_s: float) -> float:
        return min(max(at_s - heard.start_s, 0.0), end_s)

    return replace(
        alignment,
        phones=tuple(
            replace(phone, start_s=moved(phone.start_s), end_s=moved(phone.end_s))
            for phone in alignment.phones
        ),
        variants=(),
    )


def pronunciation_of(alignment: Alignment, inventory: PhoneInventory) -> Pronunciation:
    """Its words, each with the form that was laid: its aligner's dictionary is one like ours."""
    by_word: list[list[AlignedPhone]] = [[] for _ in alignment.words]
    for phone in alignment.spoken:
        by_word[phone.word_index].append(phone)
    words = tuple(
        WordPronunciation(
            word,
            (
                sequence(
                    [phone.phone for phone in phones],
                    [phone.stress for phone in phones],
                    inventory,
                    "lexicon",
                ),
            ),
        )
        for word, phones in zip(alignment.words, by_word, strict=True)
    )
    return Pronunciation(inventory.language, words)
