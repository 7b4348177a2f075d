"""A recording heard while it is spoken: which words are finished, and how they were said.

What has been heard is assessed again about once a second, against the whole text. A word counts as
finished when it ends well before the end of what has been heard, and the assessment before put
that end at the same place: the words that are still to come are squeezed into the last moments,
and where they are is not worth telling.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoring.assessment import Assessment, WordAssessment
from speech.audio import Audio

SETTLED_S = 0.5
"""A finished word ends so long before the end of what has been heard."""

EVERY_S = 1.0
"""So much more has to be heard before it is assessed again."""

_STEADY_S = 0.1
_SAMPLE_BYTES = 2


@dataclass
class Take:
    """What has been heard of one recording: 16-bit little-endian samples, one channel.

    Attributes
    ----------
    sample_rate
        Samples per second.
    """

    sample_rate: int
    _parts: bytearray = field(default_factory=bytearray)
    _assessed_s: float = 0.0
    _ends_s: tuple[float | None, ...] = ()
    _told: int = 0

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

    def finished(self, result: Assessment) -> list[tuple[int, WordAssessment]]:
        """Words that are finished by now and were not told before, with their places."""
        before, self._ends_s = self._ends_s, tuple(word.end_s for word in result.words)
        found = []
        for place in range(self._told, len(result.words)):
            word = result.words[place]
            earlier = before[place] if place < len(before) else None
            if (
                word.omitted
                or word.end_s is None
                or earlier is None
                or word.end_s > result.duration_s - SETTLED_S
                or abs(word.end_s - earlier) > _STEADY_S
            ):
                break
            found.append((place, word))
            self._told = place + 1
        return found
