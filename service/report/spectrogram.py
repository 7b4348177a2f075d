"""A wide-band spectrogram as a grey PNG, and the outline of a waveform."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.audio import Audio

TOP_HZ = 8000
"""Frequency of the uppermost row: half the sample rate of every recording."""

HOP = 64
"""Samples per column: 4 ms."""

MAX_COLUMNS = 16_000
"""64 s of 4 ms. Longer recordings get longer hops, so that the picture stays within bounds."""

_WINDOW = 160  # 10 ms: wide enough a band to show formants rather than harmonics
_N_FFT = 256
_RANGE_DB = 60.0
_LEVELS = 16  # what a PNG of 4 bits a pixel can hold, and about what an eye tells apart


def hop_of(audio: Audio) -> int:
    """Samples per column of both pictures of a recording."""
    return max(HOP, -(-len(audio.samples) // MAX_COLUMNS))


def spectrogram_db(audio: Audio) -> NDArray[np.float32]:
    """Power in dB below the loudest point, float32 `[129, columns]`, row 0 at 0 Hz.

    Hann windows of 10 ms after a pre-emphasis of 6 dB per octave, as phoneticians look at speech;
    column c is centred on sample `c * hop_of(audio)`.
    """
    emphasised = np.diff(audio.samples, prepend=audio.samples[:1])
    padded = np.pad(emphasised, (_WINDOW // 2, _WINDOW))
    hop = hop_of(audio)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: len(emphasised) : hop]
    spectra = np.fft.rfft(windows * np.hanning(_WINDOW).astype(np.float32), _N_FFT)
    power = np.square(np.abs(spectra)).T
    loudest = max(float(power.max()), 1e-12)  # of digital silence nothing is loud
    least = 10 ** (-_RANGE_DB / 10)  # whose logarithm a processor may round either way
    decibels: NDArray[np.float32] = 10 * np.log10(np.maximum(power / loudest, least))
    return np.maximum(decibels, -_RANGE_DB).astype(np.float32)


def spectrogram_png(audio: Audio) -> bytes:
    """The spectrogram as a PNG: high frequencies on top, loud is black, 60 dB below it white."""
    share = 1 + spectrogram_db(audio)[::-1] / _RANGE_DB
    white = _LEVELS - 1
    return png(white - np.rint(white * share).astype(np.uint8))


def png(levels: NDArray[np.uint8]) -> bytes:
    """Encode grey levels of 0 to 15, uint8 `[height, width]`, as a PNG of 4 bits a pixel."""
    height, width = levels.shape
    even = np.pad(levels, ((0, 0), (0, width % 2)))
    rows = np.pad(even[:, ::2] << 4 | even[:, 1::2], ((0, 0), (1, 0)))  # each begins: no filter
    header = struct.pack(">2I5B", width, height, 4, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def outline(audio: Audio) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest sample of each column, float32 `[columns]` each."""
    starts = np.arange(0, len(audio.samples), hop_of(audio))
    return np.minimum.reduceat(audio.samples, starts), np.maximum.reduceat(audio.samples, starts)
