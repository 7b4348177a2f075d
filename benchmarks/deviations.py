"""Deletions, insertions and texts that do not match: how often each is found, and found in vain.

    python -m benchmarks.deviations [--tuning]

Prints one table. Every error is simulated on native speech by changing what was *meant*: a phone
that nobody said is added to the canonical phones (a deletion), a phone that was said is taken out
(an insertion), or another phone is put in its place (a substitution, which should be neither).
Changes are at least `SPACING` phones apart, so that each is heard among phones as they were said.

The thresholds in `retriever.deviations` and `scoring.assessor` were chosen with `--tuning`: native
prompts of the index, each with its own exemplars left out of the neighbours. The plain table is
the measurement: held-out prompts, other speakers, and learners with the heaviest accents.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.speech_data import CACHE
from speech.alignment import Aligner, Alignment
from speech.audio import Audio
from speech.errors import AlignmentError
from speech.frames import Frames
from speech.pronunciation import Pronunciation

SEED = 11
SPACING = 8
"""Canonical phones from one simulated error to the next."""

TUNING_TENTHS = (1, 2)
"""Tenths of the prompts, by the rule of `is_held_out`, that thresholds are chosen on."""


class CachedAligner:
    """An aligner that remembers on disk, because alignment is nearly all of the cost."""

    def __init__(self, aligner: Aligner) -> None:
        self.aligner = aligner
        self.name = aligner.name
        self.folder = CACHE / f"alignments-{aligner.name}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align, or remember; a failure is remembered too."""
        digest = hashlib.sha256(audio.samples.tobytes())
        digest.update(repr(pronunciation.words).encode())
        path = self.folder / f"{digest.hexdigest()[:32]}.pickle"
        if not path.is_file():
            try:
                found: Alignment | AlignmentError = self.aligner.align(audio, pronunciation)
            except AlignmentError as error:
                found = AlignmentError(error.message)
            partial = path.with_suffix(".partial")
            partial.write_bytes(pickle.dumps(found))
            partial.rename(path)
        found = pickle.loads(path.read_bytes())  # noqa: S301 - our own file
        if isinstance(found, AlignmentError):
            raise found
        return found


@dataclass(frozen=True)
class Change:
    """One simulated error.

    Attributes
    ----------
    at
        Its place among the changed canonical phones: the phone that was added or exchanged, or
        the one before which a phone was taken out.
    phone
        The phone added, exchanged for the old one, or taken out.
    start_s, end_s
        Where the phone that was taken out was said.
    """

    at: int
    phone: str
    start_s: float = 0.0
    end_s: float = 0.0


Words = list[list[str]]


def add_phones(
    alignment: Alignment, classes: Sequence[str], seed: int
) -> tuple[Words, list[Change]]:
    """Add phones that nobody said: simulated deletions."""
    rng = np.random.default_rng(seed)
    said = alignment.spoken
    words: Words = [[] for _ in alignment.words]
    changes: list[Change] = []
    targets = set(range(int(rng.integers(1, SPACING)), len(said), SPACING))
    for i, phone in enumerate(said):
        if i in targets:
            beside = {phone.phone, said[i - 1].phone}
            added = str(rng.choice([p for p in classes if p not in beside]))
            changes.append(Change(i + len(changes), added))
            words[phone.word_index].append(added)
        words[phone.word_index].append(phone.phone)
    return words, changes


def remove_phones(
    alignment: Alignment, classes: Sequence[str], seed: int
) -> tuple[Words, list[Change]]:
    """Take out phones that were said: simulated insertions."""
    del classes
    rng = np.random.default_rng(seed)
    said = alignment.spoken
    words: Words = [[] for _ in alignment.words]
    lengths = np.bincount([phone.word_index for phone in said], minlength=len(words))
    changes: list[Change] = []
    targets = set(range(int(rng.integers(1, SPACING)), len(said), SPACING))
    for i, phone in enumerate(said):
        if i in targets and lengths[phone.word_index] > 1:
            changes.append(Change(i - len(changes), phone.phone, phone.start_s, phone.end_s))
        else:
            words[phone.word_index].append(phone.phone)
    return words, changes


def exchange_phones(
    alignment: Alignment, classes: Sequence[str], seed: int
) -> tuple[Words, list[Change]]:
    """Put other phones in the place of those said: simulated substitutions."""
    rng = np.random.default_rng(seed)
    said = alignment.spoken
    words: Words = [[] for _ in alignment.words]
    changes: list[Change] = []
    targets = set(range(int(rng.integers(1, SPACING)), len(said), SPACING))
    for i, phone in enumerate(said):
        meant = phone.phone
        if i in targets:
            beside = {p.phone for p in said[max(0, i - 1) : i + 2]}
            meant = str(rng.choice([p for p in classes if p not in beside]))
            changes.append(Change(i, meant))
        words[phone.word_index].append(meant)
    return words, changes


def in_phones(words: Words) -> str:
    """Canonical phones as `Assessor.assess` takes them."""
    return " | ".join(" ".join(word) for word in words)
