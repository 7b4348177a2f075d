"""One utterance in flat numbers: what an index keeps of natives and compares learners with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from nativeear.speech.prosody.measurement import ProsodyMeasurement
from nativeear.speech.prosody.stress import Syllable


@dataclass(frozen=True)
class ProsodyProfile:
    """The measures of one utterance; NaN where one could not be taken.

    Attributes
    ----------
    text
        Its words in lower case, between single spaces: two readings of one sentence are equal.
    sentence
        A `speech.prosody.contour.SentenceType`, empty where there was no text.
    syllables
        How many were said.
    contour
        Stylised melody, semitones about the median every 50 ms.
    nuclei
        Correlates of stress of every syllable.
    """

    text: str
    sentence: str
    syllables: int
    syllables_per_s: float
    articulation_rate: float
    words_per_minute: float
    pause_ratio: float
    pause_mean_s: float
    npvi_v: float
    rpvi_c: float
    percent_v: float
    varco_v: float
    varco_c: float
    delta_c: float
    median_hz: float
    range_semitones: float
    declination: float
    final_slope: float
    contour: tuple[float, ...]
    nuclei: tuple[Syllable, ...]

    @classmethod
    def of(cls, measured: ProsodyMeasurement, words: tuple[str, ...]) -> ProsodyProfile:
        """The profile of a measured utterance, of which these words were read."""
        melody, pauses = measured.melody, measured.pauses
        numbers: dict[str, Any] = {
            **vars(measured.rhythm),
            "syllables_per_s": measured.syllables_per_s,
            "articulation_rate": measured.articulation_rate,
            "words_per_minute": measured.words_per_minute,
            "pause_ratio": pauses.ratio if pauses else None,
            "pause_mean_s": pauses.mean_s if pauses else None,
            "median_hz": measured.pitch.median_hz if melody else None,
            "range_semitones": melody.range_semitones if melody else None,
            "declination": melody.declination if melody else None,
            "final_slope": melody.final_slope if melody else None,
        }
        return cls(
            text=" ".join(words).lower(),
            sentence=measured.sentence or "",
            syllables=measured.syllables,
            contour=tuple(melody.stylised.tolist()) if melody else (),
            nuclei=measured.nuclei,
            **{name: math.nan if value is None else value for name, value in numbers.items()},
        )
