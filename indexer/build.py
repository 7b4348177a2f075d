"""Build an index: native corpora → pooled phones → transform → decision → published folder."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from indexer.assembly import Clips, Progress, Settings, libraries, no_progress, publish_new
from indexer.corpus import LICENCE_NOT_STATED, Corpus, read_corpus
from indexer.pool import Record
from indexer.utterances import (
    PoolingRequest,
    UtterancePooler,
    pool_in_worker,
    pool_into,
    record_name,
    start_worker,
)
from indexes.locking import writing
from indexes.manifest import EncoderIdentity
from indexes.publishing import refuse_existing
from speech.errors import CorpusError
from speech.pooling import Pooling


@dataclass(frozen=True)
class BuildRequest:
    """What to build, from what.

    Attributes
    ----------
    corpora
        Folders, manifests or short forms such as `asterisk:en`; one or more.
    language
        BCP 47 tag.
    out
        Folder to publish; must not exist.
    name
        Name of the index; the folder's name if None.
    aligner, encoder, layer, pooling, reader
        See `nativeear index build --help`.
    workers
        Processes that decode, align and encode.
    clips
        Keep the recordings for playback in this format, or not.
    clips_of
        Names of the corpora whose recordings are kept; all of them if None.
    resume
        Keep the utterances that an interrupted build of the same request has finished.
    licence
        Licence of the corpora that do not state their own.
    min_rating
        Leave out phones that raters scored below this; phones that nobody rated stay.
    exclude
        Utterance ids to leave out, for instance to hold them out for measuring.
    embeddings
        Keep the pooled embeddings, so that the index can be refitted when speech is added or
        removed; without them it is smaller.
    """

    corpora: tuple[str, ...]
    language: str
    out: Path
    name: str | None = None
    aligner: str = "auto"
    encoder: str = "default"
    layer: int | None = None
    pooling: Pooling = "middle-third"
    reader: str = "auto"
    workers: int = 1
    clips: Clips | None = None
    clips_of: frozenset[str] | None = None
    resume: bool = False
    licence: str | None = None
    min_rating: float | None = None
    exclude: frozenset[str] = frozenset()
    embeddings: bool = True


@dataclass(frozen=True)
class BuildReport:
    """What came of a build. `set_aside` pairs ids with reasons."""

    path: Path
    utterances: int
    exemplars: int
    set_aside: tuple[tuple[str, str], ...]
    audio_s: float
    seconds: float
    native_accuracy: float


@dataclass(frozen=True)
class PooledCorpora:
    """What the pooling stage made of corpora. `set_aside` pairs ids with reasons."""

    records: tuple[Record, ...]
    set_aside: tuple[tuple[str, str], ...]


def build_index(request: BuildRequest, progress: Progress = no_progress) -> BuildReport:
    """Build and publish an index.

    Finished utterances rest in a work folder beside `out` until the index is published, so that
    an interrupted build can be resumed.

    Raises
    ------
    NativeEarError
        If nothing usable can be built. Single broken utterances are set aside instead.
    """
    started = time.monotonic()
    refuse_existing(request.out)
    corpora = read_corpora(
        request.corpora, language=request.language, reader=request.reader, licence=request.licence
    )
    pooler = UtterancePooler(
        PoolingRequest(
            request.language, request.aligner, request.encoder, request.layer, request.pooling
        )
    )
    work = request.out.parent / f".{request.out.name}.building"
    with writing(request.out, "nativeear index build"):
        pooled = pool_corpora(
            corpora,
            pooler,
            work,
            workers=request.workers,
            resume=request.resume,
            exclude=request.exclude,
            progress=progress,
        )
        manifest = publish_new(
            request.out,
            pooled.records,
            _settings(request, pooler, corpora),
            embeddings=request.embeddings,
            clips_of=request.clips_of,
            progress=progress,
        )
        shutil.rmtree(work)
    return BuildReport(
        path=request.out,
        utterances=manifest.counts.utterances,
        exemplars=manifest.counts.exemplars,
        set_aside=pooled.set_aside,
        audio_s=manifest.counts.audio_s,
        seconds=time.monotonic() - started,
        native_accuracy=manifest.decision.native_accuracy,
    )


def read_corpora(
    paths: Sequence[str], *, language: str, reader: str = "auto", licence: str | None = None
) -> tuple[Corpus, ...]:
    """Read corpora, to which `licence` applies where they do not state their own.

    Raises
    ------
    CorpusError
        If one cannot be read, or two hold an utterance of the same name.
    """
    corpora = []
    taken: set[tuple[str, str]] = set()
    for path in paths:
        corpus = read_corpus(path, reader=reader, language=language)
        if licence is not None and corpus.licence == LICENCE_NOT_STATED:
            corpus = replace(corpus, licence=licence)
        names = {(corpus.name, utterance.id) for utterance in corpus.utterances}
        if twice := taken & names:
            raise CorpusError(
                f"Two corpora are called {corpus.name} and hold an utterance {min(twice)[1]}.",
                fix="Name each corpus once, or give their folders different names.",
            )
        taken |= names
        corpora.append(corpus)
    return tuple(corpora)


def pool_corpora(
    corpora: Sequence[Corpus],
    pooler: UtterancePooler,
    work: Path,
    *,
    workers: int = 1,
    resume: bool = False,
    exclude: frozenset[str] = frozenset(),
    progress: Progress = no_progress,
) -> PooledCorpora:
    """Pool every utterance of corpora into a record in `work`.

    Parameters
    ----------
    work
        Folder of the records. It is emptied first, unless `resume` is set and the records there
        were made in the same way; then only what is missing is made.
    exclude
        Utterance ids to leave out.

    Raises
    ------
    CorpusError
        If nothing could be used. Single broken utterances are set aside instead.
    """
    _prepare(work, pooler, resume)
    records = [
        Record(
            corpus.name, corpus.licence, utterance, work / record_name(corpus.name, utterance.id)
        )
        for corpus in corpora
        for utterance in corpus.utterances
        if utterance.id not in exclude
    ]
    reasons = _pool_all(pooler, records, workers, progress)
    set_aside = [(item.id, item.reason) for corpus in corpora for item in corpus.set_aside]
    set_aside += [
        (record.utterance.id, reason)
        for record, reason in zip(records, reasons, strict=True)
        if reason
    ]
    kept = [record for record, reason in zip(records, reasons, strict=True) if not reason]
    if not kept:
        first = f" For instance {set_aside[0][0]}: {set_aside[0][1]}" if set_aside else ""
        raise CorpusError(
            "No utterance of the corpus could be used.",
            cause=f"{len(set_aside)} were set aside.{first}",
            fix="Check that audio, texts and language belong together.",
        )
    return PooledCorpora(tuple(kept), tuple(set_aside))


def _prepare(work: Path, pooler: UtterancePooler, resume: bool) -> None:
    """Make the folder of records; what is in it stays only if it was made in the same way."""
    request = pooler.request
    identity = json.dumps(
        [
            request.language,
            request.aligner,
            pooler.encoder.fingerprint,
            request.pooling,
            libraries(),
        ],
        sort_keys=True,
    )
    note = work / "request.json"
    same = note.is_file() and note.read_text(encoding="utf-8") == identity
    if work.exists() and not (resume and same):
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(identity, encoding="utf-8")


def _pool_all(
    pooler: UtterancePooler, records: list[Record], workers: int, progress: Progress
) -> list[str]:
    """Make every record that is not there yet; a reason per record, '' where it is fine."""
    stage = "Aligning and encoding"
    todo = [i for i, record in enumerate(records) if not record.path.is_file()]
    reasons = [""] * len(records)
    done = len(records) - len(todo)
    progress(stage, done, len(records))
    for i, reason in zip(todo, _run(pooler, [records[i] for i in todo], workers), strict=True):
        reasons[i] = reason
        done += 1
        progress(stage, done, len(records))
    return reasons


def _run(pooler: UtterancePooler, records: list[Record], workers: int) -> Iterator[str]:
    if workers <= 1 or len(records) <= 1:
        for record in records:
            yield pool_into(pooler, record.utterance, record.path)
        return
    # Spawned, not forked: torch and FAISS do not survive a fork of their threads.
    with ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=start_worker,
        initargs=(pooler.request,),
    ) as executor:
        try:
            yield from executor.map(
                pool_in_worker,
                [record.utterance for record in records],
                [record.path for record in records],
                chunksize=4,
            )
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _settings(
    request: BuildRequest, pooler: UtterancePooler, corpora: Sequence[Corpus]
) -> Settings:
    return Settings(
        name=request.name or request.out.name,
        language=request.language,
        inventory=pooler.inventory.to_json(),
        encoder=EncoderIdentity(
            name=pooler.encoder.name,
            layer=request.layer,
            fingerprint=pooler.encoder.fingerprint,
            dim=pooler.encoder.dim,
        ),
        pooling=request.pooling,
        aligner=request.aligner,
        min_rating=request.min_rating,
        clips=request.clips,
        command=_command(request, list(dict.fromkeys(corpus.name for corpus in corpora))),
    )


def _command(request: BuildRequest, corpora: list[str]) -> str:
    """The command again, with corpus names in place of one person's folders."""
    parts = ["nativeear index build"]
    parts += [f"--corpus {corpus}" for corpus in corpora]
    parts += [f"--lang {request.language}", f"--aligner {request.aligner}"]
    parts += [f"--encoder {request.encoder}", f"--pooling {request.pooling}"]
    if request.layer is not None:
        parts.append(f"--layer {request.layer}")
    if request.min_rating is not None:
        parts.append(f"--min-rating {request.min_rating:g}")
    if request.clips is not None:
        parts.append(f"--clips {request.clips}")
    if not request.embeddings:
        parts.append("--no-embeddings")
    return " ".join(parts)
