"""How a recording flows and sings, as its assessment says it."""

from __future__ import annotations

from typing import Literal

from nativeear.scoring.frozen_model import FrozenModel

Movement = Literal["fall", "level", "rise"]


class MeasureGrade(FrozenModel):
    """A measure beside that of natives who said something of like length, and its grade 0–100.

    `native_low` and `native_high` are their 5th and 95th percentiles.
    """

    measure: str
    value: float
    native_low: float
    native_median: float
    native_high: float
    score: float


class Pauses(FrozenModel):
    """Silences inside the speech of 250 ms or more; long ones exceed 400 ms.

    `between_phrases` counts those where the text is punctuated; None where that is not known.
    `found_by` is `intensity`, `intensity and Silero VAD` where that is installed, or `alignment`
    where noise hides the quiet.
    """

    count: int
    mean_s: float | None
    ratio: float
    long_count: int
    between_phrases: int | None = None
    found_by: str | None = None


class Break(FrozenModel):
    """A pause, or a stop of the text at which there is none, after a word; -1 before the first.

    `kind` is whether a native would pause there: `expected` at punctuation, before a word that
    opens a phrase and after a long one; `unexpected` elsewhere; `missing` where a stop was read
    over. It is None where that cannot be told. `judged_by` says by what it is decided.
    """

    after_word_index: int
    start_s: float | None = None
    end_s: float | None = None
    duration_s: float
    kind: Literal["expected", "unexpected", "missing"] | None = None
    judged_by: Literal["punctuation", "words"] | None = None


class Segment(FrozenModel):
    """A part of the text that ends at a stop: its words as a half-open range, and how it flows.

    `pitch_range` is in semitones beside that of the index's natives, None where too few of them
    compare; `monotone` is whether it is below 4 semitones, None where too little is voiced.
    """

    words: tuple[int, int]
    start_s: float
    end_s: float
    syllables: int
    syllables_per_s: float | None = None
    articulation_rate: float | None = None
    pauses: int
    mean_length_of_run: float
    pitch_range: MeasureGrade | None = None
    monotone: bool | None = None


class Fluency(FrozenModel):
    """How it flows, measured from the alignment.

    `mean_length_of_run` is in syllables between pauses.

    `filled_pauses` and `restarts` are spans in seconds that a listener may want to check: voice
    held on one pitch between words, and sounds that begin as the word beside them does.
    `repetitions` are recognised words that came twice, the second time. `rpvi_c` and `delta_c` are
    in milliseconds.
    """

    syllables_per_s: float | None = None
    articulation_rate: float | None = None
    words_per_minute: float | None = None
    words_correct_per_minute: float | None = None
    pauses: Pauses | None = None
    npvi_v: float | None = None
    percent_v: float | None = None
    varco_v: float | None = None
    varco_c: float | None = None
    rpvi_c: float | None = None
    delta_c: float | None = None
    filled_pauses: tuple[tuple[float, float], ...] = ()
    restarts: tuple[tuple[float, float], ...] = ()
    repetitions: tuple[tuple[float, float], ...] = ()
    mean_length_of_run: float | None = None
    breaks: tuple[Break, ...] = ()
    segments: tuple[Segment, ...] = ()
    grades: tuple[MeasureGrade, ...] = ()


class F0(FrozenModel):
    """Fundamental frequency of the recording."""

    median_hz: float | None = None
    range_semitones: float | None = None
    final_slope_semitones_per_s: float | None = None
    declination_semitones_per_s: float | None = None
    voiced_frames: int | None = None


class Contour(FrozenModel):
    """Pitch and intensity over time; None where unvoiced."""

    t_s: tuple[float, ...] = ()
    f0_hz: tuple[float | None, ...] = ()
    intensity_db: tuple[float | None, ...] = ()


class Intonation(FrozenModel):
    """Whether the melody ends as the punctuation asks for.

    `fits` is None where the end is not voiced enough, where the text ends without punctuation, and
    where neither natives nor a rule can tell; `judged_by` says which of them did.
    """

    expected: Movement | None = None
    observed: Movement | None = None
    fits: bool | None = None
    judged_by: Literal["natives", "rule"] | None = None


class Prosody(FrozenModel):
    """Melody and stress.

    `stress_accuracy` is the percentage of words of several syllables that are stressed where they
    should be; `prominent_word` the index of the one that stands out. Where the index has native
    readings of the same words, the nearest one's melody is given in semitones about its median,
    every 50 ms from its first voiced sound to its last, the distance to it, and its prominent word.
    """

    f0: F0 | None = None
    contour: Contour | None = None
    stress_accuracy: float | None = None
    sentence_type: str | None = None
    intonation: Intonation | None = None
    prominent_word: int | None = None
    native_prominent_word: int | None = None
    native_contour_distance_semitones: float | None = None
    native_contour_semitones: tuple[float, ...] = ()
    grades: tuple[MeasureGrade, ...] = ()
