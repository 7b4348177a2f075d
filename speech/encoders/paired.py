"""Two ears as one encoder: the frames of one are looked up, the phone head of another is asked.

Frames have one time grid: that of the first ear or, where the second hears in shorter steps, that
of the second, so that no posterior is lost: a CTC head often tells a phone in a single frame. What
comes from the other ear is that of its frame nearest in time, and is not mixed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import Device, Dtype, load_encoder, split_pair
from nativeear.speech.encoders.fingerprint import fingerprint
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Encoder, Frames

VERSION = 1  # grows with every change here that changes frames


class PairedEncoder:
    """Embeddings of one encoder with the phone posteriors of another. Safe to share.

    Parameters
    ----------
    ear
        Gives the embeddings; its own head, if it has one, is not heard.
    head
        Gives the posteriors.

    Raises
    ------
    EncoderError
        If `head` gives no phone posteriors.
    """

    def __init__(self, ear: Encoder, head: Encoder) -> None:
        self.ears = (ear, head)
        self.name = f"{ear.name}+{head.name}"
        self.dim = ear.dim
        self.phone_labels: tuple[str, ...] = tuple(getattr(head, "phone_labels", ()))
        self.gop_refusal: str = getattr(head, "gop_refusal", "")
        self.fingerprint = fingerprint_of_pair(ear.fingerprint, head.fingerprint)
        if not self.phone_labels:
            raise EncoderError(
                f"The encoder {head.name} cannot be the head of another.",
                cause=self.gop_refusal or "The encoder has no phone CTC head.",
                fix="Choose one with a phone CTC head: see `nativeear encoders check NAME`.",
            )

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording by both."""
        return together(*(ear.encode(audio) for ear in self.ears))

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings by both; the frames equal those of single calls."""
        heard = [ear.encode_batch(audios) for ear in self.ears]
        return [together(*frames) for frames in zip(*heard, strict=True)]


def together(ear: Frames, head: Frames) -> Frames:
    """The embeddings of one and the posteriors of the other, both of one recording."""
    assert head.log_probs is not None  # noqa: S101  it has labels
    grid = head if head.hop_s < ear.hop_s * (1 - 1e-6) else ear
    embeddings = ear.embeddings if grid is ear else ear.embeddings[_nearest(ear, grid)]
    log_probs = head.log_probs if grid is head else head.log_probs[_nearest(head, grid)]
    return Frames(
        np.ascontiguousarray(embeddings),
        grid.hop_s,
        grid.offset_s,
        np.ascontiguousarray(log_probs),
        head.labels,
    )


def fingerprint_of_pair(ear: str, head: str) -> str:
    """The fingerprint of two ears with these fingerprints."""
    return fingerprint({"encoder": "paired", "version": VERSION, "ears": [ear, head]})


def _nearest(frames: Frames, grid: Frames) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each frame of a grid the nearest one of other frames, int64 `[len(grid)]`."""
    # halves go down, not to even numbers: every frame is taken as often as its neighbour
    place = np.ceil((grid.times_s - frames.offset_s) / frames.hop_s - 0.5 - 1e-9)
    return np.clip(place, 0, len(frames) - 1).astype(np.int64)


def load(
    source: str,
    *,
    name: str = "",
    layer: int | None = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
) -> PairedEncoder:
    """Open `EAR+HEAD`; the layer is that of the first ear.

    Raises
    ------
    EncoderError
        If one of them cannot be opened, or the second has no phone head.
    """
    del name
    pair = split_pair(source)
    if pair is None:
        raise EncoderError(
            f"{source!r} does not name two encoders.", fix="Write both, as in hubert-large+compact."
        )
    ear, head = pair
    return PairedEncoder(
        load_encoder(ear, layer=layer, device=device, dtype=dtype),
        load_encoder(head, device=device, dtype=dtype),
    )
