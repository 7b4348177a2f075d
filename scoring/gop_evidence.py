"""From an encoder's frames to goodness of pronunciation per canonical phone.

This is where a head's labels, a phone inventory and the sums of `scoring.gop` meet. What cannot be
measured is NaN, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.scoring.gop import GopFeatures, gop_features, mean_margins
from nativeear.speech.ctc import frames_needed
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import LabelMap, head_refusal, label_map


@dataclass(frozen=True, eq=False)
class GopMeasurement:
    """Goodness of pronunciation of N canonical phones.

    Attributes
    ----------
    sf, sf_sd, margin
        float64 `[N]`: `GopFeatures.sf_s` and `sf_sd`, and the mean log posterior margin where the
        head expects the phone, which suits CTC better than any alignment. Of several units the
        worst counts. NaN where nothing was measured, or where the head cannot tell the phone.
    reason
        Why nothing, or not everything, was measured: one sentence for the warnings, or empty.
    features
        What `gop_features` gave for M ≥ N units, without insertions, or None. A phone that the
        head has no label for but spells, as ZIPA spells `tʃ`, is several units.
    units
        int64 `[N + 1]`: phone i is units `units[i] … units[i + 1] - 1` of `features`.
    columns
        Names of the V columns that the features speak of, blank first.
    mean_log_posterior
        float64 `[N]`, log posterior of each phone where it is expected (the mean over its units);
        NaN where it was not measured.
    spans_s
        float64 `[N, 2]`, where the head heard each phone, in seconds: CTC heads emit for a frame
        or two, so this is the place of a phone and not its duration. NaN where not measured.
    occupancy
        float64 `[T, N]`, how much of each frame belongs to each phone, or None.
    """

    sf: NDArray[np.float64]
    sf_sd: NDArray[np.float64]
    margin: NDArray[np.float64]
    reason: str
    features: GopFeatures | None
    units: NDArray[np.int64]
    columns: tuple[str, ...]
    mean_log_posterior: NDArray[np.float64]
    spans_s: NDArray[np.float64]
    occupancy: NDArray[np.float64] | None


def measure_gop(
    frames: Frames,
    inventory: PhoneInventory,
    canonical: Sequence[str],
) -> GopMeasurement:
    """Measure how well each canonical phone was pronounced.

    Parameters
    ----------
    frames
        Of one recording.
    inventory
        The phones of its language.
    canonical
        N symbols of the inventory, in the order they should be said.

    Raises
    ------
    PhoneError
        If a canonical symbol is not in the inventory.
    """
    for symbol in canonical:
        inventory.phone(symbol)
    reason = head_refusal(frames, inventory)
    if frames.log_probs is None or reason or not canonical:
        return _nothing(len(canonical), reason)
    head = label_map(frames.labels, inventory)
    labels, units = head.units(canonical)
    needed = frames_needed(labels)
    if len(frames.log_probs) < needed:
        return _nothing(
            len(canonical),
            f"The recording has {len(frames.log_probs)} frames, too few for {labels.size} phones, "
            f"which need {needed}.",
        )
    log_probs = head.pool(frames.log_probs)
    features = gop_features(log_probs, labels, insertions=False)
    margins = mean_margins(log_probs, labels, features.expected_span)
    absent = np.array([symbol in head.absent for symbol in canonical])

    def worst(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(absent, np.nan, np.minimum.reduceat(values, units[:-1]))

    return GopMeasurement(
        sf=worst(features.sf_s),
        sf_sd=worst(features.sf_sd),
        margin=worst(margins),
        reason=_absence(head, canonical),
        features=features,
        units=units,
        columns=head.columns,
        mean_log_posterior=head.mean_over_units(features.mean_log_posterior, canonical, units),
        spans_s=_seconds(frames, features.expected_span, units),
        occupancy=np.add.reduceat(features.occupancy, units[:-1], axis=1),
    )


def _nothing(n_phones: int, reason: str) -> GopMeasurement:
    return GopMeasurement(
        sf=np.full(n_phones, np.nan),
        sf_sd=np.full(n_phones, np.nan),
        margin=np.full(n_phones, np.nan),
        reason=reason,
        features=None,
        units=np.arange(n_phones + 1, dtype=np.int64),
        columns=(),
        mean_log_posterior=np.full(n_phones, np.nan),
        spans_s=np.full((n_phones, 2), np.nan),
        occupancy=None,
    )


def _absence(head: LabelMap, canonical: Sequence[str]) -> str:
    absent = [symbol for symbol in dict.fromkeys(canonical) if symbol in head.absent]
    if not absent:
        return ""
    return f"The encoder's CTC head does not tell {', '.join(absent)}: no GOP for these phones."


def _seconds(
    frames: Frames, expected: NDArray[np.float64], units: NDArray[np.int64]
) -> NDArray[np.float64]:
    """First begin and last end of each phone's units, in seconds `[N, 2]`, never negative."""
    edges = np.stack((expected[units[:-1], 0], expected[units[1:] - 1, 1]), axis=1)
    seconds = frames.offset_s + (edges - 0.5) * frames.hop_s
    return np.asarray(np.maximum(seconds, 0.0), dtype=np.float64)
