"""Build an index: native corpora → pooled phones → transform → decision → published folder."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexer.corpus import LICENCE_NOT_STATED, Corpus, Utterance, read_corpus
from indexer.decision import fit_decision, left_out_together
from indexer.discriminant import fit_lda
from indexer.utterances import (
    PooledPhone,
    PooledUtterance,
    PoolingRequest,
    UtterancePooler,
    pool_in_worker,
    pool_into,
    record_name,
    start_worker,
)
from indexes.exemplar import SCHEMA
from indexes.manifest import (
    FORMAT_VERSION,
    CorpusIdentity,
    Counts,
    EncoderIdentity,
    Manifest,
    TransformIdentity,
)
from indexes.phone_index import CLIPS, EXEMPLARS, TRANSFORM, VECTORS, clip_name
from indexes.publishing import publish, refuse_existing, staged
from indexes.similarity import FloatArray, IntArray
from speech.alignment import SILENCE
from speech.audio import SAMPLE_RATE, Audio
from speech.errors import CorpusError
from speech.frames import Encoder
from speech.pooling import Pooling

Clips = Literal["flac", "opus"]
Progress = Callable[[str, int, int], None]
_LIBRARIES = ("nativeear", "faiss-cpu", "numpy", "pocketsphinx", "pyarrow", "soxr", "torch")
MIN_EXEMPLARS = 2
"""A phone heard only once has no company to be judged by, and does not shape the transform."""


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


def no_progress(stage: str, done: int, total: int) -> None:
    """Show nothing."""


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
    corpora = [_read(corpus, request) for corpus in request.corpora]
    pooling = PoolingRequest(
        request.language, request.aligner, request.encoder, request.layer, request.pooling
    )
    pooler = UtterancePooler(pooling)
    work = _work_folder(request, pooler.encoder)
    jobs = [
        (corpus, utterance, work / record_name(corpus.name, utterance.id))
        for corpus in corpora
        for utterance in corpus.utterances
        if utterance.id not in request.exclude
    ]
    set_aside = [(item.id, item.reason) for corpus in corpora for item in corpus.set_aside]
    reasons = _pool_all(pooler, pooling, jobs, request.workers, progress)
    set_aside += [
        (utterance.id, reason)
        for (_, utterance, _), reason in zip(jobs, reasons, strict=True)
        if reason
    ]
    kept = [job for job, reason in zip(jobs, reasons, strict=True) if not reason]
    if not kept:
        first = f" For instance {set_aside[0][0]}: {set_aside[0][1]}" if set_aside else ""
        raise CorpusError(
            "No utterance of the corpus could be used.",
            cause=f"{len(set_aside)} were set aside.{first}",
            fix="Check that audio, texts and language belong together.",
        )
    manifest = _publish(request, pooler, kept, progress)
    shutil.rmtree(work)
    return BuildReport(
        path=request.out,
        utterances=manifest.counts.utterances,
        exemplars=manifest.counts.exemplars,
        set_aside=tuple(set_aside),
        audio_s=manifest.counts.audio_s,
        seconds=time.monotonic() - started,
        native_accuracy=manifest.decision.native_accuracy,
    )


Job = tuple[Corpus, Utterance, Path]


def _read(path: str, request: BuildRequest) -> Corpus:
    corpus = read_corpus(path, reader=request.reader, language=request.language)
    if request.licence is not None and corpus.licence == LICENCE_NOT_STATED:
        corpus = replace(corpus, licence=request.licence)
    return corpus


def _work_folder(request: BuildRequest, encoder: Encoder) -> Path:
    """Folder of finished utterances; kept only for a resumed build of the same request."""
    work = request.out.parent / f".{request.out.name}.building"
    identity = json.dumps(
        [
            request.language,
            request.aligner,
            encoder.fingerprint,
            request.pooling,
            _libraries(),
        ],
        sort_keys=True,
    )
    note = work / "request.json"
    same = note.is_file() and note.read_text(encoding="utf-8") == identity
    if work.exists() and not (request.resume and same):
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(identity, encoding="utf-8")
    return work


def _pool_all(
    pooler: UtterancePooler,
    pooling: PoolingRequest,
    jobs: list[Job],
    workers: int,
    progress: Progress,
) -> list[str]:
    """Pool every job whose record is not there yet; a reason per job, '' where it is fine."""
    stage = "Aligning and encoding"
    todo = [i for i, (_, _, path) in enumerate(jobs) if not path.is_file()]
    reasons = [""] * len(jobs)
    done = len(jobs) - len(todo)
    progress(stage, done, len(jobs))
    for i, reason in zip(
        todo, _run(pooler, pooling, [jobs[i] for i in todo], workers), strict=True
    ):
        reasons[i] = reason
        done += 1
        progress(stage, done, len(jobs))
    return reasons


def _run(
    pooler: UtterancePooler, pooling: PoolingRequest, jobs: list[Job], workers: int
) -> Iterator[str]:
    if workers <= 1 or len(jobs) <= 1:
        for _, utterance, path in jobs:
            yield pool_into(pooler, utterance, path)
        return
    # Spawned, not forked: torch and FAISS do not survive a fork of their threads.
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=start_worker, initargs=(pooling,)
    ) as executor:
        try:
            yield from executor.map(
                pool_in_worker,
                [utterance for _, utterance, _ in jobs],
                [path for _, _, path in jobs],
                chunksize=4,
            )
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


@dataclass(frozen=True)
class _Row:
    """A pooled phone and where it comes from."""

    pooled: PooledPhone
    corpus: str
    utterance: str
    speaker: str


def _publish(
    request: BuildRequest, pooler: UtterancePooler, kept: list[Job], progress: Progress
) -> Manifest:
    rows: list[_Row] = []
    parts = []
    audio_s: dict[str, float] = {}
    for corpus, utterance, path in kept:
        pooled = PooledUtterance.load(path)
        good = [i for i, p in enumerate(pooled.phones) if _is_good(p, request.min_rating)]
        rows += [_Row(pooled.phones[i], corpus.name, utterance.id, utterance.speaker) for i in good]
        parts.append(pooled.embeddings[good])
        audio_s[corpus.name] = audio_s.get(corpus.name, 0.0) + pooled.audio_s
    embeddings = np.concatenate(parts)

    progress("Learning the transform", 0, 1)
    labels = [row.pooled.phone for row in rows]
    common = {phone for phone in set(labels) if labels.count(phone) >= MIN_EXEMPLARS}
    order = sorted(
        (i for i, label in enumerate(labels) if label in common),
        key=lambda i: (
            labels[i] == SILENCE,
            labels[i],
            rows[i].corpus,
            rows[i].utterance,
            rows[i].pooled.start_s,
        ),
    )
    rows = [rows[i] for i in order]
    embeddings = embeddings[order]
    labels = [labels[i] for i in order]
    classes = tuple(dict.fromkeys(labels))
    if len(classes) < MIN_EXEMPLARS:
        raise CorpusError(
            "The corpus has too few phones for an index.",
            cause=f"Only {', '.join(classes) or 'none'} occurred at least twice.",
            fix="Add more speech.",
        )
    counts = [labels.count(phone) for phone in classes]
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    transform = fit_lda(embeddings, tuple(labels))
    vectors = transform(embeddings)

    progress("Asking the natives about themselves", 0, 1)
    utterances = _numbered([(row.corpus, row.utterance) for row in rows])
    speakers = _numbered([(row.corpus, row.speaker) for row in rows])
    fitted = fit_decision(embeddings, classes, bounds, left_out_together(speakers, utterances))

    progress("Publishing", 0, 1)
    corpora = list(dict.fromkeys(corpus.name for corpus, _, _ in kept))
    licences = {corpus.name: corpus.licence for corpus, _, _ in kept}
    manifest = Manifest(
        format_version=FORMAT_VERSION,
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
        transform=TransformIdentity(
            kind=transform.kind, dim=vectors.shape[1], fingerprint=transform.fingerprint
        ),
        classes=classes,
        counts=Counts(
            exemplars=len(rows),
            utterances=int(utterances.max()) + 1,
            speakers=int(speakers.max()) + 1,
            audio_s=round(sum(audio_s.values()), 3),
            phones=dict(zip(classes, counts, strict=True)),
        ),
        corpora=tuple(
            CorpusIdentity(
                name=name,
                licence=licences[name],
                utterances=sum(corpus.name == name for corpus, _, _ in kept),
                audio_s=round(audio_s[name], 3),
            )
            for name in corpora
        ),
        decision=fitted.decision,
        command=_command(request, corpora),
        libraries=_libraries(),
        clips=request.clips,
        files={},
    )
    import faiss  # here: with workers the parent needs it only now

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    with staged(request.out) as stage:
        faiss.write_index(index, str(stage / VECTORS))
        pq.write_table(_table(rows, fitted.native_margins), stage / EXEMPLARS)
        transform.save(stage / TRANSFORM)
        if request.clips is not None:
            chosen = [
                job for job in kept if request.clips_of is None or job[0].name in request.clips_of
            ]
            _write_clips(stage, request.clips, chosen, progress)
        return publish(stage, request.out, manifest)


def _numbered(names: list[tuple[str, str]]) -> IntArray:
    """Equal names as equal numbers, int64 `[n]`."""
    number = {name: i for i, name in enumerate(sorted(set(names)))}
    return np.array([number[name] for name in names], dtype=np.int64)


def _is_good(phone: PooledPhone, min_rating: float | None) -> bool:
    return min_rating is None or phone.rating is None or phone.rating >= min_rating


def _table(rows: list[_Row], native_margins: FloatArray) -> pa.Table:
    columns = {
        "phone": [row.pooled.phone for row in rows],
        "left": [row.pooled.left for row in rows],
        "right": [row.pooled.right for row in rows],
        "stress": [row.pooled.stress for row in rows],
        "word": [row.pooled.word for row in rows],
        "speaker": [row.speaker for row in rows],
        "utterance": [row.utterance for row in rows],
        "start_s": [row.pooled.start_s for row in rows],
        "end_s": [row.pooled.end_s for row in rows],
        "corpus": [row.corpus for row in rows],
        "margin": native_margins,
    }
    arrays = []
    for field in SCHEMA:
        if pa.types.is_dictionary(field.type):
            plain = pa.array(columns[field.name], pa.string())
            arrays.append(plain.dictionary_encode().cast(field.type))
        else:
            arrays.append(pa.array(columns[field.name], field.type))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _write_clips(stage: Path, clips: Clips, kept: list[Job], progress: Progress) -> None:
    import soundfile  # here: only a build that keeps clips needs it

    (stage / CLIPS).mkdir()
    for done, (corpus, utterance, _) in enumerate(kept):
        progress("Keeping clips", done, len(kept))
        audio = Audio.load(utterance.audio)
        path = stage / clip_name(corpus.name, utterance.id, clips)
        if clips == "flac":
            soundfile.write(path, audio.samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        else:
            soundfile.write(path, audio.samples, SAMPLE_RATE, format="OGG", subtype="OPUS")


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
    return " ".join(parts)


def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
