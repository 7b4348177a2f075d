"""The result of one assessment: the JSON contract as frozen pydantic models.

Scores run from 0 to 100. A field that was not measured is None; nothing is invented. Times are
seconds from the start of the recording.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nativeear.scoring.frozen_model import FrozenModel
from nativeear.scoring.grading import LIKELY
from nativeear.scoring.prosody.assessment import Fluency, Prosody
from nativeear.scoring.verdicts import FLAGGED, Verdict

if TYPE_CHECKING:
    import pandas as pd


class Scores(FrozenModel):
    """Scores of the whole recording, 0–100."""

    overall: float | None = None
    pronunciation: float | None = None
    fluency: float | None = None
    prosody: float | None = None
    completeness: float | None = None


class SoundsLike(FrozenModel):
    """A phone that the learner's sound resembles, with its posterior probability."""

    phone: str
    ipa: str
    probability: float


class KnnEvidence(FrozenModel):
    """What the neighbours said: see `retriever.evidence.PhoneEvidence`."""

    margin: float | None
    canonical_share: float | None
    k: int
    coverage: int


class GopEvidence(FrozenModel):
    """Goodness of pronunciation without segmentation; None without a phone CTC head."""

    sf: float | None = None
    sf_sd: float | None = None
    margin: float | None = None


class ExemplarEvidence(FrozenModel):
    """One native exemplar behind a verdict; `exemplar` is its row in the index."""

    exemplar: int
    phone: str
    similarity: float
    word: str
    speaker: str


class PhoneAssessment(FrozenModel):
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

    @property
    def needs_work(self) -> bool:
        """Whether the learner is told to work on it: flagged, and as likely as not wrong.

        Where there is no probability, the verdict alone decides.
        """
        probability = self.probability_mispronounced
        return self.verdict in FLAGGED and (probability is None or probability >= LIKELY)


class SyllableScore(FrozenModel):
    """A syllable as the half-open range of its phones in the word."""

    phones: tuple[int, int]
    score: float | None


class StressAssessment(FrozenModel):
    """Expected and observed place of the main stress, as syllable indices."""

    expected: int
    observed: int | None
    score: float | None


class WordAssessment(FrozenModel):
    """One word of the reference.

    `variant` is the form of the word that was heard, counted from 0 as its pronunciations are
    listed; None where it was not found.
    """

    word: str
    start_s: float | None
    end_s: float | None
    score: float | None
    stress: StressAssessment | None = None
    omitted: bool = False
    variant: int | None = None
    syllables: tuple[SyllableScore, ...] = ()
    phones: tuple[PhoneAssessment, ...]


class Insertion(FrozenModel):
    """Speech that no canonical phone explains; `after_word_index` is -1 before the first word."""

    after_word_index: int
    phone: str
    start_s: float
    end_s: float
    feedback: str = ""


class TranscribedWord(FrozenModel):
    """A stretch of a transcript and how sure its source is of it, 0–1."""

    word: str
    start_s: float
    end_s: float
    confidence: float


class Transcript(FrozenModel):
    """What was said, where no text was given.

    `recognised` holds the words of a recogniser; `phones` the runs of sounds between pauses that
    the encoder's phone head heard, in IPA.
    """

    source: Literal["recognised", "phones"]
    recogniser: str | None = None
    text: str
    words: tuple[TranscribedWord, ...] = ()


class Level(FrozenModel):
    """A band of `CEFR` or `IELTS`, and its probability by the model that told it."""

    scale: str
    band: str
    probability: float


class Remark(FrozenModel):
    """One thing to work on; `places` are the word and the phone in it, as indices.

    `heard` is None where the phone was left out or nothing else was heard in its place. A minimal
    pair has the word with the canonical phone first.
    """

    text: str
    phone: str
    ipa: str
    heard: str | None = None
    heard_ipa: str | None = None
    places: tuple[tuple[int, int], ...]
    minimal_pairs: tuple[tuple[str, str], ...] = ()
    l1_note: str | None = None


class AccentCandidate(FrozenModel):
    """An index that was asked how near its natives are.

    `nearness` is described in `retriever.nearness`; None where it could not tell.
    """

    index: str
    language: str
    nearness: float | None


class Accent(FrozenModel):
    """The accent that was judged by, where the nearest of several was asked for.

    `sure` is whether it is nearer than the next by more than the words of one recording vary.
    """

    chosen: str
    candidates: tuple[AccentCandidate, ...]
    sure: bool


EventKind = Literal["omitted", "repeated", "restart", "extra"]


class ReadingEvent(FrozenModel):
    """One departure from the text.

    `word_index` is the word that was omitted, repeated or begun again; of `extra` speech the word
    that it comes after, -1 before the first. `heard` is a word where one fits, else phones in IPA.
    """

    kind: EventKind
    word_index: int
    heard: str | None = None
    start_s: float | None = None
    end_s: float | None = None


class Reading(FrozenModel):
    """Whether the recording is of the text at all, how likely that is, and where it departs."""

    matches: bool
    likelihood: float
    events: tuple[ReadingEvent, ...] = ()

    def again(self, word_index: int) -> tuple[ReadingEvent, ...]:
        """Where a word was said, or begun, before the reading that counts."""
        kinds = ("repeated", "restart")
        return tuple(e for e in self.events if e.kind in kinds and e.word_index == word_index)

    def spans(self, *kinds: str) -> tuple[tuple[float, float], ...]:
        """Where something was said beside the text, by its kind, in seconds."""
        return tuple(
            (event.start_s, event.end_s)
            for event in self.events
            if event.kind in kinds and event.start_s is not None and event.end_s is not None
        )

    def added(self, after: int) -> tuple[ReadingEvent, ...]:
        """What was said behind a word, or before the first (-1), that the text does not have."""
        return tuple(e for e in self.events if e.kind == "extra" and e.word_index == after)


class Assessment(FrozenModel):
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
    remarks: tuple[Remark, ...] = ()
    fluency: Fluency | None = None
    prosody: Prosody | None = None
    explanation: str | None = None
    level: Level | None = None
    transcript: Transcript | None = None
    reading: Reading | None = None
    accent: Accent | None = None
    warnings: tuple[str, ...] = ()

    @property
    def phones(self) -> tuple[PhoneAssessment, ...]:
        """Every canonical phone in order, across the words."""
        return tuple(phone for word in self.words for phone in word.phones)

    @property
    def of_another_text(self) -> bool:
        """Whether the recording is not of its text: nothing is judged, as `warnings` say first."""
        return self.reading is not None and not self.reading.matches

    def to_frame(self, rows: Literal["phones", "words"] = "phones") -> pd.DataFrame:
        """The result as a pandas data frame, a row per phone or per word.

        See `scoring.data_frames.data_frame` for the columns and errors.
        """
        frame: pd.DataFrame = _view("data_frames").data_frame(self, rows)
        return frame

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        html: str = _view("notebook").as_html(self)
        return html


def _view(module: str) -> ModuleType:
    """A module that shows a result; found when asked for, since it needs these models."""
    return import_module(f"nativeear.scoring.{module}")
