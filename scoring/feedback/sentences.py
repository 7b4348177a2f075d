"""Advice as sentences, in every language that there are texts of.

A text belongs to a key; `texts/en.json` has all keys, and every other file the same. The page puts
the same sentences together from the same files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from nativeear.scoring.assessment import Advice, NewSound

ENGLISH = "en"

TEXTS = Path(__file__).parent / "texts"
"""A file of each language."""


def languages() -> tuple[str, ...]:
    """Tags of the languages that advice is given in."""
    return tuple(sorted(path.stem for path in TEXTS.glob("*.json")))


def has_cue(key: str) -> bool:
    """Whether there is a text that says what to do."""
    return f"cue.{key}" in texts(ENGLISH)


@cache
def texts(language: str) -> dict[str, str]:
    """The texts of one of `languages` by their keys."""
    told: dict[str, str] = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    return told


def sentence(advice: Advice, language: str = ENGLISH) -> str:
    """What advice says, in one of `languages`."""
    told = texts(language)
    cues = [
        told[f"cue.{key}"].format(*sounds) for key, *sounds in (tuple(cue) for cue in advice.cues)
    ]
    return told[f"advice.{advice.kind}"].format(
        meant=advice.meant,
        heard=advice.heard,
        where=_where(advice, told),
        cues=_joined(cues, told),
    )


def note_on_new_sound(new: NewSound, meant: str, heard: str | None, language: str = ENGLISH) -> str:
    """That a sound is new to speakers of a first language, in one of `languages`."""
    told = texts(language)
    return told["l1.has" if new.has_heard else "l1.lacks"].format(
        language=told.get(f"language.{new.language}", new.language), meant=meant, heard=heard
    )


def _where(advice: Advice, told: dict[str, str]) -> str:
    if advice.place is None:
        return ""
    words = [told["words.quoted"].format(word=word) for word in advice.words]
    return told[f"where.{advice.place}"].format(words=_listed(words, advice.more, told))


def _listed(words: Sequence[str], more: bool, told: dict[str, str]) -> str:
    if more:
        return told["words.more"].format(words=told["words.comma"].join(words))
    *most, last = words or [""]
    return told["words.and"].join([*([told["words.comma"].join(most)] if most else []), last])


def _joined(cues: Sequence[str], told: dict[str, str]) -> str:
    *most, last = cues
    if not most:
        return last
    long = len(most) > 1 or told["cues.and"] in most[0]
    return told["cues.comma"].join(most) + told["cues.andLong" if long else "cues.and"] + last
