"""What an encoder makes of a recording: frames, and the protocol that every encoder follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.audio import Audio

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Frames:
    """One recording after one forward pass of an encoder.

    Attributes
    ----------
    embeddings
        float32 `[T, D]`, C-contiguous.
    hop_s
        Seconds between the centres of two neighbouring frames.
    offset_s
        Time of the centre of frame 0, in seconds from the start of the recording.
    log_probs
        float32 `[T, V]`, normalised log posteriors of the encoder's phone CTC head, or None.
    labels
        The V labels of `log_probs`; the blank is label 0. Empty without a head.
    """

    embeddings: FloatArray
    hop_s: float
    offset_s: float
    log_probs: FloatArray | None = None
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.embeddings.shape[0])

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Centre of every frame in seconds, float64 `[T]`."""
        return self.offset_s + self.hop_s * np.arange(len(self), dtype=np.float64)

    def nearest(self, time_s: float) -> int:
        """Index of the frame whose centre is nearest to `time_s`, within `[0, T)`."""
        index = round((time_s - self.offset_s) / self.hop_s)
        return int(min(max(index, 0), len(self) - 1))


@runtime_checkable
class Encoder(Protocol):
    """A speech encoder. Instances are safe to call from several threads, one call at a time."""

    @property
    def name(self) -> str:
        """How people name it: `spectral`, `hubert-large`, a folder or a hub id."""

    @property
    def fingerprint(self) -> str:
        """`sha256:…` over weights, layer and normalisation: equal fingerprints, equal frames."""

    @property
    def dim(self) -> int:
        """Width D of the embeddings."""

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording."""

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings; the frames equal those of single calls."""
