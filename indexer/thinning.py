"""Which exemplars an index can do without: those that seem mislabelled, and near-duplicates.

An exemplar is an outlier where the other natives, its own utterance (its speaker, with five or
more) left out, say with odds of `OUTLIER_ODDS` or more that it is another phone. What is left of a
phone is thinned by kernel herding (Chen, Welling and Smola 2010): exemplars are taken one by one,
each the one that brings the mean of those taken nearest to the mean of all in the space of a
Gaussian kernel. Near-duplicates go first that way, and the thin pool has the shape of the full one;
farthest-first choices (k-centre) would keep the odd ones instead.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.assembly import Progress, no_progress
from nativeear.indexer.changes import (
    ChangeReport,
    Content,
    changing,
    next_settings,
    publish_content,
    refits,
    source_of,
)
from nativeear.indexer.decision import draw
from nativeear.indexer.pool import MIN_EXEMPLARS
from nativeear.indexes.index_files import EMBEDDINGS, EXEMPLARS, VECTORS
from nativeear.indexes.native_margins import left_out_together
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import refuse_existing
from nativeear.indexes.set_aside import set_aside_of
from nativeear.indexes.similarity import FloatArray, IntArray, class_similarities, margins
from nativeear.speech.alignment import SILENCE
from nativeear.speech.errors import InputError

OUTLIER_ODDS = 1000.0
"""Lower odds drop natural variation too, and an index without that hears natives worse.
Chosen on Debian's Italian prompts, beside 20."""

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
    """An exemplar that natives take for another phone."""

    row: int  # its row in the index
    # Its label, and the phone that it resembles most.
    phone: str
    heard: str
    # Where it comes from.
    word: str
    utterance: str
    speaker: str
    start_s: float
    odds: float  # how many times as likely `heard` is by the index's own decision


@dataclass(frozen=True, eq=False)
class Thinning:
    """What stays of an index."""

    stays: BoolArray  # bool `[n]`, exemplars that stay
    outliers: tuple[Outlier, ...]  # those that go because they seem mislabelled, the worst first


@dataclass(frozen=True)
class Budget:
    """How large an index may be."""

    amount: int  # exemplars, or bytes of what is kept of them: vectors, embeddings, columns
    unit: Literal["exemplars", "bytes"] = "exemplars"  # which of the two

    def exemplars(self, index: PhoneIndex) -> int:
        """How many exemplars of this index that is."""
        if self.unit == "exemplars":
            return self.amount
        sizes = [
            index.manifest.files[name].bytes
            for name in (VECTORS, EXEMPLARS, EMBEDDINGS)
            if name in index.manifest.files
        ]
        return self.amount * index.manifest.counts.exemplars // sum(sizes)


@dataclass(frozen=True)
class ThinReport:
    """What came of thinning."""

    change: ChangeReport  # the index before and after
    outliers: tuple[Outlier, ...]  # exemplars that seemed mislabelled and are gone, the worst first
    thinned: int  # how many others are gone because the rest stands for them


def thin(
    path: Path,
    budget: Budget | None = None,
    *,
    out: Path | None = None,
    keep: int | None = None,
    remembered: bool = True,
    progress: Progress = no_progress,
) -> ThinReport:
    """Drop exemplars that seem mislabelled, and near-duplicates down to a budget.

    Utterances, their prosody and their recordings stay, so that what a speaker gave can still be
    found and removed.

    Parameters
    ----------
    budget
        How large it may be; only outliers go if None.
    out
        Folder to publish the thin index in, which must not exist; the index itself gets a new
        version if None.
    keep
        Older versions that stay; as many as before if None.
    remembered
        Whether later changes go by this `keep`, too.

    Raises
    ------
    InputError
        If the budget leaves fewer than two exemplars of every phone.
    """
    started = time.monotonic()
    if out is not None:
        refuse_existing(out)
    with changing(path, "thin", out) as index:
        most = None if budget is None else budget.exemplars(index)
        if most is not None and most < MIN_EXEMPLARS * len(index.classes):
            raise InputError(
                f"A budget of {most} exemplars is too small.",
                cause=f"{index.name} has {len(index.classes)} phones, and each needs "
                f"{MIN_EXEMPLARS}.",
                fix="Give a larger budget.",
            )
        progress("Looking for outliers and near-duplicates", 0, 1)
        found = thinning(index, most)
        option = "" if budget is None else f" --budget {budget.amount}"
        option += "B" if budget is not None and budget.unit == "bytes" else ""
        recipe = index.manifest.recipe
        if recipe is not None:
            recipe = recipe.model_copy(update={"thinned": True, "budget": most})
        settings = next_settings(index, f"thin {index.name}{option}", recipe)
        if out is not None:
            settings = replace(settings, name=out.name, revision=1)
        source = source_of(index, embeddings=refits([index]))
        waiting = source.phones.num_rows - len(found.stays)
        left = source.thinned(np.append(found.stays, np.ones(waiting, dtype=bool)))
        change = publish_content(
            Content([index], [left], settings, set_aside_of(index.path, index.manifest)),
            out,
            keep=keep,
            remembered=remembered,
            progress=progress,
            started=started,
        )
    gone = len(found.stays) - int(found.stays.sum())
    return ThinReport(change, found.outliers, gone - len(found.outliers))


def thinning(index: PhoneIndex, budget: int | None = None) -> Thinning:
    """Choose what stays of an index.

    Parameters
    ----------
    budget
        Exemplars that may stay, silences among them; only outliers go if None. Phones share it in
        proportion to what they have, none gets less than `LEAST`, and what those need counts first.
    """
    rng = np.random.default_rng(0)
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
