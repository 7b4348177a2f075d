"""A recording heard while it is spoken: which words are finished, and how they were said.

About once a second the place in the text is looked for that the recording has come to. A word is
finished when it ends well before that. The look begins some seconds before the last word that is
known to be finished, so that it costs the same after five minutes as after ten seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import takewhile
from threading import Event

import numpy as np

from nativeear.scoring.assessment import Assessment, WordAssessment
from nativeear.scoring.assessor import Assessor
from nativeear.service.api.engine import Work
from nativeear.service.api.problems import ServiceError
from nativeear.service.api.quota import Reservation
from nativeear.speech.aligners.reached import words_reached
from nativeear.speech.audio import Audio, AudioBuffer
from nativeear.speech.canonical import Pronunciation

SETTLED_S = 0.5
"""A finished word ends so long before the end of what has been heard."""

EVERY_S = 1.0
"""So much more has to be heard before it is looked at again."""

EVERY_SHARE = 0.1
"""Or so much of what is looked at, which grows where somebody strays from the text: looks at twice
as much are half as frequent."""

CONTEXT_S = 8.0
"""So much of finished words is looked at with those that follow."""

MOST_WORDS_PER_S = 8
"""Nobody reads faster; what lies further on in the text is not looked for."""

_PAUSE_S = 0.2  # kept behind the last finished word, if the next one leaves it
_BLOCK_S = 0.25  # less is not worth an array of its own
_SAMPLE_BYTES = 2


class NothingFinishedError(ServiceError):
    """No more words are finished than before."""

    code = "nothing-finished"
    status = 409


@dataclass(frozen=True)
class Window:
    """What is looked at.

    Attributes
    ----------
    start_s
        Where it begins in the recording.
    first
        The word of the text that begins there.
    finished
        How many words of the text are known to be finished.
    """

    start_s: float = 0.0
    first: int = 0
    finished: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class PartialWork(Work):
    """A window of what has been heard so far, to be assessed up to its last finished word.

    Attributes
    ----------
    meant
        The whole text.
    window
        Where the recording lies in what has been heard.
    ended
        Set once nobody waits for the look any more: the next step of it is not begun.
    """

    pronunciation: Pronunciation
    window: Window = Window()
    ended: Event = field(default_factory=Event)

    @property
    def heard(self) -> Audio:
        """All of it: where a word ends is asked for in the times of the window."""
        return self.audio

    def run(self, assessor: Assessor) -> Assessment:
        """Assess the words of the window that are finished.

        Names are those of the text, times those of the whole recording.

        Raises
        ------
        NothingFinishedError
            If there are no more than were told, they are not heard in it, or nobody waits.
        """
        self._go_on()
        frames = assessor.encoder.encode(self.audio)
        self._go_on()
        most = int(MOST_WORDS_PER_S * (self.audio.duration_s + 1))
        words = self.pronunciation.words[self.window.first : self.window.first + most]
        reached = words_reached(
            frames, replace(self.pronunciation, words=words), assessor.inventory
        )
        self._go_on()
        settled_s = self.audio.duration_s - SETTLED_S
        finished = list(takewhile(lambda word: word.end_s <= settled_s, reached))
        if self.window.first + len(finished) <= self.window.finished:
            raise NothingFinishedError("No other word is finished yet.")
        last = finished[-1]
        end_s = min(last.end_s + _PAUSE_S, last.next_s or self.audio.duration_s)
        phones = " | ".join(" ".join(word.phones) for word in finished)
        result = assessor.assess(
            self.audio.slice(0.0, end_s), None, phones=phones, id=self.id, l1=self.l1
        )
        if result.reading and not result.reading.matches:
            raise NothingFinishedError("What was heard so far is not of the text.")
        named = zip(words, result.words, strict=False)
        return result.model_copy(
            update={"words": tuple(_placed(w, own.word, self.window) for own, w in named)}
        )

    def _go_on(self) -> None:
        """Leave the thread to the whole recording once that is asked for."""
        if self.ended.is_set():
            raise NothingFinishedError("Nobody waits for it any more.")


def _placed(word: WordAssessment, name: str, window: Window) -> WordAssessment:
    """A word by its own name, where it lies in the whole recording."""

    def moved(spoken: object) -> dict[str, float]:
        times = {end: getattr(spoken, end) for end in ("start_s", "end_s")}
        return {end: at + window.start_s for end, at in times.items() if at is not None}

    phones = tuple(phone.model_copy(update=moved(phone)) for phone in word.phones)
    return word.model_copy(update={"word": name, "phones": phones, **moved(word)})


def read_up_to(result: Assessment) -> Assessment:
    """A whole text with the words that were read alone, up to the last of them."""
    if result.of_another_text:
        return result.model_copy(update={"words": ()})
    most = max((i for i, word in enumerate(result.words, 1) if not word.omitted), default=0)
    return result.model_copy(update={"words": result.words[:most]})


class StreamBuffer:
    """What has been heard of one recording: 16-bit little-endian samples, one channel.

    Parameters
    ----------
    sample_rate
        Samples per second.
    limit_s
        Longest recording, in seconds.
    hold
        What it holds of what all may.
    """

    def __init__(self, sample_rate: int, limit_s: float, reservation: Reservation) -> None:
        self._rate = sample_rate
        self._reservation = reservation
        self._gathered = AudioBuffer(sample_rate, 1, "The recording", limit_s)
        self._fresh = bytearray()  # not yet gathered
        self._looked_s = 0.0
        self._assessed_s = 0.0
        self._ends_s: list[float] = []  # of the words that were told
        self.ended = Event()

    def add(self, data: bytes) -> None:
        """Hear more; a frame may end in the middle of a sample.

        Raises
        ------
        AudioError
            If the recording gets too long.
        BusyError
            If all recordings together hold too much.
        """
        self._fresh += data
        if len(self._fresh) >= _BLOCK_S * self._rate * _SAMPLE_BYTES:
            self._gather()

    @property
    def heard_s(self) -> float:
        """Seconds that have been heard."""
        return self._gathered.duration_s + len(self._fresh) // _SAMPLE_BYTES / self._rate

    @property
    def told(self) -> int:
        """How many words of the text were told."""
        return len(self._ends_s)

    @property
    def is_due(self) -> bool:
        """Whether enough is new to look at it again."""
        looked_at_s = self._looked_s - self.window.start_s
        return self.heard_s - self._looked_s >= max(EVERY_S, EVERY_SHARE * looked_at_s)

    @property
    def is_worth_assessing(self) -> bool:
        """Whether enough is new to assess all of it again, which costs more the more there is."""
        return self.heard_s - self._assessed_s > EVERY_SHARE * self.heard_s

    def stop_looking(self) -> None:
        """Nobody waits for the look that goes on; another may follow."""
        self.ended.set()
        self.ended = Event()

    @property
    def window(self) -> Window:
        """What is to be looked at next."""
        ends_s = self._ends_s
        first = len(ends_s)
        while first > 0 and ends_s[-1] - ends_s[first - 1] < CONTEXT_S:
            first -= 1
        return Window(ends_s[first - 1] if first else 0.0, first, len(ends_s))

    def recent(self) -> Audio:
        """What has been heard since the window begins, with the checks of every recording.

        Raises
        ------
        AudioError
            If it is silent, too short, or broken.
        """
        self._gather()
        self._looked_s = self.heard_s
        return self._gathered.since(self.window.start_s)

    def so_far(self) -> Audio:
        """All that has been heard; more may come after it.

        Raises
        ------
        AudioError
            As for `recent`.
        """
        self._gather()
        self._assessed_s = self.heard_s
        return self._gathered.since(0.0)

    def whole(self) -> Audio:
        """All that has been heard; nothing may come after it.

        Raises
        ------
        AudioError
            As for `recent`.
        """
        self._gather()
        return self._gathered.whole()

    def news(self, result: Assessment, window: Window) -> list[tuple[int, WordAssessment]]:
        """Words of a window that were not told before, with their places in the text."""
        placed = list(enumerate(result.words, start=window.first))
        found = placed[len(self._ends_s) - window.first :]
        for _, word in found:
            before_s = self._ends_s[-1] if self._ends_s else 0.0
            self._ends_s.append(max(before_s, word.end_s or before_s))
        return found

    def _gather(self) -> None:
        whole = len(self._fresh) // _SAMPLE_BYTES * _SAMPLE_BYTES
        samples = np.frombuffer(bytes(self._fresh[:whole]), dtype="<i2").astype(np.float32)
        del self._fresh[:whole]
        self._reservation.take(self._gathered.add((samples / np.float32(1 << 15))[:, None]))
