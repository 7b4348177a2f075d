"""Words that are written alike and said in several ways, told apart by their sentence.

A small rule looks at the words around: what stands before and after tells a verb from a noun or an
adjective, and a time tells past from present. It says nothing where it is not sure.
`homographs.csv` has the readings, `word_sets.csv` the words around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from nativeear.speech.languages import primary_subtag
from nativeear.speech.tables import rows_by, word_set

REACH = 3
"""How many words away a word that goes with one reading may stand."""

_OTHERWISE = "otherwise"  # kind of a reading that is meant unless something speaks for another


@dataclass(frozen=True)
class _Reading:
    """One way to say a homograph: as which parts of speech, and words that go with it."""

    kinds: frozenset[str]
    forms: tuple[str, ...]
    beside: frozenset[str]


def readings(language: str, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """How each word of a text is said in it.

    Returns
    -------
    tuple of tuple of str
        Phones with stress, one string per form. Empty for a word that is no homograph. All its
        forms where the rule cannot tell.
    """
    small = [word.casefold() for word in words]
    known = _homographs(primary_subtag(language))
    return tuple(_forms(small, i, known.get(word, ())) for i, word in enumerate(small))


def all_readings(language: str, word: str) -> frozenset[str]:
    """Phones with stress of every way that a homograph is said; none for another word."""
    known = _homographs(primary_subtag(language)).get(word.casefold(), ())
    return frozenset(form for reading in known for form in reading.forms)


def _forms(words: Sequence[str], i: int, known: tuple[_Reading, ...]) -> tuple[str, ...]:
    near = {*words[max(0, i - REACH) : i], *words[i + 1 : i + 1 + REACH]}
    chosen = [reading for reading in known if reading.beside & near]
    if len(chosen) != 1:
        kind = _kind(words, i, frozenset().union(*(reading.kinds for reading in known)))
        chosen = [reading for reading in known if (kind or _OTHERWISE) in reading.kinds]
    return tuple(dict.fromkeys(form for each in chosen or known for form in each.forms))


def _kind(words: Sequence[str], i: int, possible: frozenset[str]) -> str:
    """Noun, verb, adjective or past; empty where the words around do not tell."""
    before, after = _before(words, i), words[i + 1] if i + 1 < len(words) else ""
    if "past" in possible:
        kind = _tense(words, i, before)
    elif _is(before, "before-verb") or _is_inverted(words, i):
        kind = "verb"
    elif _is(before, "determiners") or (before == "her" and not _is(after, "objects")):
        attributive = after and not _is(after, "breaks", "prepositions", "determiners")
        kind = "adjective" if attributive else "noun"
        if kind not in possible:
            kind = "noun" if "noun" in possible else ""
    elif _is(before, "copulas") and "adjective" in possible:
        kind = "adjective"
    elif _is(before, "prepositions") and "noun" in possible:
        kind = "noun"
    elif _is_subject(before) or _is(before, "causatives") or _is(after, "objects"):
        kind = "verb"
    elif _is(after, "determiners") and not _is(before, "copulas"):
        kind = "verb"  # an imperative, or a subject that is a noun
    elif after in {"of", "is", "was", "has"}:
        kind = "noun"
    else:
        kind = ""
    return kind if kind in possible else ""


def _tense(words: Sequence[str], i: int, before: str) -> str:
    """Of a verb that is written alike in the present and the past."""
    if _is(before, "before-verb", "causatives") or _is_inverted(words, i):
        return "verb"
    if _is(before, "perfects", "passives") or (i >= 2 and _is(words[i - 2], "perfects")):
        return "past"
    if _is(before, "determiners", "prepositions"):
        return "noun"
    if _is(before, "singular-subjects") or any(_is(word, "past-times") for word in words):
        return "past"
    in_present = _is_subject(before) and any(_is(word, "present-times") for word in words)
    return "verb" if not before or in_present else ""


def _is(word: str, *sets: str) -> bool:
    return any(word in word_set(name, "en") for name in sets)


def _is_subject(word: str) -> bool:
    return _is(word, "subjects", "singular-subjects")


def _before(words: Sequence[str], i: int) -> str:
    """The word before, adverbs passed over; empty at the beginning."""
    return next((word for word in reversed(words[:i]) if not _is(word, "adverbs")), "")


def _is_inverted(words: Sequence[str], i: int) -> bool:
    """Whether an auxiliary stands before the subject: *did you read*."""
    auxiliary = words[i - 2] if i >= 2 else ""
    return _is(auxiliary, "before-verb") and auxiliary != "to" and _is_subject(words[i - 1])


@cache
def _homographs(primary: str) -> dict[str, tuple[_Reading, ...]]:
    return {
        word: tuple(
            _Reading(
                frozenset(row["kinds"].split()),
                tuple(row["phones"].split("; ")),
                frozenset(row["beside"].split()),
            )
            for row in rows
        )
        for word, rows in rows_by("homographs", primary, "word").items()
    }
