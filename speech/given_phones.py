"""Canonical phones that a user gave in place of a text, or beside one."""

from __future__ import annotations

from nativeear.speech.canonical import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.errors import InputError, PronunciationError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.sequences import from_labels, scheme_of, sequence
from nativeear.speech.text import normalise

_ONE_WORD = (
    "The phones given do not divide into the words of the text; they are judged as one word. "
    "Write | between words to divide them."
)


def given_phones(
    phones: str,
    inventory: PhoneInventory,
    text: str | None = None,
    pronouncer: Pronouncer | None = None,
) -> Pronunciation:
    """Canonical phones as the user gave them: every one is kept as it stands, in order.

    Parameters
    ----------
    phones
        ARPAbet or IPA (found out for the whole string), space-separated, ` | ` between words.
        Stress digits or marks are optional.
    inventory
        What the phones are mapped to, one each.
    text
        What was read. With `|` it names the words. Without, the phones are laid over its words
        where dictionary variants cover them exactly; else all are one word.
    pronouncer
        Knows the variants of the words of `text`.

    Raises
    ------
    PhoneError
        If a phone is unknown; the nearest known ones are listed.
    InputError
        If there is no phone, an empty word, or another number of words than in `text`.
    """
    groups = [group.split() for group in phones.split("|")]
    if not all(groups):
        raise InputError(
            "The phones have an empty word." if any(groups) else "There are no phones.",
            fix="Write phones separated by spaces, with | between words.",
        )
    scheme = scheme_of(phones.replace("|", " "), inventory)
    given = [from_labels(group, inventory, scheme, "given") for group in groups]
    names = [" ".join(group) for group in groups]
    warnings: tuple[str, ...] = ()
    if len(given) > 1 and text:
        names = _word_names(text, len(given), pronouncer, inventory.language)
    elif len(given) == 1 and text:
        parted = _parted(given[0], text, pronouncer, inventory) if pronouncer else None
        if parted:
            return Pronunciation(inventory.language, parted)
        names = [" ".join(text.split()) or names[0]]
        warnings = (_ONE_WORD,) if len(text.split()) > 1 else ()
    words = (WordPronunciation(name, (form,)) for name, form in zip(names, given, strict=True))
    return Pronunciation(inventory.language, tuple(words), warnings)


def _word_names(text: str, count: int, pronouncer: Pronouncer | None, language: str) -> list[str]:
    written = [word for each in text.split() if (word := each.strip('.,;:!?"()[]«»“”…'))]
    if len(written) == count:
        return written
    words = normalise(text, language, pronouncer.knows if pronouncer else None).words
    names = [word.text for word in words]
    if len(names) == count:
        return names
    raise InputError(
        f"The phones are divided into {count} words, and the text has {len(names)}.",
        cause=f"Words of the text: {' '.join(names)}.",
        fix="Write one | between each two words of the text.",
    )


def _parted(
    whole: PhoneSequence, text: str, pronouncer: Pronouncer, inventory: PhoneInventory
) -> tuple[WordPronunciation, ...] | None:
    """The phones cut where variants of the words of `text` cover them exactly."""
    try:
        words = pronouncer.listed(text)
    except PronunciationError:
        return None
    # reached[i]: a way to cover the first i phones with the words so far, one variant each.
    reached: dict[int, tuple[PhoneSequence, ...]] = {0: ()}
    for word in words:
        following: dict[int, tuple[PhoneSequence, ...]] = {}
        for start, taken in reached.items():
            for variant in word.variants:
                end = start + len(variant)
                if whole.phones[start:end] == variant.phones:
                    following.setdefault(end, (*taken, variant))
        reached = following
    if len(whole) not in reached:
        return None
    parted, start = [], 0
    unmarked = all(mark is None for mark in whole.stress)
    for word, variant in zip(words, reached[len(whole)], strict=True):
        end = start + len(variant)
        stress = variant.stress if unmarked else whole.stress[start:end]
        form = sequence(variant.phones, stress, inventory, "given")
        parted.append(WordPronunciation(word.word, (form,)))
        start = end
    return tuple(parted)
