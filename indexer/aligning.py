"""A native corpus → one TextGrid per utterance, for Praat and for builds that come later."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nativeear.indexer.assembly import Progress, no_progress
from nativeear.indexer.corpus import Corpus, Utterance, read_corpus
from nativeear.indexer.fitting import fit_from_speech, has_to_learn
from nativeear.indexer.phones import inventory_of
from nativeear.indexer.pooled_corpora import nothing_usable
from nativeear.indexer.textgrid_files import (
    align_with_mfa,
    safe_name,
    textgrid_path,
    write_textgrid,
)
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler, reason_of
from nativeear.indexer.worker_pool import start_workers
from nativeear.indexes.index_files import ALIGNER
from nativeear.speech.errors import InputError, NativeEarError

STAGE = "Aligning"

Job = tuple[Utterance, Path]
"""An utterance and the file that its TextGrid goes to."""


@dataclass(frozen=True)
class AligningRequest:
    """What to align, and where the TextGrids go."""

    # Folders, manifests or short forms such as `asterisk:en`; one or more. The TextGrids of several
    # lie in a folder each, named as the corpus.
    corpora: tuple[str, ...]
    language: str  # BCP 47 tag
    out: Path  # folder of the TextGrids
    # See `nativeear align --help`.
    aligner: str = "auto"
    encoder: str = "default"
    layer: int | None = None
    reader: str = "auto"
    # As in `indexer.build.BuildRequest`.
    g2p: str | None = None
    lexicon: Path | None = None
    workers: int = 1  # processes that decode and align
    resume: bool = False  # keep the TextGrids that are there already, whoever made them


@dataclass(frozen=True)
class AligningReport:
    """What came of it. `kept` were there already; `set_aside` pairs ids with reasons."""

    out: Path
    aligned: int
    kept: int
    set_aside: tuple[tuple[str, str], ...]
    seconds: float


def align_corpora(request: AligningRequest, progress: Progress = no_progress) -> AligningReport:
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
    pooler = UtterancePooler(
        PoolingRequest(
            language=request.language,
            aligner=request.aligner,
            encoder=request.encoder,
            layer=request.layer,
            pooling="middle-third",
            g2p=request.g2p,
            lexicon=request.lexicon,
            inventory=inventory_of(
                corpora, request.language, lexicon=request.lexicon, g2p=request.g2p
            ),
        )
    )
    set_aside = [(item.id, item.reason) for corpus in corpora for item in corpus.set_aside]
    jobs = _jobs(corpora, request.out)
    todo = [(utterance, grid) for utterance, grid in jobs if not grid.exists()]
    if len(todo) < len(jobs) and not request.resume:
        raise InputError(
            f"{len(jobs) - len(todo)} of the TextGrids exist already in {request.out}.",
            cause="They are never overwritten.",
            fix="Keep them with --resume, or choose another --out.",
        )
    done = kept = len(jobs) - len(todo)
    progress(STAGE, done, len(jobs))
    aligned = 0
    for utterance, _, reason in _run(request, pooler, todo, progress):
        if reason:
            set_aside.append((utterance.id, reason))
        else:
            aligned += 1
        done += 1
        progress(STAGE, done, len(jobs))
    if not aligned and not kept:
        raise nothing_usable("aligned", set_aside)
    return AligningReport(request.out, aligned, kept, tuple(set_aside), time.monotonic() - started)


def _jobs(corpora: Sequence[Corpus], out: Path) -> list[Job]:
    jobs: list[Job] = []
    taken: set[str] = set()
    for corpus in corpora:
        folder = out if len(corpora) == 1 else out / safe_name(corpus.name.replace("/", "_"))
        for utterance in corpus.utterances:
            grid = textgrid_path(folder, utterance.id)
            # Ids that differ in case alone are one file to some systems.
            if str(grid).casefold() in taken:
                digest = hashlib.sha256(f"{corpus.name}\0{utterance.id}".encode()).hexdigest()[:8]
                grid = grid.with_name(f"{grid.stem}-{digest}.TextGrid")
            taken.add(str(grid).casefold())
            jobs.append((utterance, grid))
    return jobs


def _run(
    request: AligningRequest, pooler: UtterancePooler, jobs: Sequence[Job], progress: Progress
) -> Iterator[tuple[Utterance, Path, str]]:
    """Every job with the reason for which it is set aside, '' where its TextGrid is written."""
    if not jobs:
        return
    if pooler.aligner_name == "mfa":
        yield from align_with_mfa(jobs, pooler, request.out, request.workers)
        return
    utterances, grids = [job[0] for job in jobs], [job[1] for job in jobs]
    work = request.out / ".aligning"
    # Whoever brings alignments, and is asked for nothing else, has nothing to learn.
    learns = request.aligner != "textgrid" and has_to_learn(pooler)
    if learns:
        work.mkdir(parents=True, exist_ok=True)
        pooler = pooler.with_model(work / ALIGNER)
    with start_workers(pooler, request.workers if len(jobs) > 1 else 1) as run:
        if learns:
            fit_from_speech(
                pooler,
                utterances,
                work / ALIGNER,
                run,
                workers=request.workers,
                progress=progress,
            )
        reasons = run(partial(align_into, out=request.out), utterances, grids)
        yield from zip(utterances, grids, reasons, strict=True)
    shutil.rmtree(work, ignore_errors=True)


def align_into(pooler: UtterancePooler, utterance: Utterance, grid: Path, *, out: Path) -> str:
    """Align and write one TextGrid below `out`; returns the reason if it is set aside, else ''."""
    try:
        alignment = pooler.alignment_of(utterance)
    except NativeEarError as error:
        return reason_of(error)
    return write_textgrid(alignment, grid, out)
