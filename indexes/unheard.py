"""What evidence on natives is like whom neither the encoder nor the index has heard.

The natives of an index know it: an encoder may have learnt from them, and where there is one
speaker all are one voice. A threshold that flags 4 % of them flags 10 % of others. So thresholds
come from voices that are new to both:

- for the shipped index, from phones of learners that all experts called right, heard by encoders
  and indexes without these learners (`natives_en.json`, written by `training.natives`);
- for an index of `MIN_SPEAKERS` or more, from its own natives, each speaker left out; where the
  encoder has no phone head, what retrieval told of them and of their frames (`indexes.left_out`);
- for an index of fewer, from its own natives, each utterance left out, shifted by how much worse
  other voices do (`voices.json`, written by `training.natives`, too).

Shares are compared by their log odds, in which voices differ by a shift and a spread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nativeear.indexes.left_out import left_out_of
from nativeear.indexes.native_margins import (
    MIN_SPEAKERS,
    FloatArray,
    NativeMargins,
    evidence_sums,
    retrieval_sums,
    spread_of_natives,
)
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.alignment import SILENCE

VOICES_FILE = Path(__file__).with_name("voices.json")
NATIVES_FILE = Path(__file__).with_name("natives_en.json")

KNOTS_TAIL = 0.01
"""Below this share the kept quantiles are continued by an exponential tail."""

TEN_PERCENT = 1.2816
"""Standard normal quantile: eight new voices in ten lie within so many spreads."""

LEAST_PHONES = 50
"""A speaker of fewer phones tells nothing of how speakers differ."""


@dataclass(frozen=True, eq=False)
class UnheardNatives:
    """Evidence on natives who were not heard.

    Attributes
    ----------
    known
        Sums of natives who were asked, see `indexes.native_margins.evidence_sums`.
    shift
        Log odds by which the share of a new voice's phones below a sum is larger than theirs.
    spread
        Standard deviation of the log odds of that share over new voices.
    phones
        How many phones were asked.
    """

    known: NativeMargins
    shift: float
    spread: float
    phones: int

    def __len__(self) -> int:
        return len(self.known)

    def log_share(self, sums: FloatArray) -> FloatArray:
        """ln of the share of new natives' phones with no larger sum, same shape; NaN as given."""
        own = self.known.log_quantile(sums)
        odds = np.expm1(self.shift) * np.exp(own)
        return np.asarray(own + self.shift - np.log1p(odds), dtype=np.float64)

    def at(self, share: float) -> float:
        """The sum below which this share of new natives' phones lies."""
        return self.known.at(_shifted(share, -self.shift))

    def expected(self, share: float) -> tuple[float, float]:
        """Between which shares of their phones eight new natives in ten have below `at(share)`.

        Voices differ; and of few phones it is not well known where a share lies.
        """
        own = _shifted(share, -self.shift)
        unknown = 1 / (max(self.phones, 1) * own * (1 - own))  # variance of log odds
        reach = TEN_PERCENT * float(np.sqrt(self.spread**2 + unknown))
        return _shifted(share, -reach), _shifted(share, reach)


@dataclass(frozen=True, eq=False)
class UnheardReference:
    """What an index's phones are compared with.

    Attributes
    ----------
    with_head, alone
        Natives' sums with the encoder's phone head, and by retrieval alone.
    spreads
        By which `alone` weighs the log posteriors of phones and of their frames
        (`indexes.native_margins.retrieval_sums`); None where it is of margins.
    sums, probabilities
        float64 `[K]`, rising and falling: how likely experts call a phone mispronounced by its sum
        with the head; empty where no expert was asked.
    many_voices
        Whether the index has so many speakers that a recording's company is heard by retrieval
        alone, too, see `indexes.native_margins.evidence_sums`.
    """

    with_head: UnheardNatives
    alone: UnheardNatives
    sums: FloatArray
    probabilities: FloatArray
    many_voices: bool
    spreads: tuple[float, float] | None = None

    def probability(self, sums: FloatArray) -> FloatArray | None:
        """Probability of a mispronunciation, 0–1, same shape; None where it is not calibrated."""
        return np.interp(sums, self.sums, self.probabilities) if len(self.sums) else None


def unheard_reference(index: PhoneIndex) -> UnheardReference:
    """What the phones of a new voice are compared with, in one index."""
    both, alone = native_sums(index)
    speakers = index.speakers[0][: len(both)]
    many = holds_many_voices(index)
    if many:
        shift, spread = 0.0, None
    else:
        voices = json.loads(VOICES_FILE.read_text(encoding="utf-8"))
        shift, spread = voices["shift"], voices["spread"]

    def natives(
        known: NativeMargins, sums: FloatArray, speakers: NDArray[np.int64]
    ) -> UnheardNatives:
        own = spread_of(sums, speakers, known.at(0.04)) if spread is None else spread
        return UnheardNatives(known, shift, own, len(known))

    told, spreads, who = left_out_of(index), None, speakers
    asked = len(np.unique(_numbered(told, "speaker")))
    if many and asked >= MIN_SPEAKERS and np.isnan(both).all():  # few of them are no measure
        alone, who, spreads = _told_sums(told)
    by_retrieval = natives(NativeMargins.of_all(alone), alone, who)
    kept = _kept_of(index)
    if kept is None:
        nothing = np.zeros(0)
        with_head = natives(NativeMargins.fit(both), both, speakers)
        return UnheardReference(with_head, by_retrieval, nothing, nothing, many, spreads)
    sums, probabilities = (np.array(kept["probability"][name]) for name in ("sums", "values"))
    return UnheardReference(kept_natives(kept), by_retrieval, sums, probabilities, many)


def _told_sums(told: pa.Table) -> tuple[FloatArray, NDArray[np.int64], tuple[float, float]]:
    """Sums of the log posteriors of natives who were left out, their speakers, and the spreads."""
    posteriors, frames = (
        told.column(name).to_numpy().astype(np.float64)
        for name in ("posterior", "frame_log_posterior")
    )
    utterances, speakers = (_numbered(told, column) for column in ("utterance", "speaker"))
    spreads = spread_of_natives(posteriors), spread_of_natives(frames)
    return retrieval_sums(posteriors, frames, utterances, spreads), speakers, spreads


def _numbered(told: pa.Table, column: str) -> NDArray[np.int64]:
    """A number for what a column names in its corpus, from 0, int64 `[n]`."""
    names = zip(*(told.column(c).to_pylist() for c in ("corpus", column)), strict=True)
    number: dict[tuple[str, str], int] = {}
    return np.array([number.setdefault(name, len(number)) for name in names], dtype=np.int64)


def kept_natives(kept: Mapping[str, Any]) -> UnheardNatives:
    """Natives as `training.natives` writes them."""
    known = NativeMargins.fit(np.array(kept["sums"]), tail=KNOTS_TAIL)
    return UnheardNatives(known, 0.0, kept["spread"], kept["phones"])


def native_sums(index: PhoneIndex) -> tuple[FloatArray, FloatArray]:
    """Sums of the index's own natives, silences left out: with the phone head, and without.

    float64 `[n]` each, in the order of their rows; NaN where not known.
    """
    spoken = index.bounds[index.classes.index(SILENCE)] if SILENCE in index.classes else None
    return evidence_sums(
        index.native_margins[:spoken].astype(np.float64),
        index.native_log_posteriors[:spoken].astype(np.float64),
        index.utterances[0][:spoken],
        many_voices=holds_many_voices(index),
    )


def holds_many_voices(index: PhoneIndex) -> bool:
    """Whether an index has `MIN_SPEAKERS` or more."""
    spoken = index.bounds[index.classes.index(SILENCE)] if SILENCE in index.classes else None
    return len(np.unique(index.speakers[0][:spoken])) >= MIN_SPEAKERS


def spread_of(sums: FloatArray, speakers: NDArray[np.int64], border: float) -> float:
    """Standard deviation over speakers of the log odds of their share of sums below a border.

    As between voices in general, where too few speakers have enough phones.
    """
    log_odds = log_odds_of(sums, speakers, border)
    if len(log_odds) < MIN_SPEAKERS:
        return float(json.loads(VOICES_FILE.read_text(encoding="utf-8"))["spread"])
    return float(np.std(log_odds))


def log_odds_of(sums: FloatArray, speakers: NDArray[np.int64], border: float) -> FloatArray:
    """Log odds of each speaker's share of sums below a border; not of those with few phones."""
    known = ~np.isnan(sums)
    counts = np.bincount(speakers, weights=known)
    below = np.bincount(speakers, weights=known & (sums < border))
    asked = counts >= LEAST_PHONES
    shares = (below[asked] + 0.5) / (counts[asked] + 1.0)
    return np.asarray(np.log(shares / (1 - shares)), dtype=np.float64)


def _kept_of(index: PhoneIndex) -> dict[str, Any] | None:
    """What is kept of unheard natives for an index of this encoder and transform, if anything."""
    kept = _kept()
    made_for = (index.manifest.encoder.fingerprint, index.manifest.transform.fingerprint)
    return kept if made_for == (kept["encoder"], kept["transform"]) else None


@cache
def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(NATIVES_FILE.read_text(encoding="utf-8"))
    return kept


def _shifted(share: float, log_odds: float) -> float:
    """A share 0–1 whose log odds are larger by so much."""
    odds = share / (1 - share) * float(np.exp(log_odds))
    return odds / (1 + odds)
