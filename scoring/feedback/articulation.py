"""One sentence a learner can act on, from what was heard and what was meant.

Consonants follow the place and manner of the IPA chart (tables `ipa_consonants`, `gestures`),
vowels their height, backness and rounding (`ipa_vowels`): PanPhon's features, which the inventory
carries, give ɐ and e the same row and know no taps. Voicing, length and nasality are theirs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from nativeear.speech.phones import VOWEL_KINDS, Phone, feature_names
from nativeear.speech.tables import table

HEIGHTS = ("close", "near-close", "close-mid", "mid", "open-mid", "near-open", "open")
BACKNESSES = ("front", "near-front", "central", "near-back", "back")

_MAX_CUES = 3
_NASAL_MARK = "\u0303"
_RHOTIC = frozenset("ɝɚ˞")
_LISTEN = "listen to how natives say it and imitate them"


@dataclass(frozen=True)
class _Consonant:
    place: str
    manner: str


@dataclass(frozen=True)
class _Vowel:
    height: int
    backness: int
    rounded: bool


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
        gesture = consonant and _gestures().get((consonant.place, consonant.manner))
        if not gesture:
            return (_LISTEN,)
        voice = _voice_cue(meant) if _has_voice_twin(consonant) else ()
        return (gesture, *voice, *_secondary(None, meant))
    ends = _vowels(meant)
    if not ends:
        return (_LISTEN,)
    first = ends[0]
    if meant.glide:
        return (_glide_cue(meant),)
    if first.height <= HEIGHTS.index("near-close"):
        mouth = "keep the mouth nearly closed"
    elif first.height >= HEIGHTS.index("near-open"):
        mouth = "open the mouth wide"
    else:
        mouth = "open the mouth halfway"
    if first.backness <= BACKNESSES.index("near-front"):
        tongue = "hold the tongue forward"
    elif first.backness >= BACKNESSES.index("near-back"):
        tongue = "hold the tongue back"
    else:
        tongue = "leave the tongue in the middle"
    lips = "round the lips" if first.rounded else "leave the lips unrounded"
    special = _nasal_cue(None, meant) + _rhotic_cue(None, meant)
    return (mouth, tongue, *(special or (lips,)))


def _consonant_changes(heard: Phone, meant: Phone) -> tuple[str, ...]:
    cues: list[str] = []
    was, wanted = _consonant(heard), _consonant(meant)
    if wanted is None or was is None:
        return _whole(meant)
    if was != wanted:
        gesture = _gestures().get((wanted.place, wanted.manner))
        cues += [gesture] if gesture else []
    if _feature(heard, "voi") != _feature(meant, "voi") and _has_voice_twin(wanted):
        kept = () if cues else ("keep the mouth in the same position",)
        cues += [*kept, *_voice_cue(meant)]
    cues += _secondary(heard, meant)
    return tuple(cues)


def _vowel_changes(heard: Phone, meant: Phone) -> tuple[str, ...]:
    ends, targets = _vowels(heard), _vowels(meant)
    if not ends or not targets:
        return _whole(meant)
    if meant.glide:
        return (_glide_cue(meant),)
    was, wanted = ends[0], targets[0]
    cues: list[str] = []
    if heard.glide:
        cues.append("hold one steady vowel without gliding")
    steps = wanted.height - was.height
    if steps:
        amount = "much " if abs(steps) >= 4 else "a little " if abs(steps) <= 2 else ""
        cues.append(
            f"open the mouth {amount}more" if steps > 0 else f"close the mouth {amount}more"
        )
    if was.rounded != wanted.rounded:
        cues.append("round the lips" if wanted.rounded else "leave the lips unrounded")
    forward = was.backness - wanted.backness
    if abs(forward) > 1 or (forward and not steps):
        cues.append("move the tongue forward" if forward > 0 else "draw the tongue back")
    elif _both_close(was, wanted) and _feature(heard, "tense") != _feature(meant, "tense"):
        cues.append("tense the tongue" if _feature(meant, "tense") > 0 else "relax the tongue")
    return (*_nasal_cue(heard, meant), *_rhotic_cue(heard, meant), *cues, *_length(heard, meant))


def _both_close(a: _Vowel, b: _Vowel) -> bool:
    """Tenseness is a difference that can be felt between i and ɪ, u and ʊ; lower down it is not."""
    return max(a.height, b.height) <= HEIGHTS.index("near-close")


def _secondary(heard: Phone | None, meant: Phone) -> tuple[str, ...]:
    """Palatalisation, aspiration and length."""
    cues: list[str] = []
    soft = "ʲ" in meant.ipa
    if soft != (heard is not None and "ʲ" in heard.ipa):
        cues.append(
            "raise the middle of the tongue towards the hard palate at the same time"
            if soft
            else "keep the middle of the tongue low, without a trace of /j/"
        )
    breathed = "ʰ" in meant.ipa
    if breathed != (heard is not None and "ʰ" in heard.ipa):
        cues.append("add a puff of breath" if breathed else "release it without a puff of breath")
    return (*cues, *_length(heard, meant))


def _length(heard: Phone | None, meant: Phone) -> tuple[str, ...]:
    was = heard is not None and "ː" in heard.ipa
    if was == ("ː" in meant.ipa):
        return ()
    return ("keep it shorter",) if was else ("hold it longer",)


def _voice_cue(meant: Phone) -> tuple[str, ...]:
    if _feature(meant, "voi") > 0:
        return ("let the voice hum",)
    return ("use breath without any voice",)


def _nasal_cue(heard: Phone | None, meant: Phone) -> tuple[str, ...]:
    was = heard is not None and _is_nasal(heard)
    if was == _is_nasal(meant):
        return ()
    if was:
        return ("let no air through the nose",)
    return ("let the air also through the nose",)


def _rhotic_cue(heard: Phone | None, meant: Phone) -> tuple[str, ...]:
    was = heard is not None and _is_rhotic(heard)
    if was == _is_rhotic(meant):
        return ()
    if was:
        return ("keep the tip of the tongue down",)
    return ("curl the tip of the tongue back without touching anything",)


def _glide_cue(meant: Phone) -> str:
    plain = unicodedata.normalize("NFD", meant.ipa)
    letters = [letter for letter in plain if letter in _vowel_chart()]
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


def _is_nasal(phone: Phone) -> bool:
    return _NASAL_MARK in unicodedata.normalize("NFD", phone.ipa)


def _is_rhotic(phone: Phone) -> bool:
    return any(letter in _RHOTIC for letter in phone.ipa)


def _feature(phone: Phone, name: str) -> int:
    return phone.features[feature_names().index(name)]


def _consonant(phone: Phone) -> _Consonant | None:
    # Composed, because decomposed ç would be a c.
    plain = unicodedata.normalize("NFC", phone.ipa)
    found = [_consonant_chart()[letter] for letter in plain if letter in _consonant_chart()]
    if not found:
        return None
    if phone.kind == "affricate":
        return _Consonant(found[-1].place, "affricate")
    return found[0]


def _vowels(phone: Phone) -> list[_Vowel]:
    letters = unicodedata.normalize("NFD", phone.ipa)
    return [_vowel_chart()[letter] for letter in letters if letter in _vowel_chart()]


def _has_voice_twin(consonant: _Consonant | None) -> bool:
    """Whether voice tells such consonants apart at all: a nasal is always voiced."""
    return consonant is not None and (
        consonant.manner in {"stop", "fricative", "affricate", "lateral fricative"}
        and (consonant.place, consonant.manner) != ("glottal", "stop")
    )


@cache
def _gestures() -> dict[tuple[str, str], str]:
    return {(row["place"], row["manner"]): row["gesture"] for row in table("gestures")}


@cache
def _consonant_chart() -> dict[str, _Consonant]:
    return {
        row["letter"]: _Consonant(row["place"], row["manner"]) for row in table("ipa_consonants")
    }


@cache
def _vowel_chart() -> dict[str, _Vowel]:
    return {
        row["letter"]: _Vowel(
            HEIGHTS.index(row["height"]), BACKNESSES.index(row["backness"]), row["rounded"] == "yes"
        )
        for row in table("ipa_vowels")
    }
