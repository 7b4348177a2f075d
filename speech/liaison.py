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

from nativeear.speech.canonical import PhoneSequence, WordPronunciation
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.sequences import sequence
from nativeear.speech.tables import rows_by, rows_of, word_set

_YEUX = ("yeux", "yeuse")  # the only words in y and a vowel that are linked to


def linked_forms(
    spoken: Sequence[str], words: Sequence[WordPronunciation], inventory: PhoneInventory
) -> tuple[tuple[PhoneSequence, ...], ...]:
    """The forms of each word with those that the next word calls for.

    Where linking is obligatory the linked form comes first, else last.

    Parameters
    ----------
    spoken, words
        The words as they are looked up, and the same with their forms.
    """
    primary = primary_subtag(inventory.language)
    listed = rows_by("liaisons", primary, "word")
    if not listed:
        return tuple(word.variants for word in words)
    small = [unicodedata.normalize("NFC", word).casefold() for word in spoken]
    found = []
    for i, word in enumerate(words):
        forms = word.variants
        following = small[i + 1] if i + 1 < len(small) else ""
        before = _before(following, primary)
        elided, _, whole = small[i].rpartition("'")  # c'est is linked as est is
        for row in listed.get(whole, ()):
            fits = before == ("consonant" if row["context"] == "consonant" else "vowel")
            if fits and (not row["only_before"] or following in row["only_before"].split()):
                phones = tuple(row["phones"].split())
                phones = (*forms[0].phones, phones[-1]) if elided else phones
                forms = _with(forms, phones, inventory, row["context"] != "optional")
        after_article = i and small[i - 1] in word_set("plural-articles", primary)
        is_plural = small[i] not in listed and small[i].endswith(("s", "x"))
        if after_article and is_plural and before == "vowel":
            forms = _with(forms, (*forms[0].phones, "z"), inventory, False)
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
    stress = [next(marks, 0) if inventory.is_syllabic(p) else None for p in phones]
    form = sequence(phones, stress, inventory, "liaison")
    return (form, *forms) if first else (*forms, form)


def _before(following: str, primary: str) -> str:
    """Whether a word is linked to like one that begins with a vowel, or with a consonant."""
    if not following:
        return ""
    unlinked = [row["word"] for row in rows_of("no_liaison", primary)]
    stems = tuple(word[:-1] for word in unlinked if word.endswith("*"))
    if following in unlinked or following.startswith(stems):
        return "consonant"
    if following[0] == "y" and len(following) > 1 and not following.startswith(_YEUX):
        letter = unicodedata.normalize("NFD", following[1])[0]
        return "consonant" if letter in "aeiouy" else "vowel"
    letter = unicodedata.normalize("NFD", following.removeprefix("h"))[:1]
    return "vowel" if letter and letter in "aeiouyœæ" else "consonant"
