"""Phones laid on recordings by the Montreal Forced Aligner, where its executable is installed.

MFA aligns a corpus, not a file: models are loaded and speakers adapted to once. It can end well and
have written nothing for some utterances, noise (`spn`) for words that it did not take from the
dictionary, or one phone over everything (its issues #114, #542, #966). So nothing of its output is
believed before it is checked; what fails is set aside with the reason.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from nativeear.speech.aligners.mfa_corpus import MfaCorpus, MfaItem, MfaLabels, Utterance
from nativeear.speech.aligners.textgrid import UNKNOWN_SPEECH, read_alignment
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import (
    AlignmentError,
    InputError,
    MissingDependencyError,
    NativeEarError,
)
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
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

_LOG_LINES = 3


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

    It is the one that `EXECUTABLE_VARIABLE` names, else the one on the PATH.

    Parameters
    ----------
    language
        BCP 47 tag.
    model
        Name or path of an acoustic model; by default that of `MODEL_VARIABLE`, else the usual one
        of the language (`speech/data/mfa_models.csv`). An unknown model is given the inventory's
        own symbols, ARPAbet with stress digits in English.
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
        timeout_s: float | None = None,
        jobs: int = 1,
    ) -> None:
        self.language = language
        self.model = model or os.environ.get(MODEL_VARIABLE) or _usual_model(language)
        self.executable = _find(os.environ.get(EXECUTABLE_VARIABLE), self.model)
        self.timeout_s = timeout_s
        self.jobs = jobs
        known = {row["model"]: row["phones"].split() for row in table("mfa_models")}
        self._labels = MfaLabels(PhoneInventory.load(language), known.get(self.model, []))

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
        if out_dir is not None:
            return self._run(items, Path(out_dir))
        with tempfile.TemporaryDirectory(prefix="nativeear-mfa-") as folder:
            return self._run(items, Path(folder))

    def _run(self, items: Sequence[MfaItem], folder: Path) -> MfaOutcome:
        corpus = MfaCorpus(folder, self._labels)
        set_aside: dict[str, str] = {}
        for item in items:
            try:
                corpus.add(item)
            except NativeEarError as error:
                set_aside[item.id] = _sentence(error)
        alignments: dict[str, Alignment] = {}
        if corpus.utterances:
            corpus.write_dictionary()
            self._align(corpus)
        for utterance in corpus.utterances:
            try:
                alignments[utterance.item.id] = self._read(utterance)
            except NativeEarError as error:
                set_aside[utterance.item.id] = _sentence(error)
        return MfaOutcome(alignments, set_aside)

    def _align(self, corpus: MfaCorpus) -> None:
        command = [self.executable, "align", str(corpus.recordings), str(corpus.dictionary)]
        command += [self.model, str(corpus.grids), "--output_format", "long_textgrid"]
        command += ["--clean", "--final_clean", "--overwrite", "--no_tokenization"]
        command += ["--temporary_directory", str(corpus.folder / "temporary")]
        command += ["--num_jobs", str(self.jobs)]
        log = corpus.folder / "mfa.log"
        timeout_s = self.timeout_s or STARTUP_S + SECONDS_PER_SECOND * corpus.duration_s
        code = _call(command, log, timeout_s)
        if code == 0:
            return
        lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
        last_words = " ".join([line for line in lines if line][-_LOG_LINES:])[-500:]
        raise AlignmentError(
            f"The Montreal Forced Aligner took longer than {timeout_s:.0f} s."
            if code is None
            else f"The Montreal Forced Aligner stopped with exit code {code}.",
            cause=last_words or "It said nothing.",
            fix="Give it fewer recordings, or a longer timeout_s."
            if code is None
            else f"If its model is missing: mfa model download acoustic {self.model}",
        )

    def _read(self, utterance: Utterance) -> Alignment:
        words = utterance.item.pronunciation.words
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
            reason = _sentence(error).replace(str(utterance.grid), "the TextGrid")
            raise AlignmentError(f"mfa wrote what cannot be read: {reason}") from error
        if read.words != utterance.entries or any(p.phone == UNKNOWN_SPEECH for p in read.phones):
            raise AlignmentError("mfa left a word or a stretch of the recording without phones.")
        variants = []
        spoken: list[AlignedPhone] = []
        for index, word in enumerate(words):
            phones = [phone for phone in read.spoken if phone.word_index == index]
            variants.append(self._labels.variant_of(word, phones))
            form = word.variants[variants[-1]]
            spoken += [
                replace(phone, phone=symbol, stress=stress)
                for phone, symbol, stress in zip(phones, form.phones, form.stress, strict=True)
            ]
        _check_spread(spoken)
        ours = iter(spoken)
        return Alignment(
            phones=tuple(phone if phone.is_silence else next(ours) for phone in read.phones),
            words=tuple(word.word for word in words),
            variants=tuple(variants),
            aligner=self.name,
        )


def load(language: str = "en-US") -> MfaAligner:
    """Make the aligner; see `MfaAligner` for what it refuses."""
    return MfaAligner(language)


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


def _sentence(error: NativeEarError) -> str:
    return " ".join(filter(None, (error.message, error.cause)))


def _find(executable: str | None, model: str) -> str:
    found = shutil.which(executable or "mfa")
    if found is None:
        where = f"There is no executable {executable}."
        raise MissingDependencyError(
            "The Montreal Forced Aligner is not installed.",
            cause=where if executable else "There is no mfa on the PATH.",
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
