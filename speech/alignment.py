"""Phones laid on a recording, and the protocol that every aligner follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.frames import Frames

SILENCE = "SIL"
"""Label of an explicit silence in an alignment and of the silence class in an index."""


@dataclass(frozen=True)
class AlignedPhone:
    """One phone, or one silence, of an alignment.

    Attributes
    ----------
    phone
        Phone symbol of the inventory, or `SILENCE`.
    start_s, end_s
        Seconds from the start of the recording; the end is exclusive.
    word_index
        Index of the word that the phone belongs to; -1 for a silence.
    score
        The aligner's confidence from 0 to 1; 1 where the aligner gives none (hand-made grids).
    stress
        Lexical stress of a vowel: 0 none, 1 primary, 2 secondary; None where not known.
    read_s
        Start and end where a reading laid the phone by another path than the aligner's; None where
        there is no such path.
    """

    phone: str
    start_s: float
    end_s: float
    word_index: int
    score: float = 1.0
    stress: int | None = None
    read_s: tuple[float, float] | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    @property
    def is_silence(self) -> bool:
        """Whether this is a silence rather than a phone."""
        return self.word_index < 0


@dataclass(frozen=True)
class Alignment:
    """A whole recording as phones and explicit silences, in order of time.

    Attributes
    ----------
    phones
        Every phone and silence. Their spans touch and do not overlap.
    words
        The words as they were read, one per `word_index`.
    variants
        Per word, which of its pronunciations was taken (0 is the lexicon's first); empty where the
        first one of every word was.
    aligner
        Name of the aligner that made it.
    """

    phones: tuple[AlignedPhone, ...]
    words: tuple[str, ...]
    variants: tuple[int, ...] = ()
    aligner: str = ""

    @property
    def spoken(self) -> tuple[AlignedPhone, ...]:
        """The phones without the silences."""
        return tuple(phone for phone in self.phones if not phone.is_silence)


@runtime_checkable
class Aligner(Protocol):
    """Lays canonical phones on a recording."""

    @property
    def name(self) -> str:
        """How people name it, for instance `pocketsphinx`."""

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording.

        Where a word has several pronunciations, the one that fits the audio best is taken and
        named in `Alignment.variants`.

        Raises
        ------
        AlignmentError
            If no path through the recording was found. Nothing is ever guessed.
        """
