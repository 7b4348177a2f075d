"""How the natives of an index say each phone: the reference that evidence is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.native_margins import NativeMargins
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.reliability import (
    MIN_COVERAGE,
    NO_EXEMPLARS,
    PhoneReliability,
    phone_reliability,
)
from nativeear.retriever.evidence import PhoneEvidence
from nativeear.speech.alignment import SILENCE


class NativeReference:
    """Distributions of native evidence, by phone. Safe to share between threads.

    Parameters
    ----------
    index
        The index.
    excluded
        bool `[n]`, exemplars that are not among the natives, from `Exclusion.rows`.
    """

    def __init__(self, index: PhoneIndex, excluded: NDArray[np.bool_] | None = None) -> None:
        self._index = index
        self._excluded = excluded
        self._class_of = {phone: p for p, phone in enumerate(index.classes)}

    def without(self, excluded: NDArray[np.bool_]) -> NativeReference:
        """The same as if some exemplars, bool `[n]`, were not there."""
        return NativeReference(self._index, excluded) if excluded.any() else self

    def _of(self, values: NDArray[np.floating], phone: str) -> NDArray[np.floating]:
        """The values `[n]` of a phone's natives."""
        own = self._index.rows_of(phone)
        return values[own] if self._excluded is None else values[own][~self._excluded[own]]

    @cached_property
    def margins(self) -> dict[str, NativeMargins]:
        """Margins of natives, each while its own utterance or speaker was left out."""
        return self._fitted(self._index.native_margins)

    @cached_property
    def reliability(self) -> dict[str, PhoneReliability]:
        """How far the index can be trusted with each phone."""
        return phone_reliability(self._index)

    @cached_property
    def log_posteriors(self) -> dict[str, NativeMargins]:
        """Log posteriors of natives by the encoder's phone head."""
        return self._fitted(self._index.native_log_posteriors)

    def _fitted(self, values: NDArray[np.float32]) -> dict[str, NativeMargins]:
        return {
            phone: NativeMargins.fit(self._of(values, phone))
            for phone in self._index.classes
            if phone != SILENCE
        }

    @cached_property
    def _medians_s(self) -> dict[str, float]:
        durations = self._index.durations_s
        own = {phone: self._of(durations, phone) for phone in self._index.classes}
        return {phone: float(np.median(spans)) for phone, spans in own.items() if len(spans)}

    def margin_quantiles(self, evidence: Sequence[PhoneEvidence]) -> NDArray[np.float64]:
        """ln of the share of natives with no larger margin, `[N]`; NaN where not reliable."""
        reliable = [
            self.reliability.get(e.phone, NO_EXEMPLARS).judged(e.coverage) for e in evidence
        ]
        margins = np.array([e.margin for e in evidence], dtype=np.float64)
        quantiles = _log_quantiles(self.margins, [e.phone for e in evidence], margins)
        return np.where(reliable, quantiles, np.nan)

    def log_posterior_quantiles(
        self, phones: Sequence[str], log_posteriors: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """ln of the share of natives with no larger log posterior, `[N]`, or NaN."""
        known = {p: n for p, n in self.log_posteriors.items() if len(n) >= MIN_COVERAGE}
        return _log_quantiles(known, phones, log_posteriors)

    def canonical_posteriors(self, evidence: Sequence[PhoneEvidence]) -> NDArray[np.float64]:
        """Retrieval's posterior of each canonical phone, `[N]`; NaN where the index has none."""
        classes = self._class_of
        posteriors = [
            e.posterior[classes[e.phone]] if e.phone in classes else np.nan for e in evidence
        ]
        return np.array(posteriors, dtype=np.float64)

    def median_durations_s(self, phones: Sequence[str]) -> NDArray[np.float64]:
        """Median native duration of each phone in seconds, `[N]`, or NaN."""
        return np.array([self._medians_s.get(phone, np.nan) for phone in phones])


def _log_quantiles(
    natives: Mapping[str, NativeMargins], phones: Sequence[str], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Place of each value among the natives of its phone, `[N]`; NaN where there are none."""
    found = np.full(len(phones), np.nan)
    for phone in set(phones) & natives.keys():
        own = [i for i, other in enumerate(phones) if other == phone]
        found[own] = natives[phone].log_quantile(values[own])
    return found
