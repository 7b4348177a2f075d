"""From an encoder's frames to goodness of pronunciation per canonical phone.

This is where a head's labels, a phone inventory and the sums of `scoring.gop` meet. What cannot be
measured is NaN, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.scoring.gop import GopFeatures, gop_features
from nativeear.scoring.gop_segment import logit_margins
from nativeear.speech.ctc import frames_needed
from nativeear.speech.errors import InputError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import LabelMap, head_refusal, label_map

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class GopMeasurement:
    """Goodness of pronunciation of N canonical phones.

    Attributes
    ----------
    sf, sf_sd, margin
        float64 `[N]`: `GopFeatures.sf_s` and `sf_sd`, and the mean log posterior margin over the
        phone's span. Of several units the worst counts. NaN where nothing was measured, or where
        the head cannot tell the phone.
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
    spans_s: Sequence[Span | None] | None = None,
    *,
    substitutes: NDArray[np.bool_] | None = None,
    utterance: str = "",
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
    spans_s
        Start and end of each phone in seconds, for the margin; None, or None for one phone, takes
        where the head itself expects the phone, which suits CTC better than any alignment.
    substitutes
        bool `[V, V]` over the columns of the pooled head, see `scoring.substitutes`.
    utterance
        Name for error messages.

    Raises
    ------
    PhoneError
        If a canonical symbol is not in the inventory.
    InputError
        If there are not as many spans as phones.
    """
    for symbol in canonical:
        inventory.phone(symbol)
    if spans_s is not None and len(spans_s) != len(canonical):
        raise InputError(
            f"There are {len(spans_s)} spans for {len(canonical)} phones.",
            fix="Give one span per canonical phone, None where it is not known.",
        )
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
    features = gop_features(
        log_probs, labels, substitutes=substitutes, insertions=False, utterance=utterance
    )
    spans = _frame_spans(frames, features.expected_span, units, spans_s)
    margins = logit_margins(log_probs, labels, spans, substitutes=substitutes, utterance=utterance)
    absent = np.array([symbol in head.absent for symbol in canonical])

    def worst(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(absent, np.nan, np.minimum.reduceat(values, units[:-1]))

    return GopMeasurement(
        sf=worst(features.sf_s),
        sf_sd=worst(features.sf_sd),
        margin=worst(margins.mean),
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


def _slices(units: NDArray[np.int64]) -> list[slice]:
    return [slice(*pair) for pair in zip(units[:-1].tolist(), units[1:].tolist(), strict=True)]


def _frame_spans(
    frames: Frames,
    expected: NDArray[np.float64],
    units: NDArray[np.int64],
    spans_s: Sequence[Span | None] | None,
) -> NDArray[np.float64]:
    """Span of every unit in frames `[M, 2]`; the units of one phone share its given span evenly."""
    spans: NDArray[np.float64] = np.array(expected)
    for of, given in zip(_slices(units), spans_s or [None] * (len(units) - 1), strict=True):
        if given is not None:
            edges = np.linspace(*given, num=of.stop - of.start + 1)
            # frame t reaches half a hop to either side of its centre
            inside = (edges - frames.offset_s) / frames.hop_s + 0.5
            inside = np.clip(inside, 0.0, len(frames))
            spans[of] = np.stack((inside[:-1], inside[1:]), axis=1)
    return spans


def _seconds(
    frames: Frames, expected: NDArray[np.float64], units: NDArray[np.int64]
) -> NDArray[np.float64]:
    """First begin and last end of each phone's units, in seconds `[N, 2]`, never negative."""
    edges = np.stack((expected[units[:-1], 0], expected[units[1:] - 1, 1]), axis=1)
    seconds = frames.offset_s + (edges - 0.5) * frames.hop_s
    return np.asarray(np.maximum(seconds, 0.0), dtype=np.float64)
