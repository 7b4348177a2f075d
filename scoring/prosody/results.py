"""From what was measured of a recording's flow and melody to the models of the result."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nativeear.scoring.assessment import Insertion, Reading, WordAssessment
from nativeear.scoring.grading import FLAGGED_SCORE
from nativeear.scoring.prosody.assessment import (
    F0,
    Break,
    Contour,
    Fluency,
    MeasureGrade,
    Pauses,
    Segment,
)
from nativeear.scoring.prosody.hesitations import repeated_words, restarts
from nativeear.speech.prosody.measurement import ProsodyMeasurement


def f0_of(measured: ProsodyMeasurement) -> F0 | None:
    """Fundamental frequency; None where the pitch is not to be trusted."""
    if measured.melody is None:
        return None
    return F0(
        median_hz=measured.pitch.median_hz,
        range_semitones=measured.melody.range_semitones,
        final_slope_semitones_per_s=measured.melody.final_slope,
        declination_semitones_per_s=measured.melody.declination,
        voiced_frames=measured.pitch.voiced_frames,
    )


def fluency_of(
    measured: ProsodyMeasurement,
    words: Sequence[WordAssessment] = (),
    insertions: Sequence[Insertion] = (),
    *,
    grades: tuple[MeasureGrade, ...] = (),
    recognised: bool = False,
    reading: Reading | None = None,
    phrases: tuple[float | None, tuple[Break, ...], tuple[Segment, ...]] = (None, (), ()),
) -> Fluency:
    """How a recording flows; a recognised word that comes twice was said twice.

    `phrases` are the mean length of its runs, its breaks and its segments, see `phrases.Phrases`.
    """
    run, breaks, segments = phrases
    pauses = measured.pauses
    repeated = repeated_words(words) if recognised else frozenset()
    correct = sum(
        i not in repeated
        and not word.omitted
        and (word.score is None or word.score >= FLAGGED_SCORE)
        for i, word in enumerate(words)
    )
    return Fluency(
        syllables_per_s=measured.syllables_per_s,
        articulation_rate=measured.articulation_rate,
        words_per_minute=measured.words_per_minute,
        words_correct_per_minute=60 * correct / pauses.speech_s if pauses and words else None,
        pauses=Pauses(
            count=len(pauses.spans),
            mean_s=pauses.mean_s,
            ratio=pauses.ratio,
            long_count=pauses.long_count,
            between_phrases=measured.pauses_between_phrases,
            found_by=pauses.found_by,
        )
        if pauses
        else None,
        filled_pauses=measured.filled_pauses,
        restarts=tuple(
            sorted({*restarts(words, insertions), *(reading.spans("restart") if reading else ())})
        ),
        repetitions=(reading.spans("repeated") if reading else ())
        + tuple(
            (word.start_s, word.end_s)
            for i, word in enumerate(words)
            if i in repeated and word.start_s is not None and word.end_s is not None
        ),
        **vars(measured.rhythm),
        mean_length_of_run=run,
        breaks=breaks,
        segments=segments,
        grades=grades,
    )


def contour_of(measured: ProsodyMeasurement) -> Contour | None:
    """Pitch and intensity over time; none where the pitch is not to be trusted."""
    pitch = measured.pitch
    if measured.melody is None:
        return None
    levels = measured.intensity.at(pitch.t_s)
    return Contour(
        t_s=tuple(np.round(pitch.t_s, 4).tolist()),
        f0_hz=tuple(None if math.isnan(hz) else round(hz, 2) for hz in pitch.f0_hz.tolist()),
        intensity_db=tuple(
            None if not math.isfinite(db) else round(db, 2) for db in levels.tolist()
        ),
    )
