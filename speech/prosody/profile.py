"""One utterance in flat numbers: what an index keeps of natives and compares learners with."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
        """The profile of a measured utterance.

        Parameters
        ----------
        words
            What was read.
        """
        melody, rhythm, pauses = measured.melody, measured.rhythm, measured.pauses
        return cls(
            text=" ".join(words).lower(),
            sentence=measured.sentence or "",
            syllables=measured.syllables,
            syllables_per_s=_number(measured.syllables_per_s),
            articulation_rate=_number(measured.articulation_rate),
            words_per_minute=_number(measured.words_per_minute),
            pause_ratio=_number(pauses.ratio if pauses else None),
            pause_mean_s=_number(pauses.mean_s if pauses else None),
            npvi_v=_number(rhythm.npvi_v),
            rpvi_c=_number(rhythm.rpvi_c),
            percent_v=_number(rhythm.percent_v),
            varco_v=_number(rhythm.varco_v),
            varco_c=_number(rhythm.varco_c),
            delta_c=_number(rhythm.delta_c),
            median_hz=measured.pitch.median_hz if melody else math.nan,
            range_semitones=_number(melody.range_semitones if melody else None),
            declination=_number(melody.declination if melody else None),
            final_slope=_number(melody.final_slope if melody else None),
            contour=tuple(melody.stylised.tolist()) if melody else (),
            nuclei=measured.nuclei,
        )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
