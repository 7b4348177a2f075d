"""Exemplars that somebody should listen to: natives farthest from their own phone, and hubs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from nativeear.indexer.audit.coverage import AuditModel
from nativeear.indexer.audit.geometry import HUB, Neighbourhood
from nativeear.indexes.phone_index import PhoneIndex

MOST = 20
"""Exemplars of each kind that are named."""

OF_AN_UTTERANCE = 2
"""Of one utterance no more are named: if it is wrong, two say so."""


class Suspect(AuditModel):
    """An exemplar, and what is strange about it."""

    exemplar: int  # its row
    phone: str
    word: str
    corpus: str
    speaker: str
    utterance: str
    start_s: float
    end_s: float
    # Of an outlier: by how much (cosines) it is nearer to its own phone than to any other, while it
    # was left out; negative. Of a hub: how many times as often as the mean it is a neighbour.
    figure: float


class Suspects(AuditModel):
    """What may be misread, misaligned or badly recorded, and what answers too often."""

    outliers: tuple[Suspect, ...]  # the farthest from its own phone first
    hubs: tuple[Suspect, ...]  # the one that is a neighbour most often first


def suspects(index: PhoneIndex, around: Neighbourhood) -> Suspects:
    """Exemplars to listen to.

    Parameters
    ----------
    around
        Neighbours of the exemplars, see `indexer.audit.geometry`.
    """
    margin = index.native_margins[: index.manifest.counts.spoken].astype(np.float64)
    wrong = np.flatnonzero(margin < 0)
    far = wrong[np.argsort(margin[wrong], kind="stable")]
    mean = around.similar.shape[1]
    often = np.flatnonzero(around.occurrences > HUB * mean)
    often = often[np.argsort(-around.occurrences[often], kind="stable")]
    times = around.occurrences / max(mean, 1)
    return Suspects(
        outliers=_named(index, ((row, margin[row]) for row in far.tolist())),
        hubs=_named(index, ((int(around.rows[i]), times[i]) for i in often.tolist())),
    )


def _named(index: PhoneIndex, found: Iterable[tuple[int, float]]) -> tuple[Suspect, ...]:
    named: list[Suspect] = []
    of_utterance: Counter[tuple[str, str]] = Counter()
    for row, figure in found:
        if len(named) == MOST:
            break
        exemplar = index.exemplar(row)
        of_utterance[exemplar.corpus, exemplar.utterance] += 1
        if of_utterance[exemplar.corpus, exemplar.utterance] > OF_AN_UTTERANCE:
            continue
        named.append(
            Suspect(
                exemplar=row,
                phone=exemplar.phone,
                word=exemplar.word,
                corpus=exemplar.corpus,
                speaker=exemplar.speaker,
                utterance=exemplar.utterance,
                start_s=round(exemplar.start_s, 3),
                end_s=round(exemplar.end_s, 3),
                figure=round(float(figure), 4),
            )
        )
    return tuple(named)
