"""The shipped encoder's front end: Whisper's log-mel, in NumPy."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from nativeear.speech.errors import AudioError
from nativeear.speech.frames import FloatArray

SAMPLE_RATE = 16_000
N_FFT = 400  # 25 ms
MEL_HOP = 160  # 10 ms
N_MELS = 80
MIN_SAMPLES = 2 * MEL_HOP
BLOCK_FRAMES = 3_000  # 30 s of spectra are held at a time


@cache
def mel_filterbank(n_mels: int = N_MELS, warp: float = 1.0) -> NDArray[np.float64]:
    """Slaney's triangular mel filters, each of unit area, float64 `[n_mels, N_FFT // 2 + 1]`.

    Parameters
    ----------
    warp
        Factor on the filters' edges (vocal-tract-length perturbation); 1 leaves them.
    """
    bins = np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    top = _hz_to_mel(np.array([SAMPLE_RATE / 2.0]))[0]
    edges = _mel_to_hz(np.linspace(0.0, top, n_mels + 2))
    if warp != 1.0:
        knee = 0.85 * SAMPLE_RATE / 2 / max(warp, 1.0)
        slope = (SAMPLE_RATE / 2 - knee * warp) / (SAMPLE_RATE / 2 - knee)
        edges = np.where(edges <= knee, edges * warp, knee * warp + (edges - knee) * slope)
    rise = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rise, fall)) * area[:, None]
    return filters


def log_mel(samples: FloatArray) -> FloatArray:
    """Whisper's log-mel over a recording's true length, computed in float64.

    Parameters
    ----------
    samples
        `[S]`, 16 kHz, -1 to 1; at least `MIN_SAMPLES`.

    Returns
    -------
    FloatArray
        float32 `[N_MELS, S // MEL_HOP]`.
    """
    if samples.ndim != 1 or len(samples) < MIN_SAMPLES:
        raise AudioError(
            f"Mono audio of {MIN_SAMPLES} samples or more is heard, and this has the shape "
            f"{list(samples.shape)}."
        )
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    padded = np.pad(samples, N_FFT // 2, mode="reflect")
    frames = sliding_window_view(padded, N_FFT)[: len(samples) // MEL_HOP * MEL_HOP : MEL_HOP]
    filters = mel_filterbank().T
    power = np.empty((len(frames), N_MELS))
    for first in range(0, len(frames), BLOCK_FRAMES):
        block = slice(first, first + BLOCK_FRAMES)
        spectrum = np.fft.rfft(frames[block] * window)
        power[block] = (spectrum.real**2 + spectrum.imag**2) @ filters
    log_power = np.log10(np.maximum(power, 1e-10))
    scaled = (np.maximum(log_power, log_power.max() - 8.0) + 4.0) / 4.0
    return np.ascontiguousarray(scaled.T, dtype=np.float32)


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = hz * 3.0 / 200.0
    return np.where(
        hz < 1000.0, linear, 15.0 + 27.0 * np.log(np.maximum(hz, 1.0) / 1000.0) / np.log(6.4)
    )


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * 200.0 / 3.0
    return np.where(mel < 15.0, linear, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0))
