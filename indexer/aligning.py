"""A native corpus → one TextGrid per utterance, for Praat and for builds that come later."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from indexer.corpus import Corpus, Utterance, read_corpus
from indexer.utterances import PoolingRequest, UtterancePooler
from speech.aligners.mfa import MfaAligner, MfaItem
from speech.alignment import AlignedPhone, Alignment
from speech.audio import Audio
from speech.errors import CorpusError, InputError, NativeEarError
from speech.pronunciation import Pronouncer, given_phones
from speech.textgrid import TextGrid

STAGE = "Aligning"
MFA_BATCH = 1000
"""Utterances that MFA gets at a time: it starts slowly, and what it has done is kept only then."""

MAX_NAME = 120
"""Bytes of one part of a path, before what is added; file systems take 255."""

SLIVER_S = 1e-6

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class AligningRequest:
    """What to align, and where the TextGrids go.

    Attributes
    ----------
    corpora
        Folders, manifests or short forms such as `asterisk:en`; one or more. The TextGrids of
        several lie in a folder each, named as the corpus.
    language
        BCP 47 tag.
    out
        Folder of the TextGrids.
    aligner, encoder, layer, reader
        See `nativeear align --help`.
    workers
        Processes that decode and align.
    resume
        Keep the TextGrids that are there already, whoever made them.
    """

    corpora: tuple[str, ...]
    language: str
    out: Path
    aligner: str = "auto"
    encoder: str = "default"
    layer: int | None = None
    reader: str = "auto"
    workers: int = 1
    resume: bool = False


@dataclass(frozen=True)
class AligningReport:
    """What came of it. `kept` were there already; `set_aside` pairs ids with reasons."""

    out: Path
    aligned: int
    kept: int
    set_aside: tuple[tuple[str, str], ...]
    seconds: float


class UtteranceAligner:
    """Aligns one utterance after another, whatever the aligner needs for it."""

    def __init__(self, request: AligningRequest) -> None:
        self.request = request
        pooling = PoolingRequest(
            language=request.language,
            aligner=request.aligner,
            encoder=request.encoder,
            layer=request.layer,
            pooling="middle-third",
        )
        self._pooler = UtterancePooler(pooling)

    def align_one(self, utterance: Utterance) -> Alignment:
        """Decode and align one utterance.

        Raises
        ------
        NativeEarError
            If any step refuses it; the caller sets the utterance aside with this reason.
        """
        return self._pooler._align(utterance, _load(utterance))


@dataclass(frozen=True)
class _Job:
    """An utterance and the file that its TextGrid goes to."""

    utterance: Utterance
    grid: Path


def align_corpora(request: AligningRequest, progress: Progress = lambda *_: None) -> AligningReport:
    """Align every utterance and write its TextGrid, whole or not at all.

    Raises
    ------
    CorpusError
        If no utterance could be aligned. Single broken utterances are set aside instead.
    InputError
        If TextGrids are in the way and the request does not resume.
    """
    started = time.monotonic()
    corpora = [
        read_corpus(path, reader=request.reader, language=request.language)
        for path in request.corpora
    ]
    set_aside = [(item.id, item.reason) for corpus in corpora for item in corpus.set_aside]
    jobs = _jobs(corpora, request.out)
    todo = [job for job in jobs if not job.grid.exists()]
    if len(todo) < len(jobs) and not request.resume:
        raise InputError(
            f"{len(jobs) - len(todo)} of the TextGrids exist already in {request.out}.",
            cause="They are never overwritten.",
            fix="Keep them with --resume, or choose another --out.",
        )
    done = kept = len(jobs) - len(todo)
    progress(STAGE, done, len(jobs))
    aligned = 0
    for job, reason in _run(request, todo):
        if reason:
            set_aside.append((job.utterance.id, reason))
        else:
            aligned += 1
        done += 1
        progress(STAGE, done, len(jobs))
    if not aligned and not kept:
        first = f" For instance {set_aside[0][0]}: {set_aside[0][1]}" if set_aside else ""
        raise CorpusError(
            "No utterance of the corpus could be aligned.",
            cause=f"{len(set_aside)} were set aside.{first}",
            fix="Check that audio, texts and language belong together.",
        )
    return AligningReport(request.out, aligned, kept, tuple(set_aside), time.monotonic() - started)


def grid_path(out: Path, identity: str) -> Path:
    """File of an utterance's TextGrid: sub-folders as in the id, always inside `out`.

    What a file system may not take, and what would lead elsewhere, is replaced by `_`; such a name
    ends in a digest of the id, so that two ids never meet in one file.
    """
    parts = [_safe(part) for part in identity.split("/") if part not in {"", "."}] or ["_"]
    if "/".join(parts) != identity:
        digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        parts[-1] += f"-{digest}"
    return out.joinpath(*parts[:-1], f"{parts[-1]}.TextGrid")


def _safe(part: str) -> str:
    whole = part.encode("utf-8", "replace")
    clean = _UNSAFE.sub("_", whole[:MAX_NAME].decode("utf-8", "ignore"))
    clean = clean.rstrip(". ") or "_"
    return f"_{clean}" if _RESERVED.fullmatch(clean) else clean


def _jobs(corpora: Sequence[Corpus], out: Path) -> list[_Job]:
    jobs: list[_Job] = []
    taken: set[str] = set()
    for corpus in corpora:
        folder = out if len(corpora) == 1 else out / _safe(corpus.name.replace("/", "_"))
        for utterance in corpus.utterances:
            grid = grid_path(folder, utterance.id)
            # Ids that differ in case alone are one file to some systems.
            if str(grid).casefold() in taken:
                digest = hashlib.sha256(f"{corpus.name}\0{utterance.id}".encode()).hexdigest()[:8]
                grid = grid.with_name(f"{grid.stem}-{digest}.TextGrid")
            taken.add(str(grid).casefold())
            jobs.append(_Job(utterance, grid))
    return jobs


def _run(request: AligningRequest, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, str]]:
    """Every job with the reason for which it is set aside, '' where its TextGrid is written."""
    if not jobs:
        return
    if request.aligner == "mfa":
        yield from _run_mfa(request, jobs)
    elif request.workers <= 1 or len(jobs) == 1:
        aligner = UtteranceAligner(request)
        for job in jobs:
            yield job, _align_into(aligner, job)
    else:
        # Spawned, not forked: torch does not survive a fork of its threads.
        with ProcessPoolExecutor(
            request.workers,
            mp_context=get_context("spawn"),
            initializer=_start_worker,
            initargs=(request,),
        ) as executor:
            try:
                yield from zip(jobs, executor.map(_work, jobs, chunksize=4), strict=True)
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise


def _run_mfa(request: AligningRequest, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, str]]:
    """MFA aligns many utterances in one run, and adapts to those of one speaker."""
    aligner = MfaAligner(request.language, jobs=request.workers)
    pronouncer = Pronouncer(request.language)
    ordered = sorted(jobs, key=lambda job: job.utterance.speaker)
    for start in range(0, len(ordered), MFA_BATCH):
        batch = {str(number): job for number, job in enumerate(ordered[start : start + MFA_BATCH])}
        items = []
        for number, job in batch.items():
            utterance = job.utterance
            try:
                pronunciation = (
                    pronouncer.pronounce(utterance.text or "")
                    if utterance.phones is None
                    else given_phones(
                        utterance.phones, pronouncer.inventory, utterance.text, pronouncer
                    )
                )
            except NativeEarError as error:
                yield job, _sentence(error)
                continue
            items.append(
                MfaItem(number, partial(_load, utterance), pronunciation, utterance.speaker)
            )
        outcome = aligner.align_corpus(items)
        for number, reason in outcome.set_aside.items():
            yield batch[number], reason
        for number, alignment in outcome.alignments.items():
            yield batch[number], _write(alignment, batch[number].grid, request.out)


def _load(utterance: Utterance) -> Audio:
    audio = Audio.load(utterance.audio)
    if utterance.start_s == 0.0 and utterance.end_s is None:
        return audio
    end_s = audio.duration_s if utterance.end_s is None else utterance.end_s
    return audio.slice(utterance.start_s, end_s)


def _align_into(aligner: UtteranceAligner, job: _Job) -> str:
    """Align and write one TextGrid; returns the reason if it is set aside, else ''."""
    try:
        alignment = aligner.align_one(job.utterance)
    except NativeEarError as error:
        return _sentence(error)
    return _write(alignment, job.grid, aligner.request.out)


def _write(alignment: Alignment, path: Path, out: Path) -> str:
    """Write beside and rename, so that a TextGrid is whole or absent; returns as `_align_into`."""
    if not alignment.spoken:
        return "The alignment holds no phone."
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(out.resolve()):
            return f"{path} lies outside {out}: a folder on the way is a link."
        try:
            TextGrid.from_alignment(_without_slivers(alignment)).save(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except NativeEarError as error:
        return _sentence(error)
    except OSError as error:
        return f"The TextGrid {path} cannot be written. {error}"
    return ""


def _without_slivers(alignment: Alignment) -> Alignment:
    """Close the silences that are rounding alone: nobody could click on them."""
    phones: list[AlignedPhone] = []
    for phone in alignment.phones:
        if phones and phone.is_silence and phone.duration_s < SLIVER_S:
            phones[-1] = replace(phones[-1], end_s=phone.end_s)
        else:
            phones.append(phone)
    return replace(alignment, phones=tuple(phones))


_aligner: UtteranceAligner | None = None


def _start_worker(request: AligningRequest) -> None:
    global _aligner  # noqa: PLW0603 - one per process, made by the pool's initialiser
    # Before torch is loaded: workers that each use every core only get in each other's way.
    os.environ["OMP_NUM_THREADS"] = "1"
    _aligner = UtteranceAligner(request)


def _work(job: _Job) -> str:
    if _aligner is None:
        raise RuntimeError("_start_worker was not called")
    return _align_into(_aligner, job)


def _sentence(error: NativeEarError) -> str:
    return " ".join(filter(None, (error.message, error.cause)))
