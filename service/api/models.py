"""Requests and responses beside `scoring.assessment.Assessment`."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timezone
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nativeear.service.database.summaries import LearnerSummary

MAX_TEXT = 5_000


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a character that is no text (U+0000)")
    return text


def _visible(text: str) -> str:
    if all(unicodedata.category(char)[0] in "CZ" for char in text):
        raise ValueError("holds nothing that can be seen")
    return text


Plain = AfterValidator(_without_nul)
Visible = AfterValidator(_visible)

Text = Annotated[str, Field(max_length=MAX_TEXT), Plain]
Topic = Annotated[str, Field(max_length=500), Plain]
Name = Annotated[str, Field(min_length=1, max_length=200), Plain]
Tag = Annotated[str, Field(min_length=2, max_length=35), Plain]


def _addressable(name: str) -> str:
    if name in {".", ".."}:
        raise ValueError("is a step in a path, by which nothing could be found again")
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise ValueError("holds a control character")
    return name


PathName = Annotated[Name, AfterValidator(_addressable)]
"""A name that somebody chose, and under which a route finds what was stored."""

FirstLanguage = Annotated[str, Field(min_length=2, max_length=60, pattern=r"^[^:/\\]*$"), Plain]
"""A tag, code or English name; never a file of the service's machine."""


def _no_number(value: object) -> object:
    # A year would be taken for seconds since 1970.
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        raise ValueError("is a number; write 2026-01-31 or 2026-01-31T10:00:00Z")
    return value


_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?", re.IGNORECASE)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("lies outside of the years 1 to 9999 in UTC") from None


Moment = Annotated[datetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]
"""A moment in UTC, told as ISO 8601 with or without a zone."""

Calibration = Literal["auto", "expert", "training-free"]
Detail = Literal["word", "phone", "full"]


class Asked(BaseModel):
    """What requests have in common: nothing is passed over that they don't know."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What all answers have in common."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class AssessmentItem(Answer):
    """One line of the list of assessments."""

    id: str
    created_at: datetime
    learner_id: str | None = None
    group: str | None = None
    language: str
    index: str
    text: str | None = Field(None, description="What was meant, as it was sent.")
    transcript: str | None = Field(None, description="What was heard, where nothing was meant.")
    duration_s: float
    overall: float | None = None
    pronunciation: float | None = None
    fluency: float | None = None
    prosody: float | None = None
    completeness: float | None = None
    has_audio: bool = False
    comments: int = Field(0, description="How many there are.")
    expires_at: datetime | None = None


class AssessmentList(Answer):
    """A page of assessments, the newest first; `next` is the `after` of the next page."""

    items: tuple[AssessmentItem, ...]
    next: str | None = None


class LearnerList(Answer):
    """Learners by name."""

    items: tuple[LearnerSummary, ...]
    next: None = None


class IndexItem(Answer):
    """An index that is offered; a damaged one has a `problem` and no figures."""

    name: str
    language: str
    encoder: str
    exemplars: int
    silences: int = Field(description="How many of the exemplars are silences.")
    speakers: int
    minutes: float
    default: bool = Field(description="Whether it is meant where none is named.")
    loaded: bool = Field(description="Whether it is open; others take seconds at first.")
    problem: str = ""


class IndexList(Answer):
    """The indexes that are offered, the default first."""

    items: tuple[IndexItem, ...]
    next: None = None


class IndexPhone(Answer):
    """A phone of an index."""

    phone: str
    ipa: str
    kind: str
    exemplars: int


class CorpusItem(Answer):
    """A corpus whose speech is in an index; not `native` where it is of rated learners."""

    name: str
    licence: str
    utterances: int
    audio_s: float
    native: bool


class IndexDetail(IndexItem):
    """What an index is made of."""

    revision: int
    utterances: int
    aligner: str
    clips: bool = Field(description="Whether native recordings can be heard.")
    calibrations: tuple[Calibration, ...]
    native_accuracy: float
    corpora: tuple[CorpusItem, ...]
    phones: tuple[IndexPhone, ...]


class ExemplarDetail(Answer):
    """One phone of an index; not `native` where it is a rated learner's, said without a flaw."""

    exemplar: int
    phone: str
    ipa: str
    left: str
    right: str
    stress: int | None
    word: str
    speaker: str
    utterance: str
    corpus: str
    start_s: float
    end_s: float
    playable: bool
    native: bool


class NativeSentence(Answer):
    """A native recording that can be heard whole."""

    utterance: str
    text: str
    speaker: str
    corpus: str
    audio_s: float


class SentenceList(Answer):
    """Native recordings; `next` is the `after` of the next page."""

    items: tuple[NativeSentence, ...]
    next: str | None = None


class EncoderItem(Answer):
    """An encoder that indexes can be built with."""

    name: str
    dim: int | None
    layers: int | None
    licence: str
    phones: bool | None
    local: bool
    note: str


class EncoderList(Answer):
    """Encoders that have a name."""

    items: tuple[EncoderItem, ...]
    next: None = None


class LanguageItem(Answer):
    """A language that can be assessed."""

    language: str
    indexes: tuple[str, ...]


class LanguageList(Answer):
    """Languages for which there is an index."""

    items: tuple[LanguageItem, ...]
    next: None = None


class TextRequest(BaseModel):
    """A text, and the index or the language that pronounces it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"text": "I think so.", "index": "en-US"}},
    )

    text: Text = Field(min_length=1)
    index: Name | None = None
    language: Tag | None = None


class WordCheck(Answer):
    """A word of a text, and how it is pronounced if that is known, and says what."""

    word: str
    known: bool
    source: str | None = None
    phones: tuple[str, ...] = ()
    ipa: tuple[str, ...] = ()


class TextCheck(Answer):
    """The words of a text in reading order."""

    language: str
    index: str
    words: tuple[WordCheck, ...]
    warnings: tuple[str, ...] = ()


class Variant(Answer):
    """One way to pronounce a word; `syllables` are half-open ranges of its phones.

    `graphemes` are the letters of the word that write each phone; none where these do not tell.
    """

    phones: tuple[str, ...]
    ipa: tuple[str, ...]
    stress: tuple[int | None, ...]
    syllables: tuple[tuple[int, int], ...]
    source: str
    graphemes: tuple[str, ...] = ()


class WordVariants(Answer):
    """A word and every way to pronounce it, the commonest first."""

    word: str
    variants: tuple[Variant, ...]


class Pronunciations(Answer):
    """The words of a text with their pronunciations."""

    language: str
    index: str
    words: tuple[WordVariants, ...]
    warnings: tuple[str, ...] = ()


class Health(Answer):
    """Whether the service lives, or is ready."""

    status: Literal["ok", "starting", "stopping"]
    version: str


EXAMPLES: dict[str, Any] = {
    "text": ["I think so."],
    "phones": ["HH AH L OW | W ER L D"],
    "free": [True],
    "language": ["en-US"],
    "index": ["en-US"],
    "l1": ["es"],
    "learner_id": ["ana"],
    "group": ["class 3b"],
}
