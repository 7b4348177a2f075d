"""Phones laid on recordings by the Montreal Forced Aligner, where its executable is installed.

MFA aligns a corpus, not a file: models are loaded and speakers adapted to once. So a corpus is laid
out for it: a folder per speaker, recordings and transcripts under names of our own, and a private
dictionary whose words stand for whole sets of pronunciations (`qab`), so that any phone string can
be aligned, whatever its spelling, and MFA's own rules for texts find nothing to change.

MFA can end well and have written nothing for some utterances, noise (`spn`) for words that it did
not take from the dictionary, or one phone over everything (its issues #114, #542, #966). So nothing
of its output is believed before it is checked; what fails is set aside with the reason.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import soundfile

from nativeear.speech.aligners.textgrid import UNKNOWN_SPEECH, read_alignment
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import (
    AlignmentError,
    InputError,
    MissingDependencyError,
    NativeEarError,
)
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.pronunciation import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.tables import table

EXECUTABLE_VARIABLE = "NATIVEEAR_MFA"
"""Environment variable: path of the executable, for a conda environment that isn't active."""

MODEL_VARIABLE = "NATIVEEAR_MFA_MODEL"
"""Environment variable: name or path of the acoustic model, instead of the language's usual one."""

STARTUP_S = 600.0
SECONDS_PER_SECOND = 3.0
"""How long MFA may take: to start and set up its database, and for each second of sound."""

SWALLOWED_SHARE = 0.7
SWALLOWED_FROM = 4
"""One phone of this many or more takes so much of the speech only where the others fit nowhere."""

SQUEEZED_S = 0.03
"""Shorter phones on average (33 a second) are a text that has no room in its recording."""

_LETTERS = "abcdefghij"
_LOG_LINES = 3


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
class MfaOutcome:
    """What MFA made of a corpus: every id is in exactly one of the two.

    Attributes
    ----------
    alignments
        By id. MFA tells no confidence: every score is 1.
    set_aside
        By id, the reason in one plain sentence.
    """

    alignments: Mapping[str, Alignment]
    set_aside: Mapping[str, str]


class MfaAligner:
    """Aligns with the `mfa` executable (Montreal Forced Aligner 2 or 3).

    Parameters
    ----------
    language
        BCP 47 tag.
    model
        Name or path of an acoustic model; by default that of `MODEL_VARIABLE`, else the usual one
        of the language (`speech/data/mfa_models.csv`). An unknown model is given the inventory's
        own symbols, ARPAbet with stress digits in English.
    executable
        Path of `mfa`; by default that of `EXECUTABLE_VARIABLE`, else the one on the PATH.
    timeout_s
        Seconds until MFA is stopped; by default they grow with the corpus.
    jobs
        Processes that MFA may use.

    Raises
    ------
    MissingDependencyError
        If there is no executable.
    InputError
        If no acoustic model is known for the language.
    """

    name = "mfa"

    def __init__(
        self,
        language: str = "en-US",
        *,
        model: str | None = None,
        executable: str | Path | None = None,
        timeout_s: float | None = None,
        jobs: int = 1,
    ) -> None:
        self.language = language
        self.model = model or os.environ.get(MODEL_VARIABLE) or _usual_model(language)
        self.executable = _find(executable or os.environ.get(EXECUTABLE_VARIABLE), self.model)
        self.timeout_s = timeout_s
        self.jobs = jobs
        self._labels = _Labels(PhoneInventory.load(language), _models().get(self.model, ()))

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording; `frames` are not needed.

        MFA takes many seconds to start: give it whole corpora with `align_corpus`.

        Raises
        ------
        AlignmentError
            If MFA fails, or its alignment does not hold.
        InputError
            If the pronunciation is of another language.
        """
        del frames
        outcome = self.align_corpus([MfaItem("recording", audio, pronunciation)])
        for reason in outcome.set_aside.values():
            raise AlignmentError(
                "The phones could not be laid on the recording.",
                cause=reason,
                fix="Check that this recording and this text belong together.",
            )
        return outcome.alignments["recording"]

    def align_corpus(
        self, items: Sequence[MfaItem], out_dir: str | Path | None = None
    ) -> MfaOutcome:
        """Align a corpus in one run.

        Parameters
        ----------
        items
            The recordings; ids are unique.
        out_dir
            Empty or new folder where corpus, dictionary, MFA's own TextGrids and its log stay to
            be looked at; by default they go when the run is over.

        Raises
        ------
        AlignmentError
            If MFA fails as a whole or takes too long. Single utterances are set aside instead.
        InputError
            If an id is not unique, or a pronunciation is of another language.
        """
        self._check(items)
        if out_dir is not None:
            return self._run(items, Path(out_dir))
        with tempfile.TemporaryDirectory(prefix="nativeear-mfa-") as folder:
            return self._run(items, Path(folder))

    def _check(self, items: Sequence[MfaItem]) -> None:
        seen: set[str] = set()
        for item in items:
            if item.id in seen:
                raise InputError(f"The id {item.id!r} occurs twice.", fix="Make ids unique.")
            seen.add(item.id)
            if primary_subtag(item.pronunciation.language) != primary_subtag(self.language):
                raise InputError(
                    f"{item.id!r} is {item.pronunciation.language}, the aligner's model is of"
                    f" {self.language}.",
                    fix="Make one aligner for each language.",
                )

    def _run(self, items: Sequence[MfaItem], folder: Path) -> MfaOutcome:
        laid_out = _LaidOut(folder, self._labels)
        set_aside: dict[str, str] = {}
        for item in items:
            try:
                laid_out.add(item)
            except NativeEarError as error:
                set_aside[item.id] = _sentence(error)
        alignments: dict[str, Alignment] = {}
        if laid_out.utterances:
            laid_out.write_dictionary()
            self._call(laid_out)
        for utterance in laid_out.utterances:
            try:
                alignments[utterance.item.id] = self._read(utterance)
            except NativeEarError as error:
                set_aside[utterance.item.id] = _sentence(error)
        return MfaOutcome(alignments, set_aside)

    def _call(self, laid_out: _LaidOut) -> None:
        folder = laid_out.folder
        command = [self.executable, "align", str(laid_out.corpus), str(laid_out.dictionary)]
        command += [self.model, str(laid_out.grids), "--output_format", "long_textgrid"]
        command += ["--clean", "--final_clean", "--overwrite", "--no_tokenization"]
        command += ["--temporary_directory", str(folder / "temporary")]
        command += ["--num_jobs", str(self.jobs)]
        seconds = STARTUP_S + SECONDS_PER_SECOND * laid_out.seconds
        log = folder / "mfa.log"
        code = _call(command, log, self.timeout_s or seconds)
        if code is None:
            raise AlignmentError(
                f"The Montreal Forced Aligner took longer than {self.timeout_s or seconds:.0f} s.",
                cause=_last_words(log) or "It said nothing.",
                fix="Give it fewer recordings, or a longer timeout_s.",
            )
        if code:
            raise AlignmentError(
                f"The Montreal Forced Aligner stopped with exit code {code}.",
                cause=_last_words(log) or "It said nothing.",
                fix=f"If its model is missing: mfa model download acoustic {self.model}",
            )

    def _read(self, utterance: _Utterance) -> Alignment:
        item = utterance.item
        if not utterance.grid.is_file():
            raise AlignmentError("mfa ended without an error and wrote no TextGrid for it.")
        try:
            read = read_alignment(
                utterance.grid,
                self._labels.inventory,
                duration_s=utterance.duration_s,
                scheme=self._labels.scheme,
            )
        except InputError as error:
            words = _sentence(error).replace(str(utterance.grid), "the TextGrid")
            raise AlignmentError(f"mfa wrote what cannot be read: {words}") from error
        if read.words != utterance.entries or any(p.phone == UNKNOWN_SPEECH for p in read.phones):
            raise AlignmentError("mfa left a word or a stretch of the recording without phones.")
        variants = []
        spoken: list[AlignedPhone] = []
        for index, word in enumerate(item.pronunciation.words):
            phones = [phone for phone in read.spoken if phone.word_index == index]
            variant = self._labels.taken(word, phones)
            variants.append(variant)
            sequence = word.variants[variant]
            spoken += [
                replace(phone, phone=symbol, stress=stress)
                for phone, symbol, stress in zip(
                    phones, sequence.phones, sequence.stress, strict=True
                )
            ]
        _check_spread(spoken)
        ours = iter(spoken)
        return Alignment(
            phones=tuple(phone if phone.is_silence else next(ours) for phone in read.phones),
            words=tuple(word.word for word in item.pronunciation.words),
            variants=tuple(variants),
            aligner=self.name,
        )


def load(language: str = "en-US") -> MfaAligner:
    """Make the aligner.

    Raises
    ------
    MissingDependencyError
        If there is no `mfa` executable.
    InputError
        If no acoustic model is known for the language.
    """
    return MfaAligner(language)


class _Labels:
    """How an acoustic model writes the phones of an inventory.

    A phone that the model lacks is written as the nearest one that it has: the model listens for
    that, and the alignment names ours.
    """

    def __init__(self, inventory: PhoneInventory, labels: Sequence[str]) -> None:
        self.inventory = inventory
        arpabet = inventory.notation == "arpabet" and (not labels or "AA1" in labels)
        self.scheme = "arpabet" if arpabet else "mfa" if labels else None
        self._labels = _table(inventory, labels) if self.scheme == "mfa" else {}

    def write(self, sequence: PhoneSequence) -> tuple[str, ...]:
        """The labels of one pronunciation."""
        return tuple(
            self._label(phone, stress)
            for phone, stress in zip(sequence.phones, sequence.stress, strict=True)
        )

    def taken(self, word: WordPronunciation, phones: Sequence[AlignedPhone]) -> int:
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
        heard = [phone.stress for phone in phones]
        return next((i for i in fitting if list(word.variants[i].stress) == heard), fitting[0])

    def _label(self, phone: str, stress: int | None) -> str:
        if self.scheme != "arpabet":
            return self._labels.get(phone, phone)
        if not self.inventory.is_syllabic(phone):
            return phone
        # An unmarked AH is a schwa more often than not; other vowels are mostly stressed.
        return f"{phone}{(0 if phone == 'AH' else 1) if stress is None else stress}"


@dataclass(frozen=True)
class _Utterance:
    """A recording as it was laid out, and where MFA will put its TextGrid."""

    item: MfaItem
    entries: tuple[str, ...]
    grid: Path
    duration_s: float


class _LaidOut:
    """A corpus in MFA's layout, under names of our own: ids may hold anything."""

    def __init__(self, folder: Path, labels: _Labels) -> None:
        self.folder = folder
        self.corpus = folder / "corpus"
        self.grids = folder / "aligned"
        self.dictionary = folder / "dictionary.dict"
        self.utterances: list[_Utterance] = []
        self.seconds = 0.0
        self._labels = labels
        self._entries: dict[tuple[tuple[str, ...], ...], str] = {}
        self._speakers: dict[str, str] = {}
        self.corpus.mkdir(parents=True, exist_ok=True)

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
        recording = self.corpus / stem.with_suffix(".wav")
        recording.parent.mkdir(exist_ok=True)
        soundfile.write(recording, audio.samples, SAMPLE_RATE, subtype="PCM_16")
        recording.with_suffix(".lab").write_text(" ".join(entries), encoding="utf-8")
        grid = self.grids / stem.with_suffix(".TextGrid")
        self.utterances.append(_Utterance(item, entries, grid, audio.duration_s))
        self.seconds += audio.duration_s

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


def _table(inventory: PhoneInventory, labels: Sequence[str]) -> dict[str, str]:
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


def _check_spread(spoken: Sequence[AlignedPhone]) -> None:
    """Refuse the shapes that a text gets which does not belong to its recording."""
    durations_s = [phone.duration_s for phone in spoken]
    longest = max(spoken, key=lambda phone: phone.duration_s)
    share = longest.duration_s / sum(durations_s)
    if len(spoken) >= SWALLOWED_FROM and share > SWALLOWED_SHARE:
        raise AlignmentError(
            f"mfa gave {share:.0%} of the speech to one phone, {longest.phone} at"
            f" {longest.start_s:.2f} s."
        )
    if len(spoken) >= SWALLOWED_FROM and mean(durations_s) < SQUEEZED_S:
        raise AlignmentError(
            f"mfa squeezed {len(spoken)} phones into {sum(durations_s):.2f} s of speech."
        )


def _call(command: Sequence[str], log: Path, timeout_s: float) -> int | None:
    """Exit code, or None where time ran out; everything that is said goes into the log."""
    # Its own folder first, so that it finds Kaldi where its environment isn't active.
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": path},
            start_new_session=True,
        )
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop MFA and the processes that it has started, if it has not ended."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
    return " ".join([line for line in lines if line][-_LOG_LINES:])[-500:]


def _sentence(error: NativeEarError) -> str:
    return " ".join(filter(None, (error.message, error.cause)))


def _find(executable: str | Path | None, model: str) -> str:
    found = shutil.which(str(executable or "mfa"))
    if found is None:
        raise MissingDependencyError(
            "The Montreal Forced Aligner is not installed.",
            cause=f"There is no executable {executable}."
            if executable
            else "There is no mfa on the PATH.",
            fix="conda create -n aligner -c conda-forge montreal-forced-aligner && conda activate"
            f" aligner && mfa model download acoustic {model}"
            f" (or name the executable in {EXECUTABLE_VARIABLE}).",
        )
    return found


def _usual_model(language: str) -> str:
    usual = {row["language"]: row["model"] for row in reversed(table("mfa_models"))}
    model = usual.get(primary_subtag(language))
    if model is None:
        raise InputError(
            f"No acoustic model of the Montreal Forced Aligner is known here for {language!r}.",
            cause=f"There is one for {', '.join(sorted(usual))}.",
            fix=f"Name one in {MODEL_VARIABLE}; `mfa model download acoustic` lists them.",
        )
    return model


def _models() -> dict[str, tuple[str, ...]]:
    """Phones of every known model, as its maker's dictionary has them."""
    return {row["model"]: tuple(row["phones"].split()) for row in table("mfa_models")}
