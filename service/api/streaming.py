"""A recording heard while it is spoken: which words are finished, and how they were said.

About once a second the place in the text is looked for that the recording has come to. A word is
finished when it ends well before that; what has been heard up to its end is then assessed against
the text up to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoring.assessment import Assessment, WordAssessment
from scoring.assessor import Assessor
from service.api.engine import Work
from service.api.problems import ServiceError
from speech.aligners.reached import words_reached
from speech.audio import Audio

SETTLED_S = 0.5
"""A finished word ends so long before the end of what has been heard."""

EVERY_S = 1.0
"""So much more has to be heard before it is assessed again."""

_PAUSE_S = 0.2  # kept behind the last finished word, if the next one leaves it
_SAMPLE_BYTES = 2


class NothingFinishedError(ServiceError):
    """No more words are finished than before."""

    code = "nothing-finished"
    status = 409


@dataclass(frozen=True, eq=False)
class PartialWork(Work):
    """What has been heard so far, to be assessed up to its last finished word.

    Attributes
    ----------
    told
        How many words are known to be finished.
    """

    told: int = 0

    def run(self, assessor: Assessor) -> Assessment:
        """Assess the words that are finished; their names are those of the text.

        Raises
        ------
        NothingFinishedError
            If there are no more than were told.
        """
        meant = assessor.pronounce(self.text, self.phones)
        frames = assessor.encoder.encode(self.audio)
        reached = words_reached(frames, meant, assessor.inventory)
        settled_s = self.audio.duration_s - SETTLED_S
        finished = [word for word in reached if word.end_s <= settled_s]
        if len(finished) <= self.told:
            raise NothingFinishedError("No other word is finished yet.")
        last = finished[-1]
        end_s = min(last.end_s + _PAUSE_S, last.next_s or self.audio.duration_s)
        phones = " | ".join(" ".join(word.phones) for word in finished)
        result = assessor.assess(
            self.audio.slice(0.0, end_s), None, phones=phones, id=self.id, l1=self.l1
        )
        named = zip(meant.words, result.words, strict=False)
        return result.model_copy(
            update={"words": tuple(w.model_copy(update={"word": own.word}) for own, w in named)}
        )


@dataclass
class Take:
    """What has been heard of one recording: 16-bit little-endian samples, one channel.

    Attributes
    ----------
    sample_rate
        Samples per second.
    told
        How many words were told to be finished.
    """

    sample_rate: int
    told: int = 0
    _parts: bytearray = field(default_factory=bytearray)
    _assessed_s: float = 0.0

    def add(self, data: bytes) -> None:
        """Hear more; a frame may end in the middle of a sample."""
        self._parts += data

    @property
    def heard_s(self) -> float:
        """Seconds that have been heard."""
        return len(self._parts) // _SAMPLE_BYTES / self.sample_rate

    @property
    def is_due(self) -> bool:
        """Whether enough is new to assess it again."""
        return self.heard_s - self._assessed_s >= EVERY_S

    def recording(self, *, limit_s: float) -> Audio:
        """All that has been heard, with the checks of every recording.

        Raises
        ------
        AudioError
            If it is silent, too short, too long, or broken.
        """
        self._assessed_s = self.heard_s
        whole = len(self._parts) // _SAMPLE_BYTES * _SAMPLE_BYTES
        samples = np.frombuffer(bytes(self._parts[:whole]), dtype="<i2").astype(np.int16)
        return Audio.from_samples(samples, self.sample_rate, limit_s=limit_s)

    def news(self, result: Assessment) -> list[tuple[int, WordAssessment]]:
        """Words that were not told before, with their places."""
        found = list(enumerate(result.words))[self.told :]
        self.told = max(self.told, len(result.words))
        return found
