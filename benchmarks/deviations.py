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

import argparse
import csv
import hashlib
import pickle
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import nativeear
from benchmarks.speech_data import CACHE, DATA, speechocean_folder
from nativeear.indexer.corpus import read_corpus
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import Assessment, PhoneAssessment
from nativeear.scoring.assessor import Assessor
from nativeear.speech.alignment import SILENCE, Aligner, Alignment
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import AlignmentError, NativeEarError
from nativeear.speech.frames import Frames
from nativeear.speech.pronunciation import Pronunciation

SEED = 11
SPACING = 8
"""Canonical phones from one simulated error to the next."""

MIN_EXEMPLARS = 30
"""Exemplars of a phone that is put into the canonical phones."""

HIGH_SCORE = 60.0
LONG_ENOUGH_S = 1.5
"""Shorter prompts are a word or two, too little to tell texts apart by."""

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
        del frames  # the aligners measured here hear the recording itself
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


Simulation = Callable[[Alignment, Sequence[str], int], tuple[Words, list[Change]]]


def in_phones(words: Words) -> str:
    """Canonical phones as `Assessor.assess` takes them."""
    return " | ".join(" ".join(word) for word in words)


@dataclass(frozen=True)
class Prompt:
    """Native speech and its text; `exclusion` keeps it from judging itself."""

    id: str
    audio: Path
    text: str
    exclusion: Exclusion = field(default_factory=Exclusion)


def prompts(tenths: Sequence[int]) -> list[Prompt]:
    """Debian's prompts of some tenths; tenth 0 is held out of the index."""
    corpus = read_corpus("asterisk:en", language="en-US")
    return [
        Prompt(u.id, u.audio, u.text, Exclusion(utterances=frozenset({(corpus.name, u.id)})))
        for u in corpus.utterances
        if u.text and zlib.crc32(u.id.encode()) % 10 in tenths
    ]


def other_speakers(count: int = 60) -> list[Prompt]:
    """Native speech of voices that the index has never heard, drawn by the hash of its ids."""
    folder = DATA / "native-english"
    if not folder.is_dir():
        return []
    with (folder / "utterances.csv").open(encoding="utf-8", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: zlib.crc32(row["id"].encode()))
    return [Prompt(row["id"], folder / row["audio"], row["text"]) for row in rows[:count]]


def worst_learners(speakers: int = 12, each: int = 8) -> list[Prompt]:
    """Utterances of the learners whom the experts scored lowest."""
    folder = speechocean_folder()
    with (folder / "utterances.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    of_speaker: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        of_speaker[row["speaker"]] += [
            float(score) for score in row["phone_scores"].split() if score != "|"
        ]
    worst = sorted(of_speaker, key=lambda speaker: float(np.mean(of_speaker[speaker])))
    return [
        Prompt(row["id"], folder / row["audio"], row["text"])
        for speaker in worst[:speakers]
        for row in [row for row in rows if row["speaker"] == speaker][:each]
    ]


class Tally:
    """Shares and means by the name of what was counted."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float | None) -> None:
        """Count one observation; None is none."""
        if value is not None:
            self.values[name].append(float(value))


def phones_of(result: Assessment) -> list[PhoneAssessment]:
    """All canonical phones of a result in order."""
    return [phone for word in result.words for phone in word.phones]


def mismatched(result: Assessment) -> bool:
    """Whether the result warns that the text does not match."""
    return any(warning.startswith("The text does not match") for warning in result.warnings)


def measure_native(assessor: Assessor, speech: Sequence[Prompt], tally: Tally) -> None:
    """Speech as it is, and with simulated errors."""
    counts = assessor.index.manifest.counts.phones
    classes = [p for p in assessor.index.classes if p != SILENCE and counts[p] >= MIN_EXEMPLARS]
    for prompt in speech:
        audio = Audio.load(prompt.audio)
        try:
            result = assessor.assess(audio, prompt.text, exclusion=prompt.exclusion)
            base = assessor.aligner.align(audio, assessor.pronouncer.pronounce(prompt.text))
        except NativeEarError:
            continue
        phones = phones_of(result)
        for phone in phones:
            tally.add("as said: deleted (false)", phone.verdict == "deleted")
            tally.add("as said: flagged in any way", phone.verdict != "correct")
        tally.add("as said: insertions a phone (false)", None)
        tally.values["as said: insertions a phone (false)"] += [
            len(result.insertions) / len(phones)
        ] * len(phones)
        tally.add("as said: mismatch warning (false)", mismatched(result))
        tally.add("as said: lowest overall score", result.score.overall)
        seed = zlib.crc32(prompt.id.encode())
        for count, change in (
            (count_added, add_phones),
            (count_removed, remove_phones),
            (count_exchanged, exchange_phones),
        ):
            words, changes = change(base, classes, seed)
            changed = assessor.assess(audio, phones=in_phones(words), exclusion=prompt.exclusion)
            count(changed, changes, tally)


def count_added(result: Assessment, changes: Sequence[Change], tally: Tally) -> None:
    """Simulated deletions."""
    phones = phones_of(result)
    for change in changes:
        phone = phones[change.at]
        tally.add("phone never said: deleted (recall)", phone.verdict == "deleted")
        tally.add("phone never said: flagged in any way", phone.verdict != "correct")
        tally.add("phone never said: mean score", phone.score)
        tally.add("phone never said: scores above 60", (phone.score or 0.0) > HIGH_SCORE)
        for at in (change.at - 1, change.at + 1):
            if 0 <= at < len(phones):
                verdict = phones[at].verdict
                tally.add("phone never said: neighbour called deleted", verdict == "deleted")
                tally.add("phone never said: neighbour flagged", verdict != "correct")


def count_removed(result: Assessment, changes: Sequence[Change], tally: Tally) -> None:
    """Simulated insertions."""
    phones = [(phone, i) for i, word in enumerate(result.words) for phone in word.phones]
    for change in changes:
        word = phones[min(change.at, len(phones) - 1)][1]
        hits = [
            found
            for found in result.insertions
            if abs(found.after_word_index - word) <= 1
            and found.start_s < change.end_s
            and found.end_s > change.start_s
        ]
        tally.add("phone not meant: insertion (recall)", bool(hits))
        if hits:
            tally.add(
                "phone not meant: named rightly, of those found",
                any(found.phone == change.phone for found in hits),
            )


def count_exchanged(result: Assessment, changes: Sequence[Change], tally: Tally) -> None:
    """Simulated substitutions, which are neither."""
    phones = phones_of(result)
    for change in changes:
        phone = phones[change.at]
        tally.add("another phone meant: flagged in any way", phone.verdict != "correct")
        tally.add("another phone meant: called deleted", phone.verdict == "deleted")
        start_s, end_s = phone.start_s or 0.0, phone.end_s or 0.0
        tally.add(
            "another phone meant: insertion beside it",
            any(f.start_s < end_s + 0.1 and f.end_s > start_s - 0.1 for f in result.insertions),
        )


def measure_controls(assessor: Assessor, speech: Sequence[Prompt], tally: Tally) -> None:
    """Sound that is not the text at all."""
    rng = np.random.default_rng(SEED)
    long = [(p, Audio.load(p.audio)) for p in speech]
    long = [(p, audio) for p, audio in long if audio.duration_s > LONG_ENOUGH_S]
    for i, (prompt, audio) in enumerate(long):
        n = len(audio.samples)
        others = [other for _, other in long if other is not audio]
        babble = np.mean(
            [np.resize(other.samples, n) for other in others[i : i + 4] or others[:4]], 0
        )
        tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(n) / SAMPLE_RATE)
        wrong = long[(i + 1) % len(long)][0]
        sounds = {
            "white noise": (rng.normal(size=n) * 0.1, prompt.text),
            "a tone of 440 Hz": (tone, prompt.text),
            "babble of four other prompts": (babble, prompt.text),
            "another sentence's text": (audio.samples, wrong.text),
        }
        for name, (samples, text) in sounds.items():
            try:
                result = assessor.assess(
                    Audio(np.ascontiguousarray(samples, dtype=np.float32)),
                    text,
                    exclusion=Exclusion(prompt.exclusion.utterances),
                )
            except NativeEarError:
                tally.add(f"{name}: refused", 1.0)
                continue
            tally.add(f"{name}: overall score, mean", result.score.overall)
            tally.add(f"{name}: highest overall score", result.score.overall)
            tally.add(f"{name}: mismatch warning", mismatched(result))


def measure_learners(assessor: Assessor, tally: Tally) -> None:
    """Heavy accents must not be taken for another text."""
    for prompt in worst_learners():
        try:
            result = assessor.assess(Audio.load(prompt.audio), prompt.text)
        except NativeEarError:
            continue
        tally.add("heaviest accents: mismatch warning", mismatched(result))
        tally.add("heaviest accents: overall score, mean", result.score.overall)


def summary(name: str, values: Sequence[float]) -> str:
    """A share in per cent, or a score: its mean, or the extreme that the name asks for."""
    if "score" not in name or "scores above" in name:
        return f"{100 * np.mean(values):.2f} %"
    if "lowest" in name or "highest" in name:
        return f"{min(values) if 'lowest' in name else max(values):.0f}"
    return f"{np.mean(values):.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", default="en-US")
    parser.add_argument(
        "--tuning", action="store_true", help="the prompts that thresholds are chosen on"
    )
    options = parser.parse_args()
    assessor = nativeear.load(options.index)
    assessor.aligner = CachedAligner(assessor.aligner)

    own = prompts(TUNING_TENTHS if options.tuning else (0,))
    columns: dict[str, Tally] = {}
    first = "tuning prompts" if options.tuning else "held-out prompts"
    for name, speech in (first, own), ("other speakers", other_speakers()):
        if not speech or (options.tuning and name != first):
            continue
        columns[name] = Tally()
        measure_native(assessor, speech, columns[name])
        measure_controls(assessor, speech, columns[name])
    if not options.tuning:
        columns["learners"] = Tally()
        measure_learners(assessor, columns["learners"])

    table = Table(
        title=f"Index {assessor.index.name}, encoder {assessor.encoder.name}, seed {SEED}"
    )
    table.add_column("measure")
    for name in columns:
        table.add_column(f"{name} (n)", justify="right")
    for measure in dict.fromkeys(m for tally in columns.values() for m in tally.values):
        cells = [
            f"{summary(measure, tally.values[measure])} ({len(tally.values[measure])})"
            if tally.values.get(measure)
            else "–"
            for tally in columns.values()
        ]
        table.add_row(measure, *cells)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
