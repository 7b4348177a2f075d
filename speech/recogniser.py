"""Words that were recognised in a recording, and the protocol that every recogniser follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from nativeear.speech.audio import Audio


@dataclass(frozen=True)
class RecognisedWord:
    """One word as the recogniser writes it, with the punctuation that it puts to it.

    Attributes
    ----------
    text
        The word.
    start_s, end_s
        Seconds from the start of the recording, as the recogniser has them.
    confidence
        The recogniser's own probability of the word, 0–1.
    """

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

        Parameters
        ----------
        audio
            The recording.
        language
            BCP 47 tag of what is spoken.

        Raises
        ------
        InputError
            If the recogniser does not know the language.
        """
