"""Fluency and prosody of an index's natives, and the grade of a learner among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nativeear.indexes.native_margins import NativeMargins
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.prosody import NativeProfile, profiles_of
from nativeear.retriever.neighbours import Exclusion
from nativeear.retriever.vowel_fullness import VowelFullness
from nativeear.scoring.grading import score_of
from nativeear.scoring.prosody.stress import StressModel, prominent_word
from nativeear.speech.alignment import Alignment
from nativeear.speech.frames import Frames
from nativeear.speech.pooling import pool
from nativeear.speech.prosody.contour import warping_distance
from nativeear.speech.prosody.profile import ProsodyProfile
from nativeear.speech.prosody.stress import Syllable

Side = Literal["low", "high", "both"]
"""Where a learner is worse than natives: below them, above them, or on either side."""

MIN_NATIVES = 20
MAX_NATIVES = 5000
"""More make no distribution finer than it needs to be."""

LENGTH_FACTOR = 2.0
"""Natives are compared whose utterance has between half and twice as many syllables."""


@dataclass(frozen=True)
class Measure:
    """A measure that can be graded.

    Attributes
    ----------
    name
        Field of `ProsodyProfile`.
    side
        Where it is worse.
    least_scale
        Smallest scale of the tail beyond the natives: where natives hardly differ, a deviation
        of this size is still a small one.
    of_its_kind
        Compared with sentences of the same type only.
    """

    name: str
    side: Side
    least_scale: float
    of_its_kind: bool = False


FLUENCY_MEASURES = (
    Measure("syllables_per_s", "low", 0.3),
    Measure("articulation_rate", "both", 0.3),
    Measure("pause_ratio", "high", 0.05),
)
RHYTHM_MEASURES = (
    Measure("npvi_v", "both", 5.0),
    Measure("percent_v", "both", 2.0),
    Measure("varco_c", "both", 5.0),
)
MELODY_MEASURES = (
    Measure("range_semitones", "low", 1.0),
    Measure("final_slope", "both", 5.0, of_its_kind=True),
)


@dataclass(frozen=True)
class Comparison:
    """A learner's measure beside natives', with the fields of `MeasureGrade`."""

    measure: str
    value: float
    native_low: float
    native_median: float
    native_high: float
    score: float


@dataclass(frozen=True)
class NativeReading:
    """A native melody of the words that a learner said.

    Attributes
    ----------
    distance
        Semitones from the learner's, see `speech.prosody.contour.warping_distance`.
    contour
        See `ProsodyProfile`.
    prominent_word
        Index of the word that stands out.
    """

    distance: float
    contour: tuple[float, ...]
    prominent_word: int | None


class NativeProsody:
    """The native distribution of one index. Safe to share between threads."""

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index
        self._columns: dict[str, NDArray[Any]] = {}
        self.vowels = VowelFullness(index)

    @cached_property
    def _table(self) -> pa.Table:
        """At most `MAX_NATIVES` utterances, evenly spread over the table."""
        table = self._index.prosody
        step = max(1, -(-table.num_rows // MAX_NATIVES))
        return table if step == 1 else table.take(np.arange(0, table.num_rows, step))

    @cached_property
    def _rows(self) -> tuple[NativeProfile, ...]:
        return profiles_of(self._table)

    def _column(self, name: str) -> NDArray[Any]:
        """One field of the profiles of all natives."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = np.array(
                [getattr(row.profile, name) for row in self._rows]
            )
        return column

    @property
    def profiles(self) -> tuple[ProsodyProfile, ...]:
        """How those that grade flow and sing, `[n]`."""
        return tuple(row.profile for row in self._rows)

    @property
    def voices(self) -> tuple[int, ...]:
        """Their speakers, as numbers `[n]`."""
        numbers: dict[tuple[str, str], int] = {}
        return tuple(
            numbers.setdefault((row.corpus, row.speaker), len(numbers)) for row in self._rows
        )

    @property
    def available(self) -> bool:
        """Whether the index holds any."""
        return bool(self._rows)

    @cached_property
    def stress(self) -> StressModel | None:
        """What tells stress among them; None where there are too few words."""
        return StressModel.fit(self.nuclei)

    def stress_without(self, exclusion: Exclusion) -> StressModel | None:
        """What tells stress among the natives that may answer; None where they are too few."""
        answers = self._answers(exclusion)
        if answers.all():
            return self.stress
        return StressModel.fit(compress(self.nuclei, answers.tolist()))

    def _answers(self, exclusion: Exclusion) -> NDArray[np.bool_]:
        """Which of the natives may answer, bool `[n]`."""
        if not exclusion:
            return np.ones(len(self._rows), dtype=bool)
        return np.array([not exclusion.holds(*row[:3]) for row in self._rows], dtype=bool)

    @cached_property
    def nuclei(self) -> tuple[tuple[Syllable, ...], ...]:
        """The nuclei of every native utterance, and how full they are."""
        fullness = self.vowels.of_natives([(row.corpus, row.utterance) for row in self._rows])
        return tuple(
            with_fullness(row.profile.nuclei, full)
            for row, full in zip(self._rows, fullness, strict=True)
        )

    def with_vowel_fullness(
        self,
        nuclei: tuple[Syllable, ...],
        frames: Frames,
        alignment: Alignment,
        exclusion: Exclusion,
    ) -> tuple[Syllable, ...]:
        """The nuclei of one recording, and how full their vowels are beside the natives'.

        Parameters
        ----------
        nuclei
            All of the recording, in order.
        frames, alignment
            What they were measured on.
        """
        vowels = [
            phone
            for phone in alignment.spoken
            if self._index.inventory.is_syllabic(phone.phone) and phone.stress is not None
        ]
        if not vowels or not nuclei:
            return nuclei
        spans_s = [(vowel.start_s, vowel.end_s) for vowel in vowels]
        vectors = self._index.transform(pool(frames, spans_s, self._index.manifest.pooling))
        words = [alignment.words[vowel.word_index] for vowel in vowels]
        return with_fullness(nuclei, self.vowels.of(vectors, words, exclusion))

    def endings(self, sentence: str, exclusion: Exclusion) -> tuple[NDArray[np.float64], int]:
        """Final slopes of the natives' sentences of one type, and how many speakers they are of."""
        if not self.available:
            return np.zeros(0), 0
        slopes = self._column("final_slope")
        of_type = self._answers(exclusion) & (self._column("sentence") == sentence)
        rows = np.flatnonzero(of_type & ~np.isnan(slopes))
        voices = {(self._rows[i].corpus, self._rows[i].speaker) for i in rows.tolist()}
        return slopes[rows], len(voices)

    def grade(
        self, measure: Measure, learner: ProsodyProfile, exclusion: Exclusion
    ) -> Comparison | None:
        """The learner's grade; None where it was not measured or too few natives are comparable.

        On one side, the score of the share of natives that are no better; on both, of twice the
        smaller share that lies beyond.
        """
        value = float(getattr(learner, measure.name))
        if not self.available:
            return None
        syllables = self._column("syllables")
        comparable = (syllables >= learner.syllables / LENGTH_FACTOR) & (
            syllables <= learner.syllables * LENGTH_FACTOR
        )
        if measure.of_its_kind:
            comparable &= self._column("sentence") == learner.sentence
        comparable &= self._answers(exclusion)
        values = self._column(measure.name)[comparable].astype(np.float64)
        values = values[~np.isnan(values)]
        if np.isnan(value) or len(values) < MIN_NATIVES:
            return None
        below = _log_share(values, value, measure.least_scale)
        above = _log_share(-values, -value, measure.least_scale)
        if measure.side == "both":
            log_share = min(0.0, min(below, above) + float(np.log(2)))
        else:
            log_share = below if measure.side == "low" else above
        low, high = np.quantile(values, [0.05, 0.95]).tolist()
        return Comparison(
            measure=measure.name,
            value=value,
            native_low=low,
            native_median=float(np.median(values)),
            native_high=high,
            score=score_of(log_share),
        )

    def grades(
        self, measures: Sequence[Measure], learner: ProsodyProfile, exclusion: Exclusion
    ) -> tuple[Comparison, ...]:
        """The grades of those measures that can be graded."""
        found = [self.grade(measure, learner, exclusion) for measure in measures]
        return tuple(grade for grade in found if grade is not None)

    def nearest_reading(
        self, learner: ProsodyProfile, exclusion: Exclusion
    ) -> NativeReading | None:
        """The native reading of the same words whose melody is nearest; None if there is none."""
        if not learner.contour:
            return None
        own = np.array(learner.contour)
        table = self._index.prosody
        texts = table.column("text").to_pylist()
        same = [i for i, text in enumerate(texts) if text == learner.text]
        readings = [
            NativeReading(
                warping_distance(own, np.array(native.profile.contour)),
                native.profile.contour,
                prominent_word(native.profile.nuclei),
            )
            for row in same  # `take` would import pandas, where it is installed
            for native in profiles_of(table.slice(row, 1))
            if native.profile.contour and not exclusion.holds(*native[:3])
        ]
        return min(readings, key=lambda reading: reading.distance, default=None)


def with_fullness(
    nuclei: tuple[Syllable, ...], fullness: NDArray[np.float64]
) -> tuple[Syllable, ...]:
    """The nuclei of an utterance with the fullness of those whose stress is known, in order.

    As they were where the index does not hold all of them, for a phone was left out of it.
    """
    with_stress = [i for i, nucleus in enumerate(nuclei) if nucleus.stress >= 0]
    if len(with_stress) != len(fullness):
        return nuclei
    full = dict(zip(with_stress, fullness.tolist(), strict=True))
    return tuple(
        replace(nucleus, fullness=full[i]) if i in full else nucleus
        for i, nucleus in enumerate(nuclei)
    )


def _log_share(natives: np.ndarray, value: float, least_scale: float) -> float:
    """ln of the share of natives whose value is no larger."""
    fitted = NativeMargins.fit(natives)
    fitted = replace(fitted, scale=max(fitted.scale, least_scale))
    return float(fitted.log_quantile(np.array(value)))
