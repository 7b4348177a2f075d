"""What an index says of its own natives while they are left out, with all of it and with less.

Where the index keeps its embeddings, the transform is fitted anew each time without the natives who
are asked, as it was when the index was built. Where it keeps none, the vectors are taken as they
are, which flatters it a little; the expected error is then still an honest one, for it is read from
the margins that the index keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nativeear.indexer.decision import folds
from nativeear.indexer.discriminant import ClassSums, class_sums, transformed
from nativeear.indexes.index_files import EMBEDDINGS
from nativeear.indexes.native_margins import left_out_together
from nativeear.indexes.phone_index import FloatArray, IntArray, PhoneIndex
from nativeear.indexes.similarity import best_of_classes, mean_of_largest
from nativeear.speech.alignment import SILENCE

ASKED_PER_PHONE = 150
"""Exemplars of a phone that are asked, those that the index asked when it was built first."""

FOLDS = 5
"""Parts that are left out in turn where the transform is fitted anew, for every share."""

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Shares of the utterances that answer."""

BLOCK_BYTES = 1 << 26
"""Working memory of one block of similarities."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Natives who were asked without their speaker or utterance."""

    rows: IntArray  # int64 `[N]`, exemplars that were asked, silences not among them
    own: IntArray  # int64 `[N]`, class of each, a position in `PhoneIndex.classes`
    # float32 `[S, N, P]`, similarity to every class by each share; NaN where nothing answered.
    similar: FloatArray
    answering: IntArray  # int64 `[S, P]`, exemplars of every class among each share
    by_speaker: bool  # whether speakers were left out, and not only utterances
    refitted: bool  # whether the transform was fitted without them

    @property
    def nearest(self) -> IntArray:
        """The nearest class by each share, int64 `[S, N]`; -1 where nothing answered."""
        scores = np.where(np.isnan(self.similar), -np.inf, self.similar)
        best = scores.argmax(axis=2)
        return np.where(np.isneginf(scores.max(axis=2)), -1, best).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Search:
    """Exemplars that are asked, of a pool in which shares are prefixes of the classes."""

    places: IntArray  # int64 `[n]`, which of all that are asked they are
    # Unit vectors, float32 `[n, d]` and `[m, d]`.
    asked: FloatArray
    pool: FloatArray
    starts: IntArray  # int64 `[P]`, first row of every class in the pool
    # By share, as a position in the shares: how many rows of every class answer, int64 `[P]`.
    prefixes: dict[int, IntArray]
    # int64 `[n]` and `[m]`: none answers to its own group. -1 in the first if the pool has none.
    asked_groups: IntArray
    groups: IntArray


def ask_left_out(
    index: PhoneIndex,
    *,
    asked_per_phone: int = ASKED_PER_PHONE,
) -> LeftOut:
    """Ask the index about its own phones, each without its speaker (or utterance).

    Every share of the utterances holds the smaller ones.
    """
    rng = np.random.default_rng(0)
    speaker, utterance = index.speakers[0], index.utterances[0]
    group = left_out_together(speaker, utterance)
    rows = _draw(index, asked_per_phone, rng)
    own = np.searchsorted(index.bounds, rows, side="right") - 1
    utterances = int(utterance.max(initial=0)) + 1
    rank = ((rng.permutation(utterances) + 0.5) / utterances)[utterance]
    bucket = np.searchsorted(np.array(SHARES), rank)  # the smallest share that holds an exemplar
    refitted = EMBEDDINGS in index.manifest.files
    searches = (
        _refitted(index, rows, bucket, folds(group, FOLDS, rng))
        if refitted
        else _as_they_are(index, rows, bucket, group)
    )
    similar = np.full((len(SHARES), len(rows), len(index.classes)), np.nan, dtype=np.float32)
    for search in searches:
        _ask(search, similar, index.manifest.decision.top_m)
    labels = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))
    held = np.zeros((len(SHARES), len(index.classes)), dtype=np.int64)
    np.add.at(held, (bucket, labels), 1)
    return LeftOut(
        rows=rows,
        own=own,
        similar=similar,
        answering=np.cumsum(held, axis=0),
        by_speaker=group is speaker,
        refitted=refitted,
    )


def _as_they_are(
    index: PhoneIndex, rows: IntArray, bucket: IntArray, group: IntArray
) -> Iterator[_Search]:
    """One pool, that of the index; one product of vectors serves every share."""
    labels = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))
    shares = range(int(bucket.max(initial=0)) + 1)
    order = np.lexsort((bucket, labels))
    yield _Search(
        places=np.arange(len(rows)),
        asked=index.vectors[rows],
        pool=np.ascontiguousarray(index.vectors[order]),
        starts=index.bounds[:-1],
        prefixes={s: _counts(labels[bucket <= s], len(index.classes)) for s in shares},
        asked_groups=group[rows],
        groups=group[order],
    )


def _refitted(
    index: PhoneIndex, rows: IntArray, bucket: IntArray, fold: IntArray
) -> Iterator[_Search]:
    """A pool for every fold that is left out and every share, each with its own transform."""
    embeddings = np.load(index.path / EMBEDDINGS, mmap_mode="r")[: len(index.vectors)]
    labels = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))
    shares = int(bucket.max(initial=0)) + 1
    sums = class_sums(embeddings, labels, fold * shares + bucket)
    nothing = ClassSums.zero(len(index.classes), embeddings.shape[1])
    for f in range(int(fold.max(initial=0)) + 1):
        places = np.flatnonzero(fold[rows] == f)
        kept = nothing
        for s in range(shares):
            parts = (g * shares + s for g in range(FOLDS) if g != f)
            kept = sum((sums[part] for part in parts if part < len(sums)), start=kept)
            stay = np.flatnonzero((fold != f) & (bucket <= s))
            counts = _counts(labels[stay], len(index.classes))
            if not len(places) or (counts > 0).sum() < 2:
                continue
            transform = kept.lda()
            yield _Search(
                places=places,
                asked=transformed(transform, embeddings, rows[places]),
                pool=transformed(transform, embeddings, stay),
                starts=np.cumsum(counts) - counts,
                prefixes={s: counts},
                asked_groups=np.full(len(places), -1),
                groups=np.zeros(len(stay), dtype=np.int64),
            )


def _ask(search: _Search, similar: FloatArray, top_m: int) -> None:
    """Write the similarities of what is asked into `similar`, `[S, N, P]`."""
    pool = search.pool
    step = max(1, BLOCK_BYTES // (4 * max(1, len(pool))))
    silenced = (search.asked_groups >= 0).any()
    for first in range(0, len(search.places), step):
        block = slice(first, first + step)
        products = search.asked[block] @ pool.T
        if silenced:
            same = search.asked_groups[block, None] == search.groups[None, :]
            products[same] = -np.inf
        for s, counts in search.prefixes.items():
            for p, (start, count) in enumerate(zip(search.starts, counts, strict=True)):
                best = best_of_classes([products[:, start : start + count]], top_m)
                similar[s, search.places[block], p] = mean_of_largest(best, top_m)[:, 0]


def _counts(labels: IntArray, classes: int) -> IntArray:
    return np.bincount(labels, minlength=classes).astype(np.int64)


def _draw(index: PhoneIndex, most: int, rng: np.random.Generator) -> IntArray:
    """Rows to ask, ascending: of a large class those whose own margins are known."""
    chosen = []
    for phone in index.classes:
        if phone == SILENCE:
            continue
        rows = np.arange(index.rows_of(phone).start, index.rows_of(phone).stop)
        with_margin = rows[~np.isnan(index.native_margins[rows])]
        rows = with_margin if len(with_margin) >= most else rows
        if len(rows) > most:
            rows = np.sort(rng.choice(rows, most, replace=False))
        chosen.append(rows)
    return np.concatenate(chosen).astype(np.int64) if chosen else np.zeros(0, dtype=np.int64)
