"""How an index is best searched: ways to search are measured on its own natives, and one is taken.

The exact vectors stay: natives who are left out, audits and changes need them. Cells lie beside
them (`indexes.cells`) and say where to look. A change of the index leaves the cells behind.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from nativeear.indexer.assembly import Progress, no_progress
from nativeear.indexer.changes import changing, succession
from nativeear.indexer.search_trials import (
    BATCH,
    K,
    native_queries,
    search_exactly,
    trial_of_cells,
    trial_of_exact,
)
from nativeear.indexes.cell_lists import LAYOUT, LISTS, codes_for, divide, write_cells
from nativeear.indexes.cells import Cells, Probing
from nativeear.indexes.manifest import SearchChoice, SearchTrial
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import seal, staged, take_over_all
from nativeear.indexes.versions import replace
from nativeear.speech.errors import InputError

RECALL = 0.99
MEMORY_BYTES = 2 * 10**9
ASKED = 400
"""Natives that are asked."""

PROBINGS = tuple(Probing(16 * each, each) for each in (1, 2, 4, 8, 16))


@dataclass(frozen=True)
class OptimiseReport:
    """What came of it."""

    # The index and the number of its new version.
    path: Path
    revision: int
    search: SearchChoice  # what was tried, and what was taken
    seconds: float  # time it took
    dropped: tuple[int, ...] = ()  # numbers of older versions that are kept no longer


def optimise(
    path: Path,
    *,
    recall: float = RECALL,
    memory_bytes: int = MEMORY_BYTES,
    keep: int | None = None,
    progress: Progress = no_progress,
) -> OptimiseReport:
    """Measure ways to search an index, and publish a version that is searched by the fastest.

    Parameters
    ----------
    recall
        Share of the exact nearest exemplars that has to be found, 0–1.
    memory_bytes
        What the search may hold in memory.
    keep
        Older versions that stay, now and after later changes; as many as before if None.

    Raises
    ------
    InputError
        If no way to search fulfils both wishes; what comes nearest is named, nothing is changed.
    """
    started = time.monotonic()
    with changing(path, "optimize") as index:
        path = index.path
        with staged(path) as stage:
            search = _choose(index, stage, recall, memory_bytes, progress)
            progress("Publishing", 0, 1)
            unchanged = take_over_all(path, stage, index.manifest, without={LAYOUT, LISTS})
            command = f"optimize {index.name} --recall {recall:g} --memory {memory_bytes}B"
            changed = succession(path, index.manifest, command)
            manifest = index.manifest.model_copy(update={"search": search, **changed})
            seal(stage, manifest, unchanged)
            dropped = replace(stage, path, keep)
    return OptimiseReport(path, manifest.revision, search, time.monotonic() - started, dropped)


def _choose(
    index: PhoneIndex, stage: Path, recall: float, memory_bytes: int, progress: Progress
) -> SearchChoice:
    """Try every way; the cells of the fastest that fulfils the wishes are left in the stage."""
    vectors, bounds, top_m = index.vectors, index.bounds, index.manifest.decision.top_m
    progress("Asking exactly", 0, 1)
    truth = search_exactly(vectors, bounds, native_queries(vectors, bounds, ASKED))
    tried = [trial_of_exact(vectors, truth)]
    progress("Dividing phones into cells", 0, 1)
    division = divide(vectors, bounds)
    ways = codes_for(vectors.shape[1])
    for done, codes in enumerate(ways):
        progress("Trying codes", done, len(ways))
        folder = stage / codes
        folder.mkdir()
        size = write_cells(folder, codes, vectors, bounds, division)
        rows = index.exact_rows(size, memory_bytes)
        for probing in PROBINGS:
            cells = Cells(folder, codes, rows, bounds, probing)
            tried.append(trial_of_cells(cells, codes, probing, truth, top_m=top_m, bytes_=size))
    chosen = fastest(tried, recall, memory_bytes)
    for codes in ways:
        if codes == chosen.codes:
            for name in (LAYOUT, LISTS):
                (stage / codes / name).rename(stage / name)
        shutil.rmtree(stage / codes)
    return SearchChoice(
        least_recall=recall,
        most_bytes=memory_bytes,
        queries=len(truth.labelled.vectors),
        batch=BATCH,
        k=K,
        chosen=chosen,
        tried=tuple(tried),
    )


def fastest(tried: list[SearchTrial], recall: float, memory_bytes: int) -> SearchTrial:
    """The fastest way that finds and holds what it has to.

    Raises
    ------
    InputError
        If there is none.
    """
    small = [trial for trial in tried if trial.bytes <= memory_bytes]
    if not small:
        least = min(trial.bytes for trial in tried)
        raise InputError(
            f"No way to search this index fits into {memory_bytes / 1e6:,.1f} MB.",
            cause=f"The smallest that was tried takes {least / 1e6:,.1f} MB.",
            fix="Allow more with --memory, or thin the index with `nativeear index thin`.",
        )
    good = [trial for trial in small if min(trial.recall, trial.phone_recall) >= recall]
    if not good:
        best = max(small, key=lambda trial: min(trial.recall, trial.phone_recall))
        raise InputError(
            f"No way to search this index in {memory_bytes / 1e6:,.1f} MB finds {recall:.1%} of "
            "the nearest exemplars.",
            cause=f"The best that was tried finds {best.recall:.1%} of all, and "
            f"{best.phone_recall:.1%} of those that speak for a phone and its competitor.",
            fix="Ask for less with --recall, or allow more with --memory.",
        )
    return min(good, key=lambda trial: (trial.milliseconds, trial.bytes))
