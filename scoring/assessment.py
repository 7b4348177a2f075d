"""The result of one assessment: the JSON contract as frozen pydantic models.

Scores run from 0 to 100. A field that was not measured is None; nothing is invented. Times are
seconds from the start of the recording.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["correct", "accented", "substituted", "deleted", "uncertain"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scores(_Model):
    """Scores of the whole recording, 0–100."""

    overall: float | None = None
    pronunciation: float | None = None
    fluency: float | None = None
    prosody: float | None = None
    completeness: float | None = None


class SoundsLike(_Model):
    """A phone that the learner's sound resembles, with its posterior probability."""

    phone: str
    ipa: str
    probability: float


class KnnEvidence(_Model):
    """What the neighbours said: see `retriever.evidence.PhoneEvidence`."""

    margin: float | None
    canonical_share: float | None
    k: int
    coverage: int


class GopEvidence(_Model):
    """Goodness of pronunciation without segmentation; None without a phone CTC head."""

    sf: float | None = None
    sf_sd: float | None = None
    margin: float | None = None


class ExemplarEvidence(_Model):
    """One native exemplar behind a verdict; `exemplar` is its row in the index."""

    exemplar: int
    phone: str
    similarity: float
    word: str
    speaker: str


class PhoneAssessment(_Model):
    """One canonical phone. Times and scores are None where it could not be found or judged."""

    phone: str
    ipa: str
    start_s: float | None
    end_s: float | None
    score: float | None
    verdict: Verdict
    probability_mispronounced: float | None
    sounds_like: tuple[SoundsLike, ...] = ()
    knn: KnnEvidence
    gop: GopEvidence = Field(default_factory=GopEvidence)
    evidence: tuple[ExemplarEvidence, ...] = ()
    feedback: str = ""


class SyllableScore(_Model):
    """A syllable as the half-open range of its phones in the word."""

    phones: tuple[int, int]
    score: float | None


class StressAssessment(_Model):
    """Expected and observed place of the main stress, as syllable indices."""

    expected: int
    observed: int | None
    score: float | None


class WordAssessment(_Model):
    """One word of the reference."""

    word: str
    start_s: float | None
    end_s: float | None
    score: float | None
    stress: StressAssessment | None = None
    omitted: bool = False
    syllables: tuple[SyllableScore, ...] = ()
    phones: tuple[PhoneAssessment, ...]


class Insertion(_Model):
    """Speech that no canonical phone explains; `after_word_index` is -1 before the first word."""

    after_word_index: int
    phone: str
    start_s: float
    end_s: float


class Pauses(_Model):
    """Silences inside the speech; long ones exceed 400 ms."""

    count: int
    mean_s: float | None
    ratio: float
    long_count: int


class Fluency(_Model):
    """How it flows, measured from the alignment."""

    syllables_per_s: float | None = None
    articulation_rate: float | None = None
    words_per_minute: float | None = None
    words_correct_per_minute: float | None = None
    pauses: Pauses | None = None
    npvi_v: float | None = None
    percent_v: float | None = None
    varco_v: float | None = None
    varco_c: float | None = None


class F0(_Model):
    """Fundamental frequency of the recording."""

    median_hz: float | None = None
    range_semitones: float | None = None
    final_slope_semitones_per_s: float | None = None


class Contour(_Model):
    """Pitch and intensity over time; None where unvoiced."""

    t_s: tuple[float, ...] = ()
    f0_hz: tuple[float | None, ...] = ()
    intensity_db: tuple[float | None, ...] = ()


class Prosody(_Model):
    """Melody and stress."""

    f0: F0 | None = None
    contour: Contour | None = None
    stress_accuracy: float | None = None


class Assessment(_Model):
    """The whole result of one recording."""

    id: str
    language: str
    index: str
    encoder: str
    calibration: str
    duration_s: float
    score: Scores
    words: tuple[WordAssessment, ...]
    insertions: tuple[Insertion, ...] = ()
    fluency: Fluency | None = None
    prosody: Prosody | None = None
    warnings: tuple[str, ...] = ()

    @property
    def phones(self) -> tuple[PhoneAssessment, ...]:
        """Every canonical phone in order, across the words."""
        return tuple(phone for word in self.words for phone in word.phones)
