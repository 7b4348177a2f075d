"""Advice that a learner can act on, from what was heard and what was meant.

Consonants follow the place and manner of the IPA chart (table `ipa_consonants`), vowels their
height, backness and rounding (`ipa_vowels`): PanPhon's features, which the inventory carries, give
ɐ and e the same row and know no taps. What else tells two sounds apart is in `sound_contrasts`.
The words are those of `scoring.feedback.sentences`.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from nativeear.scoring.assessment import Advice
from nativeear.scoring.feedback.sentences import has_cue
from nativeear.speech.phones import VOWEL_KINDS, Phone, feature_names
from nativeear.speech.tables import Row, table

HEIGHTS = ("close", "near-close", "close-mid", "mid", "open-mid", "near-open", "open")
BACKNESSES = ("front", "near-front", "central", "near-back", "back")

Cue = tuple[str, ...]
"""Key of a text, and the sounds that it names."""

_MAX_CUES = 3
_LISTEN: Cue = ("listen",)


def substituted(heard: Phone, meant: Phone) -> Advice:
    """How to get from the sound that was heard to the one that was meant, two different phones."""
    return Advice(
        kind="substituted", meant=meant.ipa, heard=heard.ipa, cues=how_to_change(heard, meant)
    )


def accented(meant: Phone, heard: Phone | None = None) -> Advice:
    """How to make a phone that was understood but is unlike natives'.

    `heard` is the other phone that it resembles most, if any.
    """
    if heard is None or heard.ipa == meant.ipa:
        return Advice(kind="unlike", meant=meant.ipa, cues=how_to_make(meant))
    return Advice(kind="close", meant=meant.ipa, heard=heard.ipa, cues=how_to_change(heard, meant))


def deleted(meant: Phone) -> Advice:
    """How to make a phone that was left out."""
    return Advice(kind="deleted", meant=meant.ipa, cues=how_to_make(meant))


def inserted(ipa: str) -> Advice:
    """That a sound does not belong there."""
    return Advice(kind="inserted", meant=ipa, cues=(("next",),))


@lru_cache(maxsize=4096)
def how_to_change(heard: Phone, meant: Phone) -> tuple[Cue, ...]:
    """What to change, most useful first."""
    if _is_vowel(heard) and _is_vowel(meant):
        found = _vowel_changes(heard, meant)
    elif _is_vowel(meant) or _is_vowel(heard):
        found = how_to_make(meant)
    else:
        found = _consonant_changes(heard, meant)
    return found[:_MAX_CUES] or (_LISTEN,)


@lru_cache(maxsize=1024)
def how_to_make(meant: Phone) -> tuple[Cue, ...]:
    """How a phone is made, without anything to compare it with."""
    if not _is_vowel(meant):
        consonant = place_and_manner(meant)
        gesture = _gesture(consonant)
        if gesture is None:
            return (_LISTEN,)
        voice = (_voice(meant),) if _has_voice_twin(consonant) else ()
        return (gesture, *voice, *_contrasts(None, meant, "palatal", "aspirated", "long"))
    vowels = vowels_of(meant)
    if not vowels:
        return (_LISTEN,)
    if meant.glide:
        return (_glide(meant),)
    first = vowels[0]
    mouth, tongue = ((f"{part} {first[part]}",) for part in ("height", "backness"))
    special = _contrasts(None, meant, "nasal", "rhotic")
    return (mouth, tongue, *(special or (_cue("rounded", first["rounded"] == "yes"),)))


def _consonant_changes(heard: Phone, meant: Phone) -> tuple[Cue, ...]:
    cues: list[Cue] = []
    was, wanted = place_and_manner(heard), place_and_manner(meant)
    if wanted is None or was is None:
        return how_to_make(meant)
    if was != wanted:
        gesture = _gesture(wanted)
        cues += [gesture] if gesture else []
    if _feature(heard, "voi") != _feature(meant, "voi") and _has_voice_twin(wanted):
        kept = () if cues else (("same",),)
        cues += [*kept, _voice(meant)]
    return (*cues, *_contrasts(heard, meant, "palatal", "aspirated", "long"))


def _vowel_changes(heard: Phone, meant: Phone) -> tuple[Cue, ...]:
    vowels, targets = vowels_of(heard), vowels_of(meant)
    if not vowels or not targets:
        return how_to_make(meant)
    if meant.glide:
        return (_glide(meant),)
    was, wanted = vowels[0], targets[0]
    cues: list[Cue] = []
    if heard.glide:
        cues.append(("steady",))
    was_open, open_ = (HEIGHTS.index(vowel["height"]) for vowel in (was, wanted))
    steps = open_ - was_open
    if steps:
        amount = "much" if abs(steps) >= 4 else "little" if abs(steps) <= 2 else "more"
        cues.append((f"{'open' if steps > 0 else 'close'}.{amount}",))
    if was["rounded"] != wanted["rounded"]:
        cues.append(_cue("rounded", wanted["rounded"] == "yes"))
    was_back, back = (BACKNESSES.index(vowel["backness"]) for vowel in (was, wanted))
    forward = was_back - back
    # Tenseness can be felt between i and ɪ, u and ʊ; lower down it cannot.
    both_close = max(was_open, open_) <= HEIGHTS.index("near-close")
    if abs(forward) > 1 or (forward and not steps):
        cues.append(("forward" if forward > 0 else "backward",))
    elif both_close and _feature(heard, "tense") != _feature(meant, "tense"):
        cues.append(_cue("tense", _feature(meant, "tense") > 0))
    first = _contrasts(heard, meant, "nasal", "rhotic")
    return (*first, *cues, *_contrasts(heard, meant, "long"))


def _contrasts(heard: Phone | None, meant: Phone, *names: str) -> tuple[Cue, ...]:
    """What to do for each of the contrasts that only one of two phones bears."""
    found = []
    for name in names:
        marks = _marks()[name]
        was, wanted = (
            phone is not None and not marks.isdisjoint(unicodedata.normalize("NFD", phone.ipa))
            for phone in (heard, meant)
        )
        if was != wanted:
            found.append(_cue(name, wanted))
    return tuple(found)


def _cue(contrast: str, wanted: bool) -> Cue:
    return (contrast if wanted else f"not {contrast}",)


def _voice(meant: Phone) -> Cue:
    return _cue("voiced", _feature(meant, "voi") > 0)


def _glide(meant: Phone) -> Cue:
    letters = [vowel["letter"] for vowel in vowels_of(meant)]
    return ("glide", letters[0], letters[-1]) if len(letters) > 1 else _LISTEN


def _gesture(consonant: tuple[str, str] | None) -> Cue | None:
    """How a consonant is made; None where no text says it."""
    name = " ".join(consonant or ())
    return (name,) if has_cue(name) else None


def _is_vowel(phone: Phone) -> bool:
    return phone.kind in VOWEL_KINDS


def _feature(phone: Phone, name: str) -> int:
    return phone.features[feature_names().index(name)]


def place_and_manner(phone: Phone) -> tuple[str, str] | None:
    """Where and how a consonant is made, by the IPA chart; None of a vowel."""
    # Composed, because decomposed ç would be a c.
    plain = unicodedata.normalize("NFC", phone.ipa)
    found = [_consonants()[letter] for letter in plain if letter in _consonants()]
    if not found:
        return None
    return (found[-1][0], "affricate") if phone.kind == "affricate" else found[0]


def vowels_of(phone: Phone) -> list[Row]:
    """Rows of `ipa_vowels` for a vowel, for both ends of a diphthong."""
    letters = unicodedata.normalize("NFD", phone.ipa)
    return [_vowel_rows()[letter] for letter in letters if letter in _vowel_rows()]


def _has_voice_twin(consonant: tuple[str, str] | None) -> bool:
    """Whether voice tells such consonants apart at all: a nasal is always voiced."""
    return consonant is not None and (
        consonant[1] in {"stop", "fricative", "affricate", "lateral fricative"}
        and consonant != ("glottal", "stop")
    )


@cache
def _consonants() -> dict[str, tuple[str, str]]:
    return {row["letter"]: (row["place"], row["manner"]) for row in table("ipa_consonants")}


@cache
def _vowel_rows() -> dict[str, Row]:
    return {row["letter"]: row for row in table("ipa_vowels")}


@cache
def _marks() -> dict[str, frozenset[str]]:
    """The marks in IPA of every contrast that has some."""
    return {row["contrast"]: frozenset(row["marks"]) for row in table("sound_contrasts")}
