"""French words said otherwise before a vowel: *les* in *les amis*, *bon* in *bon ami*.

`liaisons.csv` has the words that are linked and how they are said then: `obligatory` where every
native does so, `optional` where many do not, `consonant` where a word loses its end before one
(*six livres*). The noun or adjective after a plural article may be linked, too. `no_liaison.csv`
has words that nothing is linked to: *h aspiré*, *onze*, *oui*; a star stands for any ending.
Enchaînement moves a consonant to the next syllable and changes no phone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from nativeear.speech.canonical import PhoneSequence, WordPronunciation
from nativeear.speech.inventory import PhoneInventory, primary_subtag
from nativeear.speech.syllables import syllabify
from nativeear.speech.tables import table

_PLURAL = frozenset(
    (
        "les", "des", "ces", "mes", "tes", "ses", "nos", "vos", "leurs", "aux", "quelques",
        "plusieurs", "certains", "certaines",
    )
)  # fmt: skip
_YEUX = ("yeux", "yeuse")  # the only words in y and a vowel that are linked to


class _Linked(NamedTuple):
    """How a word is said before some others."""

    context: str
    phones: tuple[str, ...]
    only_before: frozenset[str]


def linked_forms(
    spoken: Sequence[str], words: Sequence[WordPronunciation], inventory: PhoneInventory
) -> tuple[tuple[PhoneSequence, ...], ...]:
    """The forms of each word with those that the next word calls for.

    Where linking is obligatory the linked form comes first, else last.

    Parameters
    ----------
    spoken
        The words as they are looked up.
    words
        The same with their forms.
    inventory
        The phones of the language.
    """
    listed = _linked().get(primary_subtag(inventory.language))
    if listed is None:
        return tuple(word.variants for word in words)
    small = [unicodedata.normalize("NFC", word).casefold() for word in spoken]
    found = []
    for i, word in enumerate(words):
        forms = word.variants
        following = small[i + 1] if i + 1 < len(small) else ""
        before = _before(following, inventory.language)
        elided, _, whole = small[i].rpartition("'")  # c'est is linked as est is
        for linked in listed.get(whole, ()):
            fits = before == ("consonant" if linked.context == "consonant" else "vowel")
            if fits and (not linked.only_before or following in linked.only_before):
                phones = (*forms[0].phones, linked.phones[-1]) if elided else linked.phones
                forms = _with(forms, phones, inventory, linked.context != "optional")
        if small[i] not in listed and before == "vowel" and i and small[i - 1] in _PLURAL:
            plural = small[i].endswith(("s", "x"))
            last = forms[0].phones if plural else ()
            forms = _with(forms, (*last, "z"), inventory, False) if plural else forms
        found.append(forms)
    return tuple(found)


def _with(
    forms: tuple[PhoneSequence, ...],
    phones: tuple[str, ...],
    inventory: PhoneInventory,
    first: bool,
) -> tuple[PhoneSequence, ...]:
    """With one more form, first or last; as they were if a lexicon of one's own has the word."""
    usual = forms[0]
    known = {form.phones for form in forms}
    if usual.source == "lexicon" or phones in known or not all(p in inventory for p in phones):
        return forms
    # No vowel is added, so the marks of stress are those of the vowels as they come.
    marks = iter([mark for mark in usual.stress if mark is not None])
    stress = tuple(next(marks, 0) if inventory.is_syllabic(p) else None for p in phones)
    form = PhoneSequence(phones, stress, syllabify(phones, inventory), "liaison")
    return (form, *forms) if first else (*forms, form)


def _before(following: str, language: str) -> str:
    """Whether a word is linked to like one that begins with a vowel, or with a consonant."""
    if not following:
        return ""
    exact, stems = _unlinked().get(primary_subtag(language), (frozenset(), ()))
    if following in exact or following.startswith(stems):
        return "consonant"
    if following[0] == "y" and len(following) > 1 and not following.startswith(_YEUX):
        letter = unicodedata.normalize("NFD", following[1])[0]
        return "consonant" if letter in "aeiouy" else "vowel"
    letter = unicodedata.normalize("NFD", following.removeprefix("h"))[:1]
    return "vowel" if letter and letter in "aeiouyœæ" else "consonant"


@cache
def _linked() -> dict[str, dict[str, tuple[_Linked, ...]]]:
    found: dict[str, dict[str, tuple[_Linked, ...]]] = {}
    for row in table("liaisons"):
        own = found.setdefault(row["language"], {})
        linked = _Linked(
            row["context"], tuple(row["phones"].split()), frozenset(row["only_before"].split())
        )
        own[row["word"]] = (*own.get(row["word"], ()), linked)
    return found


@cache
def _unlinked() -> dict[str, tuple[frozenset[str], tuple[str, ...]]]:
    """By language: whole words, and beginnings of words."""
    words: dict[str, list[str]] = {}
    for row in table("no_liaison"):
        words.setdefault(row["language"], []).append(row["word"])
    return {
        language: (
            frozenset(word for word in own if not word.endswith("*")),
            tuple(word.removesuffix("*") for word in own if word.endswith("*")),
        )
        for language, own in words.items()
    }
