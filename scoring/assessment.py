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
from nativeear.scoring.language_use import LanguageUse
from nativeear.scoring.prosody.assessment import Fluency, Prosody
from nativeear.scoring.second_ear import SecondEar
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


class ScoredPhone(FrozenModel):
    """A phone that a sound may be, and its posterior probability by the natives, as 0–100."""

    phone: str
    ipa: str
    score: float


class KnnEvidence(FrozenModel):
    """What the neighbours said: see `retriever.evidence.PhoneEvidence`."""

    margin: float | None = None
    canonical_share: float | None = None
    k: int = 0
    coverage: int = 0


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


class Advice(FrozenModel):
    """What a sentence says to a learner, in parts that are put together in any language.

    The texts are those of `scoring.feedback.texts`. `meant` and `heard` are in IPA; `place` is
    where in the word or text, `words` which words, some of more where there are `more`. Each of the
    `cues` is the key of a text and the sounds that it names.
    """

    kind: Literal["substituted", "close", "unlike", "deleted", "inserted"]
    meant: str
    heard: str | None = None
    place: Literal["beginning", "middle", "end", "before", "after", "in"] | None = None
    words: tuple[str, ...] = ()
    more: bool = False
    cues: tuple[tuple[str, ...], ...]


class NewSound(FrozenModel):
    """A sound that speakers of a first language do not know, and whether they know the other.

    `language` is a tag where there is one, else a name.
    """

    language: str
    has_heard: bool


class PhoneAssessment(FrozenModel):
    """One canonical phone. Times and scores are None where it could not be found or judged.

    `grapheme` has the letters of the word that write it; those of all its phones are the word. It
    is empty where the letters of the phone before write this one, too (*x*), and None where the
    letters of the word do not tell. `nbest` are the likeliest phones, whatever was meant; where
    `sounds_like` has those that are likely enough to be named.

    `boundary_doubt` is the share of it that the phone head hears elsewhere, 0–1, see
    `scoring.boundaries`. `feedback` is what `advice` says, in English.
    """

    phone: str
    ipa: str
    grapheme: str | None = None
    start_s: float | None
    end_s: float | None
    score: float | None
    verdict: Verdict
    probability_mispronounced: float | None
    sounds_like: tuple[SoundsLike, ...] = ()
    nbest: tuple[ScoredPhone, ...] = ()
    knn: KnnEvidence = Field(default_factory=KnnEvidence)
    gop: GopEvidence = Field(default_factory=GopEvidence)
    boundary_doubt: float | None = None
    evidence: tuple[ExemplarEvidence, ...] = ()
    feedback: str = ""
    advice: Advice | None = None

    @property
    def needs_work(self) -> bool:
        """Whether the learner is told to work on it: flagged, and as likely as not wrong.

        Where there is no probability, the verdict alone decides.
        """
        probability = self.probability_mispronounced
        return self.verdict in FLAGGED and (probability is None or probability >= LIKELY)


class SyllableScore(FrozenModel):
    """A syllable as the half-open range of its phones in the word, and the letters of these."""

    phones: tuple[int, int]
    grapheme: str | None = None
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
    phones: tuple[PhoneAssessment, ...] = ()


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
    pair has the word with the canonical phone first. `text` and `l1_note` are what `advice` and
    `new_sound` say, in English.
    """

    text: str
    phone: str
    ipa: str
    heard: str | None = None
    heard_ipa: str | None = None
    places: tuple[tuple[int, int], ...]
    minimal_pairs: tuple[tuple[str, str], ...] = ()
    l1_note: str | None = None
    advice: Advice | None = None
    new_sound: NewSound | None = None


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


class FalseRejections(FrozenModel):
    """How often faultless phones are flagged.

    `asked` is the share that may be; of ten natives who are new to encoder and index, eight have a
    share between the two of `expected`, which is None where that is not known.
    """

    asked: float
    expected: tuple[float, float] | None = None

    @property
    def sentence(self) -> str:
        """The same for people; empty where nothing is known of what is to be expected."""
        if self.expected is None:
            return ""
        low, high = self.expected
        return (
            f"Of most natives {100 * low:.2g} to {100 * high:.2g} % of the sounds are flagged, "
            f"where {100 * self.asked:.3g} % should be."
        )


class Assessment(FrozenModel):
    """The whole result of one recording."""

    id: str
    language: str
    index: str
    encoder: str
    calibration: str
    false_rejections: FalseRejections | None = None
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
    second_ear: SecondEar | None = None
    language_use: LanguageUse | None = None
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

    def _repr_html_(self) -> str | None:
        """What a notebook shows of it; its fields where a client alone is installed."""
        try:
            html: str = _view("notebook").as_html(self)
        except ImportError:
            return None
        return html


def _view(module: str) -> ModuleType:
    """A module that shows a result; found when asked for, since it needs these models."""
    return import_module(f".{module}", __package__)
