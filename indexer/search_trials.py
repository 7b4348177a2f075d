"""Ways to search, measured against exact search."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nativeear.indexes.cells import Cells, Probing, Shortlists
from nativeear.indexes.manifest import Codes, SearchTrial
from nativeear.indexes.similarity import FloatArray, IntArray, margins

K = 10
"""Nearest exemplars that have to be found, of all and of a phone."""

BATCH = 40
"""Queries that are asked at a time: the phones of a sentence."""

ROWS_AT_ONCE = 1 << 15
TIMED_BATCHES = 8
MOST_TIMED_S = 2.0


@dataclass(frozen=True, eq=False)
class LabelledQueries:
    """Queries whose phones are known."""

    vectors: FloatArray  # unit vectors, float32 `[N, d]`
    phone: IntArray  # int64 `[N]`, the class of each
    # int64 `[N]`, the row of each where it is itself in the pool and has to leave itself out; else
    # -1.
    own: IntArray

    def batches(self) -> list[FloatArray]:
        """Full batches to take the time of; one that is not full if there are too few queries."""
        full = max(1, min(TIMED_BATCHES, len(self.vectors) // BATCH))
        return [self.vectors[i * BATCH : (i + 1) * BATCH] for i in range(full)]


@dataclass(frozen=True, eq=False)
class ExactResults:
    """What exact search finds."""

    labelled: LabelledQueries  # what was asked
    found: Shortlists  # the `K` nearest of every class
    milliseconds: float  # of a batch


def native_queries(vectors: FloatArray, bounds: IntArray, number: int) -> LabelledQueries:
    """Exemplars of a pool, drawn without replacement, who leave themselves out."""
    rng = np.random.default_rng(0)
    rows = rng.permutation(int(bounds[-1]))[:number].astype(np.int64)
    phone = np.searchsorted(bounds, rows, side="right") - 1
    return LabelledQueries(np.array(vectors[rows]), phone, rows)


def search_exactly(
    vectors: FloatArray, bounds: IntArray, labelled: LabelledQueries
) -> ExactResults:
    """Compare queries with a pool of unit vectors, float32 `[n, d]`, in one pass over it."""
    nobody = np.full(BATCH, -1, dtype=np.int64)
    return ExactResults(
        labelled,
        _exact(vectors, bounds, labelled.vectors, labelled.own),
        milliseconds(
            lambda batch: _exact(vectors, bounds, batch, nobody[: len(batch)]), labelled.batches()
        ),
    )


def _exact(
    vectors: FloatArray, bounds: IntArray, asked: FloatArray, leave_out: IntArray
) -> Shortlists:
    queries, phones = len(asked), len(bounds) - 1
    best = np.full((queries, phones, K), -np.inf, dtype=np.float32)
    rows = np.full((queries, phones, K), -1, dtype=np.int64)
    for p, (first, end) in enumerate(pairwise(bounds.tolist())):
        for start in range(first, end, ROWS_AT_ONCE):
            block = np.ascontiguousarray(vectors[start : min(start + ROWS_AT_ONCE, end)])
            near = asked @ block.T
            own = leave_out - start
            inside = np.flatnonzero((own >= 0) & (own < len(block)))
            near[inside, own[inside]] = -np.inf
            k = min(K, near.shape[1])
            top = np.argpartition(near, near.shape[1] - k, axis=1)[:, -k:]
            values = np.hstack([best[:, p], np.take_along_axis(near, top, axis=1)])
            named = np.hstack([rows[:, p], top + start])
            order = np.argsort(-values, axis=1, kind="stable")[:, :K]
            best[:, p] = np.take_along_axis(values, order, axis=1)
            rows[:, p] = np.take_along_axis(named, order, axis=1)
    rows[np.isneginf(best)] = -1
    query, phone = np.divmod(np.arange(queries * phones), phones)
    return Shortlists(query, phone, rows.reshape(-1, K), best.reshape(-1, K))


def trial_of_exact(vectors: FloatArray, truth: ExactResults) -> SearchTrial:
    """Exact search as one of the ways."""
    return SearchTrial(
        codes=None,
        cells=0,
        nearest=0,
        each=0,
        recall=1.0,
        phone_recall=1.0,
        margin_error=0.0,
        milliseconds=truth.milliseconds,
        bytes=int(vectors.size) * 4,
    )


def trial_of_cells(
    cells: Cells, codes: Codes, probing: Probing, truth: ExactResults, *, top_m: int, bytes_: int
) -> SearchTrial:
    """Ask cells what was asked exactly."""
    labelled = truth.labelled
    queries, phones = len(labelled.vectors), int(truth.found.phone.max()) + 1
    # One more than is compared, for some of them leave themselves out.
    found = cells.shortlists(labelled.vectors, K + 1, probing=probing).without(labelled.own)
    exact, near = (s.by_class(queries, phones, top_m) for s in (truth.found, found))
    exact_margins, near_margins = (margins(s, labelled.phone) for s in (exact, near))
    judged = ~np.isnan(exact_margins) & ~np.isnan(near_margins)
    errors = np.abs(exact_margins - near_margins)[judged]
    heard = _own_and_best_competitor(exact, labelled.phone)
    return SearchTrial(
        codes=codes,
        cells=cells.cells,
        nearest=probing.nearest,
        each=probing.each,
        recall=shared(truth.found.nearest(queries, K)[0], found.nearest(queries, K)[0]),
        phone_recall=shared(_of_phones(truth.found, heard), _of_phones(found, heard)),
        margin_error=float(errors.mean()) if len(errors) else 0.0,
        milliseconds=milliseconds(
            lambda batch: cells.shortlists(batch, K, probing=probing), labelled.batches()
        ),
        bytes=bytes_,
    )


def _own_and_best_competitor(similar: FloatArray, phone: IntArray) -> IntArray:
    """Of every query its class and the nearest other one, int64 `[N, 2]`."""
    others = np.where(np.isnan(similar), -np.inf, similar)
    others[np.arange(len(phone)), phone] = -np.inf
    return np.stack([phone, others.argmax(axis=1)], axis=1)


def _of_phones(found: Shortlists, wanted: IntArray) -> IntArray:
    """Rows of some classes of every query, int64 `[N, 2 K]`; -1 where fewer were found."""
    rows = np.full((*wanted.shape, K), -1, dtype=np.int64)
    for place in range(wanted.shape[1]):
        chosen = found.phone == wanted[found.query, place]
        rows[found.query[chosen], place] = found.rows[chosen, :K]
    return rows.reshape(len(wanted), -1)


def shared(exact: IntArray, found: IntArray) -> float:
    """Share of the rows of the first that are in the second, query by query; -1 counts for none."""
    asked = hit = 0
    for wanted, named in zip(exact, found, strict=True):
        wanted = wanted[wanted >= 0]  # noqa: PLW2901 - the same rows, those that are there
        asked += len(wanted)
        hit += int(np.isin(wanted, named).sum())
    return hit / max(1, asked)


def milliseconds(search: Callable[[FloatArray], object], batches: list[FloatArray]) -> float:
    """Median time of a batch, after one that is not counted; fewer are timed if they take long."""
    search(batches[0])
    spent: list[float] = []
    for batch in batches:
        if sum(spent) < MOST_TIMED_S:
            started = time.perf_counter()
            search(batch)
            spent.append(time.perf_counter() - started)
    return 1000 * float(np.median(spent))
