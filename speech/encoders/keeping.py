"""An encoder that keeps what it has encoded for as long as it is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nativeear.speech.audio import Audio
from nativeear.speech.frames import Encoder, Frames


class KeepingEncoder:
    """Encodes as another encoder does, and keeps the frames of some recordings.

    They are kept for the thread that asks for them. Instances are safe to share.

    Parameters
    ----------
    encoder
        What encodes.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._thread = threading.local()
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.dim = encoder.dim
        self.phone_labels = getattr(encoder, "phone_labels", ())

    @contextmanager
    def keeping(self, audios: Sequence[Audio]) -> Iterator[None]:
        """Inside, each of these recordings is encoded once however often it is asked for."""
        before = self._kept
        self._thread.kept = {id(audio): before.get(id(audio)) for audio in audios}
        try:
            yield
        finally:
            self._thread.kept = before

    @contextmanager
    def ahead(self, audios: Sequence[Audio]) -> Iterator[None]:
        """The same for recordings that are encoded now, together."""
        frames = self._encoder.encode_batch(audios)
        with self.keeping(audios):
            self._kept.update(zip(map(id, audios), frames, strict=True))
            yield

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording, unless that has been done."""
        kept = self._kept
        frames = kept.get(id(audio))
        if frames is None:
            frames = self._encoder.encode(audio)
            if id(audio) in kept:
                kept[id(audio)] = frames
        return frames

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings."""
        return self._encoder.encode_batch(audios)

    @property
    def _kept(self) -> dict[int, Frames | None]:
        kept: dict[int, Frames | None] = getattr(self._thread, "kept", {})
        return kept
