"""All that is known of every canonical phone, as columns of numbers that a calibration weighs.

Retrieval, the CTC head and the alignment each have their say; so do the neighbours, the word and
the whole recording, for a sound is judged in its context. What was not measured is NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.frame_evidence import FrameEvidence
from nativeear.retriever.evidence import PhoneEvidence
from nativeear.scoring.fusion.natives import NativeReference
from nativeear.scoring.gop import GopFeatures
from nativeear.scoring.gop_evidence import GopMeasurement
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import VOWEL_KINDS

Column = NDArray[np.float64]

LOWEST = -20.0
"""Log posteriors, log ratios and ln quantiles are cut off here: what is impossible at −20 nats is
not more impossible at −40."""

LOW_SHARE = 0.2
"""Quantile that stands for the weak places of a recording."""

RISING = frozenset(
    (
        "log_posterior",
        "log_posterior_quantile",
        "sf_s",
        "sf_sd",
        "gop_margin",
        "deletion",
        "rival",
        "frame_log_posterior",
        "frame_margin",
        "margin",
        "margin_quantile",
        "posterior",
        "canonical_share",
    )
)
"""Columns of evidence that the phone was said as it was meant: no grade of the trees falls when one
rises."""

RATIO = "ratio_"
"""Before the name of a phone that may have been said instead: by how much the head finds the
canonical phone likelier."""

CONTEXT = ("log_posterior", "frame_log_posterior", "margin_quantile")
"""Columns of which the neighbours, the word and the recording are asked as well."""

CONTEXT_STATISTICS = ("before", "after", "word", "word_least", "recording", "recording_low")
"""What is asked of each of them, in the order of `_context_columns`."""

CONTEXT_COLUMNS = tuple(f"{name}_{where}" for name in CONTEXT for where in CONTEXT_STATISTICS)


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """N canonical phones by F columns.

    Attributes
    ----------
    names
        The F columns.
    values
        float64 `[N, F]`; NaN where something was not measured.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]

    def column(self, name: str) -> Column:
        """One column, `[N]`."""
        return self.values[:, self.names.index(name)]

    def columns(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Some columns, `[N, len(names)]`; NaN where there is none of that name."""
        place = {name: i for i, name in enumerate(self.names)}
        found = np.full((len(self.values), len(names)), np.nan)
        for i, name in enumerate(names):
            if name in place:
                found[:, i] = self.values[:, place[name]]
        return found


def phone_features(
    *,
    phones: Sequence[AlignedPhone],
    evidence: Sequence[PhoneEvidence],
    frame_evidence: FrameEvidence,
    gop: GopMeasurement,
    natives: NativeReference,
    inventory: PhoneInventory,
) -> FeatureTable:
    """Put together what was measured of N canonical phones, in the order they were meant.

    Parameters
    ----------
    phones
        The aligned phones without silences.
    evidence
        What the index says of each.
    frame_evidence
        What it says of their frames.
    gop
        What the encoder's phone head says.
    natives
        How natives of the index say these phones.
    inventory
        The phones of the language.
    """
    if not phones:
        return FeatureTable((), np.zeros((0, 0)))
    own = _head_columns(gop, evidence, inventory)
    own |= _retrieval_columns(evidence, frame_evidence, natives)
    own |= _timing_columns(phones, gop, natives)
    own["log_posterior_quantile"] = natives.log_posterior_quantiles(
        [phone.phone for phone in phones], own["log_posterior"]
    )
    for name in RISING:
        own[name] = np.clip(own[name], LOWEST, -LOWEST)
    words = np.array([phone.word_index for phone in phones])
    own |= _position_columns(phones, words, inventory)
    for name in CONTEXT:
        own |= _context_columns(name, own[name], words)
    own |= _columns_by_phone(gop, inventory)
    return FeatureTable(tuple(own), np.column_stack(list(own.values())))


def _head_columns(
    gop: GopMeasurement, evidence: Sequence[PhoneEvidence], inventory: PhoneInventory
) -> dict[str, Column]:
    columns = {
        "log_posterior": gop.mean_log_posterior,
        "sf_s": gop.sf,
        "sf_sd": gop.sf_sd,
        "gop_margin": gop.margin,
    }
    deletion, rival, distance, held = (np.full(len(evidence), np.nan) for _ in range(4))
    features = gop.features
    if features is not None:
        measured, starts = ~np.isnan(gop.mean_log_posterior), gop.units[:-1]
        deletion[measured] = np.minimum.reduceat(features.deletion, starts)[measured]
        held[measured] = np.add.reduceat(features.occupancy.sum(axis=0), starts)[measured]
        ratios = _ratios(features)
        order = np.nan_to_num(ratios, nan=np.inf, posinf=np.finfo(np.float64).max)
        for i in np.flatnonzero(measured).tolist():
            units = slice(int(gop.units[i]), int(gop.units[i + 1]))
            unit, column = divmod(int(order[units].argmin()), ratios.shape[1])
            rival[i] = ratios[units][unit, column]
            name = gop.columns[column]
            if name in inventory:
                distance[i] = inventory.distance(evidence[i].phone, name)
    return columns | {
        "deletion": deletion,
        "rival": rival,
        "rival_distance": distance,
        "occupied_frames": held,
    }


def _ratios(features: GopFeatures) -> NDArray[np.float64]:
    """Log ratios of M units to V columns; a phone is not its own rival, nor is the blank one."""
    ratios: NDArray[np.float64] = features.substitution.copy()
    ratios[np.arange(len(ratios)), features.canonical] = np.nan
    return ratios


def _columns_by_phone(gop: GopMeasurement, inventory: PhoneInventory) -> dict[str, Column]:
    """What the head says of every phone that may have been said instead."""
    if gop.features is None:
        return {}
    worst = np.minimum.reduceat(_ratios(gop.features), gop.units[:-1])
    worst[np.isnan(gop.mean_log_posterior)] = np.nan
    worst = np.clip(worst, LOWEST, -LOWEST)
    return {RATIO + name: worst[:, i] for i, name in enumerate(gop.columns) if name in inventory}


def _retrieval_columns(
    evidence: Sequence[PhoneEvidence], frames: FrameEvidence, natives: NativeReference
) -> dict[str, Column]:
    return {
        "frame_log_posterior": frames.log_posterior,
        "frame_margin": frames.margin,
        "margin": np.array([item.margin for item in evidence]),
        "margin_quantile": natives.margin_quantiles(evidence),
        "posterior": np.log(np.maximum(natives.canonical_posteriors(evidence), 1e-9)),
        "canonical_share": np.array([item.canonical_share for item in evidence]),
        "own_similarity": np.array(
            [float(np.mean(item.model_similarities or (np.nan,))) for item in evidence]
        ),
        "coverage": np.log1p([item.coverage for item in evidence]),
    }


def _timing_columns(
    phones: Sequence[AlignedPhone], gop: GopMeasurement, natives: NativeReference
) -> dict[str, Column]:
    duration_s = np.array([phone.duration_s for phone in phones])
    median_s = natives.median_durations_s([phone.phone for phone in phones])
    middles = np.array([(phone.start_s + phone.end_s) / 2 for phone in phones])
    relative = np.log(np.maximum(duration_s, 1e-3) / median_s)
    return {
        "duration": relative,
        "duration_here": relative - _quiet(np.nanmedian, relative),
        "gap_s": np.abs(gop.spans_s.mean(axis=1) - middles),
    }


def _position_columns(
    phones: Sequence[AlignedPhone], words: NDArray[np.int64], inventory: PhoneInventory
) -> dict[str, Column]:
    n = len(phones)
    first = np.searchsorted(words, words, side="left")
    last = np.searchsorted(words, words, side="right")
    kinds = [inventory.phone(phone.phone).kind for phone in phones]
    return {
        "in_word": np.arange(n) - first.astype(np.float64),
        "to_word_end": last - 1.0 - np.arange(n),
        "vowel": np.array([float(kind in VOWEL_KINDS) for kind in kinds]),
        "phones": np.full(n, float(n)),
    }


def _context_columns(name: str, values: Column, words: NDArray[np.int64]) -> dict[str, Column]:
    none = np.array([np.nan])
    starts = np.flatnonzero(np.diff(words, prepend=-1))
    lengths = np.diff(starts, append=len(words))
    counts = np.add.reduceat(~np.isnan(values), starts, dtype=np.float64)
    sums = np.add.reduceat(np.nan_to_num(values), starts)
    word_mean = np.repeat(sums / np.where(counts > 0, counts, np.nan), lengths)
    word_least = np.repeat(np.fmin.reduceat(values, starts), lengths)
    whole = np.full(len(values), _quiet(np.nanmean, values))
    low = np.full(len(values), _quiet(lambda v: np.nanquantile(v, LOW_SHARE), values))
    before, after = np.concatenate([none, values[:-1]]), np.concatenate([values[1:], none])
    found = (before, after, word_mean, word_least, whole, low)
    return {
        f"{name}_{where}": column for where, column in zip(CONTEXT_STATISTICS, found, strict=True)
    }


def _quiet(function: object, values: Column) -> float:
    """A NaN-aware statistic that is NaN where nothing is known, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(function(values))  # type: ignore[operator]
