"""Finished records → rows → transform → decision → published folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from indexer.corpus import Utterance
from indexer.decision import fit_decision, left_out_together
from indexer.discriminant import fit_lda
from indexer.utterances import PooledPhone, PooledUtterance
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
from indexes.publishing import publish, staged
from indexes.similarity import FloatArray, IntArray
from speech.alignment import SILENCE
from speech.audio import SAMPLE_RATE, Audio
from speech.errors import CorpusError
from speech.pooling import Pooling

Clips = Literal["flac", "opus"]
Progress = Callable[[str, int, int], None]
_LIBRARIES = ("nativeear", "faiss-cpu", "numpy", "pocketsphinx", "pyarrow", "soxr", "torch")
MIN_EXEMPLARS = 2
"""A phone heard only once has no company to be judged by, and does not shape the transform."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Record:
    """A pooled utterance that rests in a file.

    Attributes
    ----------
    corpus, licence
        Name of its corpus, and the licence of that.
    utterance
        What was pooled.
    path
        Where `PooledUtterance.save` wrote it.
    """

    corpus: str
    licence: str
    utterance: Utterance
    path: Path


@dataclass(frozen=True)
class Settings:
    """What the manifest of an index says beside what follows from its speech.

    Attributes are those of `indexes.manifest.Manifest`.
    """

    name: str
    language: str
    inventory: dict[str, Any]
    encoder: EncoderIdentity
    pooling: Pooling
    aligner: str
    min_rating: float | None
    clips: Clips | None
    command: str


@dataclass(frozen=True)
class _Row:
    """A pooled phone and where it comes from."""

    pooled: PooledPhone
    corpus: str
    utterance: str
    speaker: str


def publish_new(
    out: Path,
    records: Sequence[Record],
    settings: Settings,
    *,
    embeddings: bool = True,  # noqa: ARG001 - kept from the next commit on
    clips_of: frozenset[str] | None = None,
    progress: Progress = no_progress,
) -> Manifest:
    """Publish a new index of finished records.

    Parameters
    ----------
    out
        Folder to publish; must not exist.
    embeddings
        Keep the pooled embeddings, so that the index can be refitted.
    clips_of
        Names of the corpora whose recordings are kept; all of them if None.
    """
    rows: list[_Row] = []
    parts = []
    audio_s: dict[str, float] = {}
    for record in records:
        pooled = PooledUtterance.load(record.path)
        utterance = record.utterance
        good = [i for i, p in enumerate(pooled.phones) if _is_good(p, settings.min_rating)]
        rows += [
            _Row(pooled.phones[i], record.corpus, utterance.id, utterance.speaker) for i in good
        ]
        parts.append(pooled.embeddings[good])
        audio_s[record.corpus] = audio_s.get(record.corpus, 0.0) + pooled.audio_s
    points = np.concatenate(parts)

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
    points = points[order]
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
    transform = fit_lda(points, tuple(labels))
    vectors = transform(points)

    progress("Asking the natives about themselves", 0, 1)
    utterances = _numbered([(row.corpus, row.utterance) for row in rows])
    speakers = _numbered([(row.corpus, row.speaker) for row in rows])
    fitted = fit_decision(points, classes, bounds, left_out_together(speakers, utterances))

    progress("Publishing", 0, 1)
    licences = {record.corpus: record.licence for record in records}
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=settings.name,
        language=settings.language,
        inventory=settings.inventory,
        encoder=settings.encoder,
        pooling=settings.pooling,
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
                licence=licence,
                utterances=sum(record.corpus == name for record in records),
                audio_s=round(audio_s[name], 3),
            )
            for name, licence in licences.items()
        ),
        decision=fitted.decision,
        command=settings.command,
        libraries=libraries(),
        clips=settings.clips,
        files={},
    )
    import faiss  # here: with workers the parent needs it only now

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    with staged(out) as stage:
        faiss.write_index(index, str(stage / VECTORS))
        pq.write_table(_table(rows, fitted.native_margins), stage / EXEMPLARS)
        transform.save(stage / TRANSFORM)
        if settings.clips is not None:
            chosen = [record for record in records if clips_of is None or record.corpus in clips_of]
            _write_clips(stage, settings.clips, chosen, progress)
        return publish(stage, out, manifest)


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


def _write_clips(stage: Path, clips: Clips, records: Sequence[Record], progress: Progress) -> None:
    import soundfile  # here: only a build that keeps clips needs it

    (stage / CLIPS).mkdir()
    for done, record in enumerate(records):
        progress("Keeping clips", done, len(records))
        audio = Audio.load(record.utterance.audio)
        path = stage / clip_name(record.corpus, record.utterance.id, clips)
        if clips == "flac":
            soundfile.write(path, audio.samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        else:
            soundfile.write(path, audio.samples, SAMPLE_RATE, format="OGG", subtype="OPUS")


def libraries() -> dict[str, str]:
    """Versions of the libraries that what is built depends on."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
