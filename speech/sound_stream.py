"""A recording while it is decoded, and libsndfile as the decoder of most of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

BLOCK_FRAMES = 1 << 16
"""Frames per decoded block: 1.4 s at 48 kHz."""

_STREAMED_BYTES = 0x7FFF0000  # WAV writers into a pipe put sizes from here up: "unknown"
_PROMISE = re.compile(r"(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)")


class UndecodableError(Exception):
    """A decoder gave up; the text holds the library's own words.

    `is_damage` says that the data is at fault, rather than a codec that the decoder lacks.
    """

    def __init__(self, words: str, is_damage: bool = False) -> None:
        super().__init__(words)
        self.is_damage = is_damage


@dataclass
class SoundStream:
    """A recording while it is being decoded.

    Attributes
    ----------
    rate
        Samples per second, per channel.
    channels
        Number of channels C.
    blocks
        float32 `[n, C]` blocks; raises `UndecodableError` where the decoder gives up.
    promised_s
        The length in seconds that the header states, or None where it states none.
    complaint
        What the decoder found wrong with data that it still decoded; complete once `blocks` is
        exhausted.
    """

    rate: int
    channels: int
    blocks: Iterator[NDArray[np.float32]]
    promised_s: float | None = None
    complaint: str = ""


@contextmanager
def open_libsndfile(file: BinaryIO) -> Iterator[SoundStream]:
    """Decode a file by libsndfile.

    Raises
    ------
    UndecodableError
        If libsndfile cannot.
    """
    import soundfile

    file.seek(0)
    try:
        sound = soundfile.SoundFile(file)
    except soundfile.LibsndfileError as fault:
        # Of the codes for opening, only this one tells damage from a codec that is not there.
        malformed = fault.code == 3
        raise UndecodableError(f"libsndfile: {fault.error_string}", malformed) from None
    with sound:
        if sound.frames >= 1 << 62:  # FLAC written into a pipe; libsndfile reads past its end
            raise UndecodableError("libsndfile: the header states no length.")

        def blocks() -> Iterator[NDArray[np.float32]]:
            try:
                while len(block := sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
                    yield block
            except soundfile.LibsndfileError as fault:
                raise UndecodableError(f"libsndfile: {fault.error_string}", True) from None

        frames = sound.frames
        # libsndfile silently clamps the length of a cut file; only its log keeps the promise.
        promise = _PROMISE.search(sound.extra_info)
        if promise and int(promise[2]) > 0 and int(promise[1]) < _STREAMED_BYTES:
            frames = frames * int(promise[1]) // int(promise[2])
        complaint = "its last Ogg page is missing" if _lacks_ogg_end(file) else ""
        length_s = frames / sound.samplerate
        yield SoundStream(sound.samplerate, sound.channels, blocks(), length_s, complaint)


def _lacks_ogg_end(file: BinaryIO) -> bool:
    """Whether an Ogg file stops before the page that is flagged as its last."""
    position = file.tell()
    try:
        file.seek(0)
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 17)))  # a page has at most 64 KiB
        _, _, page = file.read().rpartition(b"OggS")
        return len(page) < 2 or not page[1] & 4
    finally:
        file.seek(position)
