"""An utterance after its one decoding and its one encoding, at rest in a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.corpus import Utterance
from nativeear.speech.aligners.frame_scores import speech_frames
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.spectral import log_mel_spectrogram
from nativeear.speech.frames import FloatArray, Frames

FLUX_FRAMES = 2
"""Frames of 10 ms on each side whose spectra are compared at a boundary."""

FLOOR_NATS = 12.0
"""How far below the loud frames a band still counts: where noise changes, no phone begins."""


@dataclass(frozen=True, eq=False)
class EncodedUtterance:
    """What aligning and pooling need of an utterance."""

    frames: Frames  # the encoder's frames
    loud: NDArray[np.bool_]  # bool `[T]`, frames that are loud enough to be speech
    flux: FloatArray  # float32 `[F]`, see `spectral_flux`
    duration_s: float  # length of the recording

    @classmethod
    def of(cls, audio: Audio, frames: Frames) -> EncodedUtterance:
        """Take what is needed from a recording and its frames."""
        return cls(frames, speech_frames(audio, frames), spectral_flux(audio), audio.duration_s)

    def save(self, path: Path, audio: Audio) -> None:
        """Write to one `.npz` file, its sound too; the rename makes it whole or absent."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as stream:
            np.savez(
                stream,
                embeddings=self.frames.embeddings,
                log_probs=_none_as_empty(self.frames.log_probs),
                labels=np.array(self.frames.labels, dtype=np.str_),
                times=np.array([self.frames.hop_s, self.frames.offset_s, self.duration_s]),
                loud=self.loud,
                flux=self.flux,
                samples=audio.samples,
                sample_rate=np.int64(audio.sample_rate),
            )
        partial.rename(path)

    @classmethod
    def load(cls, path: Path) -> EncodedUtterance:
        """Read what `save` wrote, but for the sound: `recording_at` reads that."""
        with np.load(path, allow_pickle=False) as arrays:
            hop_s, offset_s, duration_s = arrays["times"].tolist()
            log_probs = arrays["log_probs"] if arrays["log_probs"].size else None
            labels = tuple(arrays["labels"].tolist())
            return cls(
                Frames(arrays["embeddings"], hop_s, offset_s, log_probs, labels),
                arrays["loud"],
                arrays["flux"],
                duration_s,
            )


def recording_at(path: Path) -> Audio:
    """The sound of an utterance that `EncodedUtterance.save` wrote, as it was decoded."""
    with np.load(path, allow_pickle=False) as arrays:
        return Audio(arrays["samples"], int(arrays["sample_rate"]))


def duration_at(path: Path) -> float:
    """Length in seconds of an utterance that `EncodedUtterance.save` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return float(arrays["times"][2])


def _none_as_empty(log_probs: FloatArray | None) -> FloatArray:
    return np.zeros((0, 0), dtype=np.float32) if log_probs is None else log_probs


def encoded_name(utterance: Utterance) -> str:
    """File name of an encoded utterance; ids may hold anything, file names may not."""
    identity = f"{utterance.audio}\0{utterance.id}\0{utterance.start_s}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32] + ".npz"


def spectral_flux(audio: Audio) -> FloatArray:
    """Distance between the mean log-mel spectra of 20 ms before and after, float32 `[F]`.

    Value f belongs to the time between frames f and f + 1 of `log_mel_spectrogram`.
    """
    mel = log_mel_spectrogram(audio.samples)
    mel = np.maximum(mel, np.percentile(mel.max(axis=1), 95) - FLOOR_NATS)
    padded = np.pad(mel, ((FLUX_FRAMES, FLUX_FRAMES), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros((1, mel.shape[1]), np.float32), padded]), axis=0)
    middle = np.arange(len(mel)) + FLUX_FRAMES + 1
    before = sums[middle] - sums[middle - FLUX_FRAMES]
    after = sums[middle + FLUX_FRAMES] - sums[middle]
    change = np.linalg.norm(after - before, axis=1) / FLUX_FRAMES
    return np.asarray(change, dtype=np.float32)
