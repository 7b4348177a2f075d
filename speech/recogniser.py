"""Words that were recognised in a recording, and the protocol that every recogniser follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from nativeear.speech.audio import Audio


@dataclass(frozen=True)
class RecognisedWord:
    """One word as the recogniser writes it, with its punctuation, times and own probability."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@runtime_checkable
class Recogniser(Protocol):
    """Writes down what is said. Instances are safe to call from several threads."""

    @property
    def name(self) -> str:
        """How people name it, for instance the folder of its model."""

    def transcribe(self, audio: Audio, language: str) -> tuple[RecognisedWord, ...]:
        """The words of a recording in order; none where no speech was recognised.

        Raises
        ------
        InputError
            If the recogniser does not know the language.
        """
