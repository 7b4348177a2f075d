"""What another model makes of a recording: beside our result, and mixed into none of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nativeear.scoring.frozen_model import FrozenModel

Score = Annotated[float, Field(ge=0, le=100)]


class SecondScores(FrozenModel):
    """Scores of the whole recording, 0–100; None where the model did not tell."""

    overall: Score | None = None
    pronunciation: Score | None = None
    fluency: Score | None = None
    prosody: Score | None = None
    completeness: Score | None = None


class SecondWord(FrozenModel):
    """A word, and its sounds in the order of ours, each 0–100; below 50 is mispronounced."""

    word: str
    score: Score | None = None
    phones: tuple[Score | None, ...] = ()


class SecondEar(FrozenModel):
    """What a model that hears audio said of a recording; `model` is its name."""

    model: str
    score: SecondScores
    words: tuple[SecondWord, ...]
    remarks: tuple[str, ...] = ()
