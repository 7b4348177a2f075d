"""What native exemplars say about each canonical phone of a learner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.cells import Cells
from nativeear.indexes.phone_index import FloatArray, IntArray, PhoneIndex
from nativeear.indexes.similarity import margins
from nativeear.retriever.neighbours import Exclusion, find_neighbours
from nativeear.speech.alignment import SILENCE

K = 20
"""Neighbours that vote in `canonical_share`."""

ASKED_OF_CELLS = 64
"""Exemplars of a phone among which cells look for those that can be heard; so few are read as they
are."""


@dataclass(frozen=True, eq=False)
class PhoneEvidence:
    """The natives' testimony on one canonical phone."""

    phone: str  # the canonical phone
    # float32 `[P]` over `PhoneIndex.classes`: softmax(s / τ), which weighs every class alike
    # however many exemplars it has.
    posterior: FloatArray
    margin: float  # s(canonical) minus the best competitor's s; NaN where it cannot be judged
    canonical_share: float  # share of the k nearest exemplars that are the canonical phone, 0–1
    coverage: int  # exemplars of the canonical phone that were allowed to answer
    neighbours: tuple[int, ...]  # rows of the nearest exemplars, nearest first
    similarities: tuple[float, ...]  # their cosines
    # Rows of the nearest exemplars of the canonical phone: how natives say it. Only those whose
    # recordings are kept, if there are any.
    models: tuple[int, ...]
    model_similarities: tuple[float, ...]  # their cosines


def gather_evidence(
    index: PhoneIndex,
    embeddings: FloatArray,
    canonical: Sequence[str],
    *,
    exclusion: Exclusion | None = None,
    k: int = K,
    models: int = 2,
) -> tuple[PhoneEvidence, ...]:
    """Ask the index about N pooled sounds.

    Parameters
    ----------
    embeddings
        float32 `[N, D]`, pooled in the encoder's space.
    canonical
        The N phones that were meant.
    exclusion
        Utterances and speakers that must not answer, for speech that is itself in the pool.

    Returns
    -------
    tuple of PhoneEvidence
        One per sound, in order. A canonical phone that the index does not hold has coverage 0
        and a NaN margin.
    """
    if not len(embeddings):
        return ()
    vectors = index.transform(embeddings)
    excluded = exclusion.rows(index) if exclusion else None
    neighbours = find_neighbours(index, vectors, min(k, len(index.vectors)), excluded)
    similar = neighbours.by_class
    codes = index.codes_of(canonical)
    margin = np.where(codes >= 0, margins(similar, np.maximum(codes, 0)), np.nan)
    posterior = posteriors(similar, index.manifest.decision.temperature)
    gathered = []
    answering = _answering(index, vectors, canonical, excluded, models)
    for i, phone in enumerate(canonical):
        found = neighbours.ids[i] >= 0
        coverage, rows, cosines = answering[i]
        gathered.append(
            PhoneEvidence(
                phone=phone,
                posterior=posterior[i],
                margin=float(margin[i]),
                canonical_share=float((neighbours.phones[i][found] == codes[i]).mean())
                if found.any()
                else 0.0,
                coverage=coverage,
                neighbours=tuple(neighbours.ids[i][found].tolist()),
                similarities=tuple(neighbours.similarities[i][found].tolist()),
                models=rows,
                model_similarities=cosines,
            )
        )
    return tuple(gathered)


def _answering(
    index: PhoneIndex,
    vectors: FloatArray,
    canonical: Sequence[str],
    excluded: NDArray[np.bool_] | None,
    models: int,
) -> list[tuple[int, tuple[int, ...], tuple[float, ...]]]:
    """Coverage of each canonical phone, its nearest exemplars' rows and their cosines."""
    found: list[tuple[int, tuple[int, ...], tuple[float, ...]]] = [(0, (), ())] * len(canonical)
    for phone in dict.fromkeys(canonical):
        own = index.rows_of(phone)
        allowed = np.arange(own.start, own.stop)
        if excluded is not None:
            allowed = allowed[~excluded[own]]
        if not len(allowed):
            continue
        playable = allowed[index.playable[allowed]]
        shown = playable if len(playable) else allowed  # examples are best if they can be heard
        sounds = np.array([i for i, other in enumerate(canonical) if other == phone])
        most = min(models, len(shown))
        if index.cells is not None and excluded is None and len(shown) > ASKED_OF_CELLS:
            asked = _asked_of_cells(index.cells, index, vectors[sounds], phone, shown)
        else:
            asked = [(shown, cosines) for cosines in vectors[sounds] @ index.vectors[shown].T]
        for i, (rows, cosines) in zip(sounds.tolist(), asked, strict=True):
            best = _largest_first(cosines, most)
            found[i] = (len(allowed), tuple(rows[best].tolist()), tuple(cosines[best].tolist()))
    return found


def _asked_of_cells(
    cells: Cells, index: PhoneIndex, vectors: FloatArray, phone: str, shown: IntArray
) -> list[tuple[IntArray, FloatArray]]:
    """The nearest of the exemplars `shown` of a phone and their cosines, for each of N sounds.

    All of these are asked only where none of them is among the nearest.
    """
    wanted = np.zeros((len(vectors), len(index.classes)), dtype=bool)
    wanted[:, index.classes.index(phone)] = True
    nearest = cells.shortlists(vectors, ASKED_OF_CELLS, wanted=wanted)
    found = []
    for vector, rows, cosines in zip(vectors, nearest.rows, nearest.similarities, strict=True):
        among = shown[np.searchsorted(shown[:-1], rows)] == rows  # they ascend
        if among.any():
            found.append((rows[among], cosines[among]))
        else:
            found.append((shown, index.vectors[shown] @ vector))
    return found


def _largest_first(values: FloatArray, m: int) -> IntArray:
    """Places of the m largest, or of all if there are fewer; of equal ones the first come first."""
    m = min(m, len(values))
    if not m:
        return np.zeros(0, dtype=np.int64)
    large = np.flatnonzero(values >= np.partition(values, -m)[-m])
    places: IntArray = large[np.argsort(-values[large], kind="stable")[:m]]
    return places


def posteriors(similar: FloatArray, temperature: float) -> FloatArray:
    """Posterior over classes: softmax(s / τ), float32 `[N, P]`; missing classes get 0."""
    scores = np.where(np.isnan(similar), -np.inf, similar.astype(np.float64)) / temperature
    scores -= scores.max(axis=1, keepdims=True)
    weights = np.exp(scores)
    posterior: FloatArray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return posterior


def sounds_like(
    index: PhoneIndex, evidence: PhoneEvidence, *, most: int = 3, least: float = 0.05
) -> tuple[tuple[str, float], ...]:
    """The phones that a sound resembles and their probabilities, likeliest first.

    Silence is left out and the rest renormalised; phones below `least` are not named.
    """
    speech = np.array([phone != SILENCE for phone in index.classes])
    weights = np.where(speech, evidence.posterior, 0.0)
    total = float(weights.sum())
    if total <= 0:
        return ()
    order = np.argsort(-weights, kind="stable")[:most]
    named = [(index.classes[p], float(weights[p]) / total) for p in order]
    return tuple((phone, p) for phone, p in named if p >= least)
