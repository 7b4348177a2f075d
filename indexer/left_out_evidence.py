"""Ask an index about natives as it will be asked about learners, while they are left out.

Retrieval's log posterior of a phone, and that of its frames, are told of natives whose speakers
neither the transform nor the exemplars have heard. So the training-free calibration knows what they
are like in a voice that is new to the index. An index of few voices cannot tell that, and one whose
encoder has a phone head has its log posteriors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nativeear.indexer.columns import ColumnCollector, names_in, numbered, plain
from nativeear.indexer.decision import FOLDS, TOP_M
from nativeear.indexer.discriminant import class_sums, transformed
from nativeear.indexer.pool import Pool, Record, Rows, good_phones, halved
from nativeear.indexer.pooled_utterance import HeardFrames, PooledUtterance
from nativeear.indexes.frame_evidence import TEMPERATURE, answering_frames, frame_evidence
from nativeear.indexes.left_out import SCHEMA
from nativeear.indexes.native_margins import MIN_SPEAKERS
from nativeear.indexes.phone_index import Name
from nativeear.indexes.similarity import FloatArray, IntArray, class_similarities
from nativeear.indexes.transform import Transform
from nativeear.speech.alignment import SILENCE

FRAMES_OF = 500
"""Utterances that keep their frames until an index is assembled, at most."""

ASKED = 10_000
"""Phones of them that are asked: of so many the share below a threshold is known to a fifth of a
point."""

SEED = 0

MIN_CLASSES = 2
"""Classes between which there is something to tell."""


@dataclass(frozen=True, eq=False)
class _Native:
    """An utterance that is asked about."""

    record: Record
    speaker: Name  # who is left out
    own: IntArray  # int64 `[N]`, classes of its phones
    embeddings: FloatArray  # float32 `[N, D]`, of the phones
    heard: HeardFrames  # frames, with weights `[T, N]`


@dataclass(frozen=True, eq=False)
class _Search:
    """A pool without some of its natives."""

    embeddings: Rows
    bounds: IntArray
    stays: NDArray[np.bool_]
    transform: Transform

    def similarities(self, phones: FloatArray, frames: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How similar phones and frames are to every class, float32 `[N, P]` and `[T, P]`."""
        asked = self.transform(phones), self.transform(frames)
        classes = len(self.bounds) - 1
        similar = tuple(np.full((len(one), classes), np.nan, dtype=np.float32) for one in asked)
        for p, (first, end) in enumerate(pairwise(self.bounds.tolist())):  # one class in memory
            rows = first + np.flatnonzero(self.stays[first:end])
            if not len(rows):
                continue
            vectors = transformed(self.transform, self.embeddings, rows)
            few = vectors[answering_frames(np.array([0, len(rows)]))]
            for found, queries, pool in zip(similar, asked, (vectors, few), strict=True):
                alone = np.array([0, len(pool)])
                found[:, p] = class_similarities(queries, pool, alone, top_m=TOP_M)[:, 0]
        return similar[0], similar[1]


def left_out_evidence(
    records: Sequence[Record], pool: Pool, temperature: float, min_rating: float | None
) -> pa.Table:
    """Ask about natives whose frames are kept, up to `ASKED` phones.

    Parameters
    ----------
    records
        Utterances of the pool.
    pool
        All exemplars; its rows are embeddings.
    temperature
        τ of the posterior, see `indexes.manifest.Decision`.
    min_rating
        As for `indexer.pool.from_records`.

    Returns
    -------
    pa.Table
        Table of `indexes.left_out.SCHEMA`.
    """
    told = ColumnCollector(SCHEMA)
    many = len(np.unique(pool.numbered("speaker"))) >= MIN_SPEAKERS
    if not many or not np.isnan(pool.phones.column("log_posterior").to_numpy()).all():
        return told.table()
    natives = _natives(records, pool.classes, min_rating)
    if not natives:
        return told.table()
    fold_of = {name: i % FOLDS for i, name in enumerate(sorted({n.speaker for n in natives}))}
    fold = _folds(pool.phones, "speaker", fold_of)
    labels = np.repeat(np.arange(len(pool.classes)), np.diff(pool.bounds))
    embeddings = pool.rows[: len(labels)]
    sums = class_sums(embeddings, labels, 1 + fold)
    found: dict[int, tuple[FloatArray, FloatArray]] = {}
    for f in sorted(set(fold_of.values())):
        stays = fold != f
        if len(np.unique(labels[stays])) < MIN_CLASSES:
            continue
        others = [part for g, part in enumerate(sums) if g != 1 + f]
        transform = sum(others[1:], start=others[0]).lda()
        search = _Search(embeddings, pool.bounds, stays, transform)
        asked = [i for i, native in enumerate(natives) if fold_of[native.speaker] == f]
        answers = _asked([natives[i] for i in asked], search, temperature)
        found.update(zip(asked, answers, strict=True))
    for i in sorted(found):
        utterance = natives[i].record.utterance
        whence = {
            "corpus": natives[i].record.corpus,
            "utterance": utterance.id,
            "speaker": utterance.speaker,
        }
        for posterior, frames in zip(*found[i], strict=True):
            told.add({**whence, "posterior": posterior, "frame_log_posterior": frames})
    return plain(told.table())


def _natives(
    records: Sequence[Record],
    classes: tuple[str, ...],
    min_rating: float | None,
) -> list[_Native]:
    """Utterances whose frames are kept, by their names: a seeded choice of up to `ASKED` phones."""
    place = {phone: p for p, phone in enumerate(classes)}
    found: list[_Native] = []
    phones = 0
    by_name = sorted(records, key=lambda record: record.name)
    for i in np.random.default_rng(SEED).permutation(len(by_name)).tolist():
        record = by_name[i]
        heard = PooledUtterance.heard_at(record.path)
        if heard is None or phones >= ASKED:
            continue
        pooled = PooledUtterance.load(record.path)
        spoken = [i for i, phone in enumerate(pooled.phones) if phone.phone != SILENCE]
        good = set(good_phones(pooled.phones, min_rating))
        known = [n for n, i in enumerate(spoken) if i in good and pooled.phones[i].phone in place]
        rows = [spoken[n] for n in known]
        found.append(
            _Native(
                record,
                (record.corpus, record.utterance.speaker),
                np.array([place[pooled.phones[i].phone] for i in rows], dtype=np.int64),
                halved(pooled.embeddings[rows], record.utterance.id).astype(np.float32),
                HeardFrames(heard.embeddings, heard.weights[:, known]),
            )
        )
        phones += len(rows)
    return sorted(found, key=lambda native: native.record.name)


def _folds(phones: pa.Table, column: str, fold_of: dict[Name, int]) -> IntArray:
    """Fold of every exemplar, int64 `[n]`; -1 for those that always stay."""
    numbers = numbered(phones, column)
    _, first, group = np.unique(numbers, return_index=True, return_inverse=True)
    names = names_in(phones.take(pa.array(first)), column)
    return np.array([fold_of.get(name, -1) for name in names], dtype=np.int64)[group]


def _asked(
    natives: Sequence[_Native], search: _Search, temperature: float
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Log posteriors of each native's phones by retrieval, and of their frames, `[N]` both."""
    phones, frames = search.similarities(
        np.concatenate([native.embeddings for native in natives]),
        np.concatenate([native.heard.embeddings for native in natives]).astype(np.float32),
    )
    phone = frame = 0
    for native in natives:
        own, heard = native.own, native.heard
        by_phone = frame_evidence(
            phones[phone : phone + len(own)],
            np.eye(len(own)),  # each phone is as one frame of its own
            own,
            temperature,
        )
        by_frame = frame_evidence(
            frames[frame : frame + len(heard.embeddings)], heard.weights, own, TEMPERATURE
        )
        phone, frame = phone + len(own), frame + len(heard.embeddings)
        yield (
            by_phone.log_posterior.astype(np.float32),
            by_frame.log_posterior.astype(np.float32),
        )
