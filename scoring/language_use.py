"""What a language model makes of recognised words: beside what is measured, and in none of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nativeear.scoring.frozen_model import FrozenModel
from nativeear.scoring.second_ear import Score

Line = Annotated[str, Field(min_length=1, max_length=500)]


class Correction(FrozenModel):
    """A run of the recognised words, what would be right in its place, and why."""

    said: Line
    better: Line
    why: Annotated[str, Field(max_length=500)] = ""


class LanguageUse(FrozenModel):
    """What a language model said of the recognised text; `model` is its name.

    Scores are 0–100, None where the model did not tell; `relevance` also where no topic was given.
    """

    model: str
    grammar: Score | None
    vocabulary: Score | None
    relevance: Score | None
    corrections: tuple[Correction, ...] = ()
    remarks: tuple[Line, ...] = ()
