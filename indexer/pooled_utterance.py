"""What one native utterance gives to an index, kept in a file until the index is assembled."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.clips import file_stem
from nativeear.indexes.prosody import profile_of, row_of
from nativeear.speech.frames import FloatArray
from nativeear.speech.prosody.profile import ProsodyProfile


@dataclass(frozen=True)
class PooledPhone:
    """A phone of a native utterance, or a silence, before it becomes an exemplar.

    `stress` is -1 where unknown; `rating` is the raters' score, None where nobody rated;
    `log_posterior` is what the encoder's phone head makes of it (`speech.occupancy`), NaN where it
    has none or cannot tell.
    """

    phone: str
    left: str
    right: str
    stress: int
    word: str
    start_s: float
    end_s: float
    rating: float | None = None
    log_posterior: float = math.nan


@dataclass(frozen=True, eq=False)
class HeardFrames:
    """The frames of an utterance that belong to its phones, kept until the index is assembled."""

    embeddings: NDArray[np.float16]  # `[T, D]`, in the encoder's space
    weights: FloatArray  # float32 `[T, N]`: how much of each belongs to each phone that is said


@dataclass(frozen=True, eq=False)
class PooledUtterance:
    """What one utterance gives to an index."""

    phones: tuple[PooledPhone, ...]  # N phones and silences
    embeddings: FloatArray  # float32 `[N, D]`, in the encoder's space
    audio_s: float  # length of the recording in seconds
    # How it flows and sings; None where it is no native speech, for raters judged it.
    prosody: ProsodyProfile | None = None
    heard: HeardFrames | None = None  # where natives are asked about its frames

    def save(self, path: Path) -> None:
        """Write to one `.npz` file; the rename makes it whole or absent."""
        described = json.dumps([vars(phone) for phone in self.phones])
        prosody = json.dumps(self.prosody and row_of(self.prosody))
        frames = {} if self.heard is None else vars(self.heard)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as stream:
            np.savez(
                stream,
                phones=np.frombuffer(described.encode(), dtype=np.uint8),
                embeddings=self.embeddings,
                audio_s=np.float64(self.audio_s),
                prosody=np.frombuffer(prosody.encode(), dtype=np.uint8),
                **{f"heard.{name}": array for name, array in frames.items()},
            )
        partial.rename(path)

    @classmethod
    def load(cls, path: Path) -> PooledUtterance:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            described = json.loads(arrays["phones"].tobytes().decode())
            prosody = json.loads(arrays["prosody"].tobytes().decode())
            return cls(
                tuple(PooledPhone(**phone) for phone in described),
                arrays["embeddings"],
                float(arrays["audio_s"]),
                profile_of(prosody) if prosody else None,
            )

    @staticmethod
    def heard_at(path: Path) -> HeardFrames | None:
        """The frames that `save` wrote, if there were any; `load` leaves them where they are."""
        with np.load(path, allow_pickle=False) as arrays:
            if "heard.embeddings" not in arrays:
                return None
            return HeardFrames(arrays["heard.embeddings"], arrays["heard.weights"])


def record_name(corpus: str, utterance: str) -> str:
    """File name of an utterance's record."""
    return f"{file_stem(corpus, utterance)}.npz"
