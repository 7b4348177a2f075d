"""Plug-ins that need no model, to test against: they do what they are told.

Each keeps to its protocol, see `speech.testing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation
from nativeear.speech.errors import AlignmentError
from nativeear.speech.frames import FloatArray, Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import BLANK
from nativeear.speech.recogniser import RecognisedWord
from nativeear.speech.sequences import from_labels

SHORTEST_S = 0.01
"""Least share of a recording that `EvenAligner` gives to a phone."""


class ScriptedEncoder:
    """An encoder that hears the phones that it is given, spread evenly over any recording.

    Its head has a label for each phone of the inventory.
    """

    name = "scripted"

    def __init__(
        self, phones: Sequence[str], inventory: PhoneInventory, *, hop_s: float = 0.02
    ) -> None:
        self.labels = (BLANK, *inventory.symbols)
        self.phone_labels = self.labels
        self.dim = len(self.labels)
        self.hop_s = hop_s
        self._columns = [self.labels.index(phone) for phone in phones]
        script = repr((self.labels, self._columns, hop_s)).encode()
        self.fingerprint = f"sha256:{hashlib.sha256(script).hexdigest()}"

    def encode(self, audio: Audio) -> Frames:
        """Of each phone's share, a third is a blank and two thirds the phone."""
        n_frames = max(1, int(audio.duration_s / self.hop_s))
        heard = np.zeros(n_frames, dtype=np.int64)
        for i, column in enumerate(self._columns):
            first, past_last = (
                n_frames * (3 * i + part) // (3 * len(self._columns)) for part in (1, 3)
            )
            heard[first : max(past_last, first + 1)] = column
        embeddings: FloatArray = np.full((n_frames, self.dim), 1e-4, dtype=np.float32)
        embeddings[np.arange(n_frames), heard] = 1.0
        log_probs = np.log(embeddings / embeddings.sum(axis=1, keepdims=True))
        return Frames(embeddings, self.hop_s, self.hop_s / 2, log_probs, self.labels)

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Each by itself."""
        return [self.encode(audio) for audio in audios]


class EvenAligner:
    """An aligner that gives every phone of the first forms an equal share of the recording."""

    name = "even"

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Cut a recording into equal shares; `frames` are not needed.

        Raises
        ------
        AlignmentError
            If a share is shorter than `SHORTEST_S`.
        """
        del frames
        canonical = pronunciation.canonical()
        if audio.duration_s < SHORTEST_S * len(canonical):
            raise AlignmentError("The recording is too short for its text.")
        edges = np.linspace(0.0, audio.duration_s, len(canonical) + 1).tolist()
        return Alignment(
            tuple(
                AlignedPhone(phone.phone, start_s, end_s, phone.word_index, stress=phone.stress)
                for phone, (start_s, end_s) in zip(canonical, pairwise(edges), strict=True)
            ),
            tuple(word.word for word in pronunciation.words),
            aligner=self.name,
        )


class ListedWords:
    """A source of pronunciations that knows a list of words.

    Parameters
    ----------
    words
        Phones of each word with spaces between them: ARPAbet with stress digits or without, or IPA.
    inventory
        The phones of the language.
    """

    name = "listed"

    def __init__(self, words: Mapping[str, str], inventory: PhoneInventory) -> None:
        scheme = "arpabet" if inventory.notation == "arpabet" else "ipa"
        self._words = {
            word: from_labels(phones.split(), inventory, scheme, self.name)
            for word, phones in words.items()
        }

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        """The one pronunciation of each word; none of others."""
        return [(self._words[word],) if word in self._words else () for word in words]


class ScriptedRecogniser:
    """A recogniser that writes the words that it is given, in equal shares of any recording."""

    name = "scripted"

    def __init__(self, words: Sequence[str], *, confidence: float = 1.0) -> None:
        self._words, self._confidence = tuple(words), confidence

    def transcribe(self, audio: Audio, language: str) -> tuple[RecognisedWord, ...]:
        """The words, whatever the language."""
        del language
        edges = np.linspace(0.0, audio.duration_s, len(self._words) + 1).tolist()
        return tuple(
            RecognisedWord(word, start_s, end_s, self._confidence)
            for word, (start_s, end_s) in zip(self._words, pairwise(edges), strict=True)
        )
