"""One sentence a learner can act on, from what was heard and what was meant.

Consonants follow the place and manner of the IPA chart (tables `ipa_consonants`, `gestures`),
vowels their height, backness and rounding (`ipa_vowels`, `vowel_gestures`): PanPhon's features,
which the inventory carries, give ɐ and e the same row and know no taps. What else tells two sounds
apart is in `sound_contrasts`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

from nativeear.speech.phones import VOWEL_KINDS, Phone, feature_names
from nativeear.speech.tables import Row, table

HEIGHTS = ("close", "near-close", "close-mid", "mid", "open-mid", "near-open", "open")
BACKNESSES = ("front", "near-front", "central", "near-back", "back")

_MAX_CUES = 3
_LISTEN = "listen to how natives say it and imitate them"


def substituted(heard: Phone, meant: Phone, where: str = "") -> str:
    """Say how to get from the sound that was heard to the one that was meant.

    Parameters
    ----------
    heard, meant
        Two different phones.
    where
        Put after the phones, for instance ` in “think”`.

    Returns
    -------
    str
        One sentence that names both phones in IPA.
    """
    advice = _joined(_changes(heard, meant))
    return f"You said /{heard.ipa}/ where /{meant.ipa}/ is meant{where}: {advice}."


def accented(meant: Phone, heard: Phone | None = None, where: str = "") -> str:
    """Say how to make a phone that was understood but is unlike natives', as one sentence.

    `heard` is the other phone that it resembles most, if any.
    """
    if heard is None or heard.ipa == meant.ipa:
        return f"Your /{meant.ipa}/{where} differs from natives': {_joined(_whole(meant))}."
    advice = _joined(_changes(heard, meant))
    return f"Your /{meant.ipa}/{where} is close to /{heard.ipa}/: {advice}."


def deleted(meant: Phone, where: str = "") -> str:
    """Say how to make a phone that was left out, as one sentence."""
    return f"The /{meant.ipa}/{where} was not heard: {_joined(_whole(meant))}."


def inserted(ipa: str, where: str = "") -> str:
    """Say that a sound does not belong there, as one sentence."""
    return f"An extra /{ipa}/ was heard{where}: go straight on to the next sound."


@lru_cache(maxsize=4096)
def _changes(heard: Phone, meant: Phone) -> tuple[str, ...]:
    """What to change, most useful first."""
    if _is_vowel(heard) and _is_vowel(meant):
        found = _vowel_changes(heard, meant)
    elif _is_vowel(meant) or _is_vowel(heard):
        found = _whole(meant)
    else:
        found = _consonant_changes(heard, meant)
    return found[:_MAX_CUES] or (_LISTEN,)


@lru_cache(maxsize=1024)
def _whole(meant: Phone) -> tuple[str, ...]:
    """How a phone is made, without anything to compare it with."""
    if not _is_vowel(meant):
        consonant = _consonant(meant)
        gesture = consonant and _gestures().get(consonant)
        if not gesture:
            return (_LISTEN,)
        voice = (_voice(meant),) if _has_voice_twin(consonant) else ()
        return (gesture, *voice, *_contrasts(None, meant, "palatal", "aspirated", "long"))
    vowels = _vowels(meant)
    if not vowels:
        return (_LISTEN,)
    if meant.glide:
        return (_glide(meant),)
    first = vowels[0]
    mouth, tongue = (_vowel_gestures()[part, first[part]] for part in ("height", "backness"))
    special = _contrasts(None, meant, "nasal", "rhotic")
    return (mouth, tongue, *(special or (_cue("rounded", first["rounded"] == "yes"),)))


def _consonant_changes(heard: Phone, meant: Phone) -> tuple[str, ...]:
    cues: list[str] = []
    was, wanted = _consonant(heard), _consonant(meant)
    if wanted is None or was is None:
        return _whole(meant)
    if was != wanted:
        gesture = _gestures().get(wanted)
        cues += [gesture] if gesture else []
    if _feature(heard, "voi") != _feature(meant, "voi") and _has_voice_twin(wanted):
        kept = () if cues else ("keep the mouth in the same position",)
        cues += [*kept, _voice(meant)]
    return (*cues, *_contrasts(heard, meant, "palatal", "aspirated", "long"))


def _vowel_changes(heard: Phone, meant: Phone) -> tuple[str, ...]:
    vowels, targets = _vowels(heard), _vowels(meant)
    if not vowels or not targets:
        return _whole(meant)
    if meant.glide:
        return (_glide(meant),)
    was, wanted = vowels[0], targets[0]
    cues: list[str] = []
    if heard.glide:
        cues.append("hold one steady vowel without gliding")
    was_open, open_ = (HEIGHTS.index(vowel["height"]) for vowel in (was, wanted))
    steps = open_ - was_open
    if steps:
        amount = "much " if abs(steps) >= 4 else "a little " if abs(steps) <= 2 else ""
        cues.append(f"{'open' if steps > 0 else 'close'} the mouth {amount}more")
    if was["rounded"] != wanted["rounded"]:
        cues.append(_cue("rounded", wanted["rounded"] == "yes"))
    was_back, back = (BACKNESSES.index(vowel["backness"]) for vowel in (was, wanted))
    forward = was_back - back
    # Tenseness can be felt between i and ɪ, u and ʊ; lower down it cannot.
    both_close = max(was_open, open_) <= HEIGHTS.index("near-close")
    if abs(forward) > 1 or (forward and not steps):
        cues.append("move the tongue forward" if forward > 0 else "draw the tongue back")
    elif both_close and _feature(heard, "tense") != _feature(meant, "tense"):
        cues.append(_cue("tense", _feature(meant, "tense") > 0))
    first = _contrasts(heard, meant, "nasal", "rhotic")
    return (*first, *cues, *_contrasts(heard, meant, "long"))


def _contrasts(heard: Phone | None, meant: Phone, *names: str) -> tuple[str, ...]:
    """What to do for each of the contrasts that only one of two phones bears."""
    found = []
    for name in names:
        marks = frozenset(_contrast_rows()[name]["marks"])
        was, wanted = (
            phone is not None and not marks.isdisjoint(unicodedata.normalize("NFD", phone.ipa))
            for phone in (heard, meant)
        )
        if was != wanted:
            found.append(_cue(name, wanted))
    return tuple(found)


def _cue(contrast: str, wanted: bool) -> str:
    return _contrast_rows()[contrast]["with" if wanted else "without"]


def _voice(meant: Phone) -> str:
    return _cue("voiced", _feature(meant, "voi") > 0)


def _glide(meant: Phone) -> str:
    letters = [vowel["letter"] for vowel in _vowels(meant)]
    if len(letters) < 2:
        return _LISTEN
    return f"begin with /{letters[0]}/ and glide on to /{letters[-1]}/"


def _joined(cues: Sequence[str]) -> str:
    *most, last = cues
    if not most:
        return last
    return f"{', '.join(most)}{',' if len(most) > 1 or ' and ' in most[0] else ''} and {last}"


def _is_vowel(phone: Phone) -> bool:
    return phone.kind in VOWEL_KINDS


def _feature(phone: Phone, name: str) -> int:
    return phone.features[feature_names().index(name)]


def _consonant(phone: Phone) -> tuple[str, str] | None:
    """Place and manner."""
    # Composed, because decomposed ç would be a c.
    plain = unicodedata.normalize("NFC", phone.ipa)
    found = [_consonants()[letter] for letter in plain if letter in _consonants()]
    if not found:
        return None
    return (found[-1][0], "affricate") if phone.kind == "affricate" else found[0]


def _vowels(phone: Phone) -> list[Row]:
    letters = unicodedata.normalize("NFD", phone.ipa)
    return [_vowel_rows()[letter] for letter in letters if letter in _vowel_rows()]


def _has_voice_twin(consonant: tuple[str, str] | None) -> bool:
    """Whether voice tells such consonants apart at all: a nasal is always voiced."""
    return consonant is not None and (
        consonant[1] in {"stop", "fricative", "affricate", "lateral fricative"}
        and consonant != ("glottal", "stop")
    )


@cache
def _gestures() -> dict[tuple[str, str], str]:
    return {(row["place"], row["manner"]): row["gesture"] for row in table("gestures")}


@cache
def _vowel_gestures() -> dict[tuple[str, str], str]:
    return {(row["property"], row["value"]): row["gesture"] for row in table("vowel_gestures")}


@cache
def _consonants() -> dict[str, tuple[str, str]]:
    return {row["letter"]: (row["place"], row["manner"]) for row in table("ipa_consonants")}


@cache
def _vowel_rows() -> dict[str, Row]:
    return {row["letter"]: row for row in table("ipa_vowels")}


@cache
def _contrast_rows() -> dict[str, Row]:
    return {row["contrast"]: row for row in table("sound_contrasts")}
