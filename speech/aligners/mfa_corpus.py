"""A corpus as the Montreal Forced Aligner wants it.

A folder per speaker, recordings and transcripts under names of our own, and a private dictionary
whose words stand for whole sets of pronunciations (`qab`), so that any phone string can be aligned,
whatever its spelling, and MFA's own rules for texts find nothing to change.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.canonical import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.inventory import PhoneInventory

_LETTERS = "abcdefghij"


@dataclass(frozen=True)
class MfaItem:
    """One recording of a corpus.

    Attributes
    ----------
    id
        Unique within the corpus; may hold anything.
    audio
        The recording, or what loads it when its turn comes.
    pronunciation
        What is said.
    speaker
        Who says it; MFA adapts to each speaker.
    """

    id: str
    audio: Audio | Callable[[], Audio]
    pronunciation: Pronunciation
    speaker: str = "unknown"


@dataclass(frozen=True)
class Utterance:
    """A recording as it was laid out, and where MFA will put its TextGrid."""

    item: MfaItem
    entries: tuple[str, ...]
    grid: Path
    duration_s: float


class MfaLabels:
    """How an acoustic model writes the phones of an inventory.

    A phone that the model lacks is written as the nearest one that it has: the model listens for
    that, and the alignment names ours.

    Parameters
    ----------
    labels
        Those of the model; empty where it is not known, and takes the inventory's own symbols.
    """

    def __init__(self, inventory: PhoneInventory, labels: Sequence[str]) -> None:
        self.inventory = inventory
        arpabet = inventory.notation == "arpabet" and (not labels or "AA1" in labels)
        self.scheme = "arpabet" if arpabet else "mfa" if labels else None
        self._labels = _label_of_each(inventory, labels) if self.scheme == "mfa" else {}

    def write(self, form: PhoneSequence) -> tuple[str, ...]:
        """The labels of one pronunciation."""
        return tuple(map(self._label, form.phones, form.stress))

    def variant_of(self, word: WordPronunciation, phones: Sequence[AlignedPhone]) -> int:
        """Which variant of a word was found.

        Raises
        ------
        AlignmentError
            If these are the phones of none.
        """
        found = [phone.phone for phone in phones]
        fitting = [
            index
            for index, variant in enumerate(word.variants)
            if [self.inventory.symbol(label, self.scheme) for label in self.write(variant)] == found
        ]
        if not fitting:
            raise AlignmentError(
                f"mfa laid {' '.join(found) or 'no phone'} on {word.word!r}, which is none of its"
                " pronunciations."
            )
        # Where variants differ in stress only, the digits that came back tell.
        stress = tuple(phone.stress for phone in phones)
        return next((i for i in fitting if word.variants[i].stress == stress), fitting[0])

    def _label(self, phone: str, stress: int | None) -> str:
        if self.scheme != "arpabet":
            return self._labels.get(phone, phone)
        if not self.inventory.is_syllabic(phone):
            return phone
        # An unmarked AH is a schwa more often than not; other vowels are mostly stressed.
        return f"{phone}{(0 if phone == 'AH' else 1) if stress is None else stress}"


class MfaCorpus:
    """A corpus laid out in a folder, under names of our own: ids may hold anything."""

    def __init__(self, folder: Path, labels: MfaLabels) -> None:
        self.folder = folder
        self.recordings = folder / "corpus"
        self.grids = folder / "aligned"
        self.dictionary = folder / "dictionary.dict"
        self.utterances: list[Utterance] = []
        self._labels = labels
        self._entries: dict[tuple[tuple[str, ...], ...], str] = {}
        self._speakers: dict[str, str] = {}
        self.recordings.mkdir(parents=True, exist_ok=True)

    @property
    def duration_s(self) -> float:
        """Length of all recordings together."""
        return sum(utterance.duration_s for utterance in self.utterances)

    def add(self, item: MfaItem) -> None:
        """Write the recording and its transcript."""
        entries = tuple(self._entry(word) for word in item.pronunciation.words)
        if not entries:
            raise AlignmentError("There are no words to align.")
        audio = item.audio if isinstance(item.audio, Audio) else item.audio()
        if audio.sample_rate != SAMPLE_RATE:
            raise InputError(f"The recording has {audio.sample_rate} Hz, not {SAMPLE_RATE}.")
        speaker = self._speakers.setdefault(item.speaker, f"s{len(self._speakers):05d}")
        stem = Path(speaker) / f"u{len(self.utterances):07d}"
        recording = self.recordings / stem.with_suffix(".wav")
        recording.parent.mkdir(exist_ok=True)
        soundfile.write(recording, audio.samples, SAMPLE_RATE, subtype="PCM_16")
        recording.with_suffix(".lab").write_text(" ".join(entries), encoding="utf-8")
        grid = self.grids / stem.with_suffix(".TextGrid")
        self.utterances.append(Utterance(item, entries, grid, audio.duration_s))

    def write_dictionary(self) -> None:
        """Write every entry with its pronunciations, one a line."""
        lines = [
            f"{entry}\t{' '.join(labels)}\n"
            for variants, entry in self._entries.items()
            for labels in variants
        ]
        self.dictionary.write_text("".join(lines), encoding="utf-8")

    def _entry(self, word: WordPronunciation) -> str:
        """The word of the private dictionary that stands for these pronunciations."""
        variants = tuple(
            dict.fromkeys(self._labels.write(variant) for variant in word.variants if len(variant))
        )
        if not variants:
            raise AlignmentError(f"The word {word.word!r} has no phones to align.")
        # Letters alone, for MFA's tokenisers; no English contraction begins with q.
        number = "".join(_LETTERS[int(digit)] for digit in str(len(self._entries)))
        return self._entries.setdefault(variants, f"q{number}")


def _label_of_each(inventory: PhoneInventory, labels: Sequence[str]) -> dict[str, str]:
    """A model's label for every symbol of the inventory."""
    choices: dict[str, list[str]] = {}
    for label in labels:
        symbols = inventory.split(label, "mfa") if inventory.knows(label, "mfa") else ()
        if len(symbols) == 1:
            choices.setdefault(symbols[0], []).append(label)

    def nearest(symbol: str) -> str:
        kind = inventory.phone(symbol).kind
        alike = [known for known in choices if inventory.phone(known).kind == kind]
        return min(alike or choices, key=lambda known: inventory.distance(symbol, known))

    def plainness(symbol: str, label: str) -> tuple[bool, int, int]:
        modifiers = sum(unicodedata.category(char) == "Lm" for char in label)
        return label not in {symbol, inventory.ipa(symbol)}, modifiers, len(label)

    table = {}
    for symbol in inventory.symbols:
        known = symbol if symbol in choices else nearest(symbol)
        table[symbol] = min(choices[known], key=lambda label: plainness(known, label))
    return table
