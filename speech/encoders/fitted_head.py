"""A phone head in closed form, for encoders that have none: linear scores of every frame.

It is fitted on an index's own natives (`indexer.head_fitting`) and lies in the index. Its labels
are the inventory's symbols, and the blank of CTC stands for silence: a frame belongs to a phone for
as long as that lasts, where a trained CTC head tells it in a frame or two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.paired import fingerprint_of_pair
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Encoder, FloatArray, Frames
from nativeear.speech.phone_head import BLANK

FITTED = "fitted"
"""What the head of an index is called where an encoder would be named."""

LEAST_BLANK = 0.02
"""Share of every frame that the blank gets: between two equal phones CTC wants one frame of it."""

VERSION = 1  # grows with every change here that changes posteriors


@dataclass(frozen=True, eq=False)
class FittedHead:
    """Linear scores of frames, as posteriors of silence and P phones."""

    phones: tuple[str, ...]  # P symbols of the inventory
    weights: FloatArray  # float32 `[D, 1 + P]`, silence first
    bias: FloatArray  # float32 `[1 + P]`
    reach: int  # frames on each side over which scores are averaged

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the posteriors, the blank first."""
        return (BLANK, *self.phones)

    def log_probs(self, embeddings: FloatArray) -> FloatArray:
        """Log posteriors of frames `[T, D]`, float32 `[T, 1 + P]`."""
        scores = averaged(embeddings @ self.weights + self.bias, self.reach)
        scores -= scores.max(axis=1, keepdims=True)
        probabilities = np.exp(scores)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        probabilities *= 1 - LEAST_BLANK
        probabilities[:, 0] += LEAST_BLANK
        least = np.finfo(np.float32).tiny
        log_probs: FloatArray = np.log(np.maximum(probabilities, least)).astype(np.float32)
        return log_probs

    def heard(self, frames: Frames) -> Frames:
        """The same frames with posteriors."""
        return replace(frames, log_probs=self.log_probs(frames.embeddings), labels=self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:…` over everything that decides about posteriors."""
        digest = hashlib.sha256(repr((VERSION, self.phones, self.reach)).encode())
        for array in (self.weights, self.bias):
            digest.update(np.ascontiguousarray(array).tobytes())
        return f"sha256:{digest.hexdigest()}"

    def save(self, path: Path) -> None:
        """Write as safetensors; the rename makes it whole or absent."""
        partial = path.with_suffix(".partial")
        save_file(
            {
                "weights": np.ascontiguousarray(self.weights),
                "bias": np.ascontiguousarray(self.bias),
                "reach": np.array([self.reach], dtype=np.int64),
                "phones": np.frombuffer("\0".join(self.phones).encode(), dtype=np.uint8),
            },
            partial,
        )
        partial.rename(path)

    @classmethod
    def load(cls, path: Path) -> FittedHead:
        """Read what `save` wrote.

        Raises
        ------
        EncoderError
            If it cannot be read.
        """
        try:
            arrays = load_file(path)
            return cls(
                phones=tuple(arrays["phones"].tobytes().decode().split("\0")),
                weights=arrays["weights"],
                bias=arrays["bias"],
                reach=int(arrays["reach"][0]),
            )
        except Exception as error:  # safetensors' own exceptions share no public base
            raise EncoderError(
                f"The phone head {path} cannot be read.",
                cause=str(error),
                fix="Build the index again with `nativeear index rebuild`.",
            ) from error


class WithFittedHead:
    """An encoder whose frames get posteriors of a fitted head. Safe to share.

    It names no `phone_labels`: where phones lie is for an aligner that knows how long they last.
    """

    def __init__(self, encoder: Encoder, head: FittedHead) -> None:
        self._encoder, self._head = encoder, head
        self.name = f"{encoder.name}+{FITTED}"
        self.dim = encoder.dim
        self.fingerprint = fingerprint_of_pair(encoder.fingerprint, head.fingerprint)

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording."""
        return self._head.heard(self._encoder.encode(audio))

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings."""
        return [self._head.heard(frames) for frames in self._encoder.encode_batch(audios)]


def averaged(scores: NDArray[np.floating], reach: int) -> NDArray[np.floating]:
    """Mean of the scores `[T, C]` of each frame and of `reach` frames on each side."""
    if not reach:
        return scores
    padded = np.pad(scores, ((reach, reach), (0, 0)), mode="edge")
    width = 2 * reach + 1
    mean: NDArray[np.floating] = (
        sum(padded[at : at + len(scores)] for at in range(width)) / width  # type: ignore[assignment]
    )
    return mean
