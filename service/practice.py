"""Sentences to practise, by language: `service/data/practice/*.json`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from nativeear.speech.languages import primary_subtag


class PracticeSet(BaseModel):
    """Sentences that train one thing; `title` and `about` are in English."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    about: str
    sentences: tuple[str, ...]


class Practice(BaseModel):
    """The sets of one language, by its primary subtag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    sets: tuple[PracticeSet, ...] = ()


@cache
def practice_languages() -> tuple[str, ...]:
    """Primary subtags of the languages that have sets."""
    folder = files("nativeear.service") / "data" / "practice"
    return tuple(sorted(file.name.removesuffix(".json") for file in folder.iterdir()))


def practice(language: str) -> Practice:
    """The sets of a language by its BCP 47 tag; none where there are none."""
    tag = primary_subtag(language)
    return _shipped(tag) if tag in practice_languages() else Practice(language=tag)


@cache
def _shipped(tag: str) -> Practice:
    text = (files("nativeear.service") / "data" / "practice" / f"{tag}.json").read_text(
        encoding="utf-8"
    )
    return Practice.model_validate_json(text)
