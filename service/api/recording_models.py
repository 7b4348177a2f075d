"""What the routes of a recording session take and answer."""

from __future__ import annotations

from typing import Literal

from nativeear.service.api.models import Answer, Asked, Name
from nativeear.service.recording.checks import Fault
from nativeear.service.recording.growing import State
from nativeear.service.recording.session import Sex

LineState = Literal["open", "kept", "added"]


class SpeakerRequest(Asked):
    """Who reads. Without consent nobody does."""

    name: Name
    sex: Sex = ""
    agrees: Literal[True]


class SpeakerAnswer(Answer):
    """Who reads, and the id under which the takes are sent."""

    id: str
    name: str
    sex: Sex


class RecordingLine(Answer):
    """A line to read, and whether there is a take of it: `kept` here, or `added` to the index."""

    line: int
    text: str
    state: LineState


class Addition(Answer):
    """How the last addition to the index went; the lines of `reread` takes are open again."""

    state: State
    added: int
    reread: tuple[str, ...]
    problem: str


class RecordingAnswer(Answer):
    """A recording session as one speaker sees it."""

    index: str
    language: str
    revision: int
    exemplars: int
    speaker: SpeakerAnswer | None
    seconds: float  # that reading all of it should take
    lines: tuple[RecordingLine, ...]
    waiting: int  # takes of everybody that are not in the index yet
    addition: Addition


class TakeFault(Answer):
    """Why a take was not kept; the word that it is about, where it is about one."""

    fault: Fault
    word: str


class TakeAnswer(Answer):
    """What became of a take."""

    kept: bool
    faults: tuple[TakeFault, ...]
    level_db: float | None  # of its words, below full scale
    snr_db: float | None  # above its noise
    clipped: float  # share of its samples
