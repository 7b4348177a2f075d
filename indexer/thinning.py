"""Which exemplars an index can do without: those that seem mislabelled, and near-duplicates.

An exemplar is an outlier where the other natives, its own utterance (its speaker, with five or
more) left out, say with odds of `OUTLIER_ODDS` or more that it is another phone. What is left of a
phone is thinned by kernel herding (Chen, Welling and Smola 2010): exemplars are taken one by one,
each the one that brings the mean of those taken nearest to the mean of all in the space of a
Gaussian kernel. Near-duplicates go first that way, and the thin pool has the shape of the full one;
farthest-first choices (k-centre) would keep the odd ones instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.decision import draw
from nativeear.indexes.natives import left_out_together
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import FloatArray, IntArray, class_similarities, margins
from nativeear.speech.alignment import SILENCE

OUTLIER_ODDS = 1000.0
"""Lower odds drop natural variation too, and an index without that hears natives worse."""

LEAST = 30
"""Exemplars that a phone keeps in any case, if it has them: three times what a verdict needs."""

KERNEL_WIDTH = 0.1
"""Scale of the kernel exp((x·y - 1) / width) of unit vectors."""

PART = 4096
"""Exemplars of a phone that are thinned at a time, dealt at random: cost grows with their number
and not with its square."""

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Outlier:
    """An exemplar that natives take for another phone.

    Attributes
    ----------
    row
        Its row in the index.
    phone, heard
        Its label, and the phone that it resembles most.
    word, utterance, speaker, start_s
        Where it comes from.
    odds
        How many times as likely `heard` is by the index's own decision.
    """

    row: int
    phone: str
    heard: str
    word: str
    utterance: str
    speaker: str
    start_s: float
    odds: float


@dataclass(frozen=True, eq=False)
class Thinning:
    """What stays of an index.

    Attributes
    ----------
    stays
        bool `[n]`, exemplars that stay.
    outliers
        Those that go because they seem mislabelled, the worst first.
    """

    stays: BoolArray
    outliers: tuple[Outlier, ...]


def thinning(index: PhoneIndex, budget: int | None = None, *, seed: int = 0) -> Thinning:
    """Choose what stays of an index.

    Parameters
    ----------
    index
        An open index.
    budget
        Exemplars that may stay, silences among them; only outliers go if None. Phones share it in
        proportion to what they have, none gets less than `LEAST`, and what those need counts first.
    seed
        Seeds the parts in which large phones are thinned, and who answers about outliers.
    """
    rng = np.random.default_rng(seed)
    own = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))
    found = _outliers(index, own, rng)
    stays = np.ones(len(own), dtype=bool)
    stays[[outlier.row for outlier in found]] = False
    if budget is not None and budget < int(stays.sum()):
        counts = np.bincount(own[stays], minlength=len(index.classes))
        left, right = (index.codes(column)[0] for column in ("left", "right"))
        speaker = index.speakers[0]
        context = left * (int(right.max()) + 1) + right
        vectors = index.vectors
        for p, quota in enumerate(quotas(counts, budget).tolist()):
            rows = np.flatnonzero(stays & (own == p))
            if quota < len(rows):
                taken = _thinned(
                    vectors[rows], context[rows], speaker[rows], quota, rng.permutation(len(rows))
                )
                stays[np.delete(rows, taken)] = False
    return Thinning(stays, found)


def quotas(counts: IntArray, budget: int) -> IntArray:
    """How many exemplars of every class stay, int64 `[P]`, at most `budget` in all.

    Classes keep `LEAST`, and the same share of what they have beyond. Where the budget cannot
    give all of them `LEAST`, none keeps more than its equal share.
    """
    least = np.minimum(counts, LEAST)
    if budget <= least.sum():
        level = max(c for c in range(LEAST + 1) if np.minimum(counts, c).sum() <= budget)
        return np.asarray(np.minimum(counts, level), dtype=np.int64)
    beyond = counts - least
    share = min(1.0, (budget - least.sum()) / max(beyond.sum(), 1))
    return np.asarray(least + np.floor(beyond * share), dtype=np.int64)


def representatives(
    vectors: FloatArray, weights: NDArray[np.floating], quota: int, first: Sequence[int] = ()
) -> IntArray:
    """Vectors that together resemble the weighted whole most, int64 `[quota]`, as they are taken.

    Parameters
    ----------
    vectors
        Unit vectors, float32 `[n, d]`.
    weights
        What each counts in the whole, `[n]`.
    quota
        How many to take.
    first
        Rows that are taken before all others.
    """
    share = weights / weights.sum()
    wanted = np.concatenate(
        [
            np.exp((vectors[start : start + 512] @ vectors.T - 1) / KERNEL_WIDTH) @ share
            for start in range(0, len(vectors), 512)
        ]
    )
    have = np.zeros(len(vectors))
    free = np.ones(len(vectors), dtype=bool)
    taken: list[int] = []
    queue = list(first)[:quota]
    while len(taken) < quota:
        gain = np.where(free, wanted - have / (len(taken) + 1), -np.inf)
        best = queue.pop(0) if queue else int(gain.argmax())
        taken.append(best)
        free[best] = False
        have += np.exp((vectors @ vectors[best] - 1) / KERNEL_WIDTH)
    return np.array(taken, dtype=np.int64)


def _thinned(
    vectors: FloatArray, contexts: IntArray, speakers: IntArray, quota: int, order: IntArray
) -> IntArray:
    """Places of the exemplars of one phone that stay."""
    # Every speaker weighs the same in the whole that is to be resembled.
    weights = 1.0 / np.bincount(speakers)[speakers]
    parts = np.array_split(order, -(-len(order) // PART))
    ends = np.rint(np.cumsum([len(part) for part in parts]) * quota / len(order)).astype(np.int64)
    taken = []
    for part, number in zip(parts, np.diff(ends, prepend=0).tolist(), strict=True):
        rare = _rare(contexts[part], number // 2)
        taken.append(part[representatives(vectors[part], weights[part], number, rare)])
    return np.concatenate(taken)


def _rare(contexts: IntArray, most: int) -> list[int]:
    """The only exemplars of their contexts, at most so many: nothing else can stand for them."""
    _, first, counts = np.unique(contexts, return_index=True, return_counts=True)
    alone: list[int] = first[counts == 1].tolist()
    return alone[:most]


def _outliers(index: PhoneIndex, own: IntArray, rng: np.random.Generator) -> tuple[Outlier, ...]:
    """Outliers, by the margins that the index keeps and, where it keeps none, by asking now."""
    margin = np.array(index.native_margins)
    limit = -index.manifest.decision.temperature * np.log(OUTLIER_ODDS)
    groups = left_out_together(index.speakers[0], index.utterances[0])
    spoken = own != (index.classes.index(SILENCE) if SILENCE in index.classes else -1)
    answering = draw(index.bounds, rng)  # enough to answer: more would say the same
    bounds = np.searchsorted(own[answering], np.arange(len(index.classes) + 1))

    def ask(rows: IntArray) -> FloatArray:
        return class_similarities(
            index.vectors[rows],
            index.vectors[answering],
            bounds,
            top_m=index.manifest.decision.top_m,
            groups=groups[answering],
            query_groups=groups[rows],
        )

    unknown = np.flatnonzero(np.isnan(margin) & spoken)
    margin[unknown] = margins(ask(unknown), own[unknown])
    rows = np.flatnonzero(spoken & (margin < limit))  # a NaN is no outlier
    rows = rows[np.argsort(margin[rows], kind="stable")]
    similar = ask(rows)
    similar[np.arange(len(rows)), own[rows]] = np.nan
    found = []
    for row, scores in zip(rows.tolist(), similar, strict=True):
        exemplar = index.exemplar(row)
        heard = np.where(np.isnan(scores), -np.inf, scores).argmax()
        found.append(
            Outlier(
                row=row,
                phone=exemplar.phone,
                heard=index.classes[int(heard)],
                word=exemplar.word,
                utterance=exemplar.utterance,
                speaker=exemplar.speaker,
                start_s=exemplar.start_s,
                odds=float(np.exp(-margin[row] / index.manifest.decision.temperature)),
            )
        )
    return tuple(found)
