"""Words that are written alike and said in several ways, told apart by their sentence.

A small rule looks at the words around: what stands before and after tells a verb from a noun or an
adjective, and a time tells past from present. It says nothing where it is not sure.
`homographs.csv` has the readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from nativeear.speech.inventory import primary_subtag
from nativeear.speech.tables import table

REACH = 3
"""How many words away a word that goes with one reading may stand."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DETERMINERS = _words(
    "a an the this these those my your his its our their every each some any no another which "
    "whose first second third last next new old good bad great big small long short own"
)
_PREPOSITIONS = _words("of in on at for with by from into about under over without during as")
_OTHERWISE = "otherwise"  # kind of a reading that is meant unless something speaks for another
_VERB_FOLLOWS = _words(
    "to will would can could shall should may might must do did don't doesn't didn't won't can't "
    "cannot couldn't wouldn't shouldn't please let's i'll you'll he'll she'll it'll we'll they'll "
    "i'd you'd he'd she'd we'd they'd"
)
_SUBJECTS = _words("i you we they who people")
_SINGULAR_SUBJECTS = _words("he she it")
_OBJECTS = _words("it them him us me")
_CAUSED = _words("let help make me him us them makes made helps")
_COPULAS = _words(
    "is are was were be been being am isn't aren't wasn't weren't it's that's he's she's they're "
    "i'm we're you're seems looks very so too quite more most"
)
_PERFECTS = _words("have has had having haven't hasn't hadn't i've you've we've they've")
_PASSED = _words("be is are was were been being get got")
_PAST_TIMES = _words("yesterday ago last once earlier previously when")
_PRESENT_TIMES = _words("always often usually every sometimes daily tomorrow never")
_ADVERBS = _words(
    "not never always also just already really often only even still ever then now soon usually "
    "carefully quickly sometimes all both"
)
_BREAKS = _PREPOSITIONS | _words(
    "is are was were has have had will would can could and or but that who which when because if"
)


@dataclass(frozen=True)
class _Reading:
    """One way to say a homograph: as which parts of speech, and words that go with it."""

    kinds: frozenset[str]
    forms: tuple[str, ...]
    beside: frozenset[str]


def readings(language: str, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """How each word is said in this company.

    Parameters
    ----------
    language
        BCP 47 tag.
    words
        Of a text, in order.

    Returns
    -------
    tuple of tuple of str
        Phones with stress, one string per form. Empty for a word that is no homograph. All its
        forms where the rule cannot tell.
    """
    listed = _homographs().get(primary_subtag(language))
    if listed is None:
        return ((),) * len(words)
    small = [word.casefold() for word in words]
    return tuple(_forms(small, i, listed.get(word, ())) for i, word in enumerate(small))


def all_readings(language: str, word: str) -> frozenset[str]:
    """Phones with stress of every way that a homograph is said; none for another word."""
    known = _homographs().get(primary_subtag(language), {}).get(word.casefold(), ())
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
    elif before in _VERB_FOLLOWS or _is_inverted(words, i):
        kind = "verb"
    elif before in _DETERMINERS or (before == "her" and after not in _OBJECTS):
        attributive = after and after not in _BREAKS and after not in _DETERMINERS
        kind = "adjective" if attributive else "noun"
        if kind not in possible:
            kind = "noun" if "noun" in possible else ""
    elif before in _COPULAS and "adjective" in possible:
        kind = "adjective"
    elif before in _PREPOSITIONS and "noun" in possible:
        kind = "noun"
    elif before in _SUBJECTS | _SINGULAR_SUBJECTS | _CAUSED or after in _OBJECTS:
        kind = "verb"
    elif after in _DETERMINERS and not (before and before in _COPULAS):
        kind = "verb"  # an imperative, or a subject that is a noun
    elif after in {"of", "is", "was", "has"}:
        kind = "noun"
    else:
        kind = ""
    return kind if kind in possible else ""


def _tense(words: Sequence[str], i: int, before: str) -> str:
    """Of a verb that is written alike in the present and the past."""
    if before in _VERB_FOLLOWS | _CAUSED or _is_inverted(words, i):
        return "verb"
    if before in _PERFECTS | _PASSED or (i >= 2 and words[i - 2] in _PERFECTS):
        return "past"
    if before in _DETERMINERS or before in _PREPOSITIONS:
        return "noun"
    subject = before in _SUBJECTS | _SINGULAR_SUBJECTS
    if before in _SINGULAR_SUBJECTS or _PAST_TIMES & {*words}:
        return "past"
    if not before or (subject and _PRESENT_TIMES & {*words}):
        return "verb"
    return ""


def _before(words: Sequence[str], i: int) -> str:
    """The word before, adverbs passed over; empty at the beginning."""
    return next((word for word in reversed(words[:i]) if word not in _ADVERBS), "")


def _is_inverted(words: Sequence[str], i: int) -> bool:
    """Whether an auxiliary stands before the subject: *did you read*."""
    subject = _SUBJECTS | _SINGULAR_SUBJECTS
    return i >= 2 and words[i - 1] in subject and words[i - 2] in _VERB_FOLLOWS - {"to"}


@cache
def _homographs() -> dict[str, dict[str, tuple[_Reading, ...]]]:
    found: dict[str, dict[str, tuple[_Reading, ...]]] = {}
    for row in table("homographs"):
        own = found.setdefault(row["language"], {})
        reading = _Reading(
            _words(row["kinds"]), tuple(row["phones"].split("; ")), _words(row["beside"])
        )
        own[row["word"]] = (*own.get(row["word"], ()), reading)
    return found
