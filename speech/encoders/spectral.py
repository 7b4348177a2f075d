"""The encoder without weights: log-mel spectra in a context window.

It is the floor that every other encoder is compared with. What it gives is linear in the
log-mel spectrogram, so the closed-form LDA that an index learns on top of it is a classifier of
spectro-temporal patterns and nothing else has been trained.

Only NumPy is needed. The cost is well under a hundredth of real time on one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.fingerprint import fingerprint
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import FloatArray, Frames

# hard-coded audio hyperparameters
SAMPLE_RATE = 16_000
N_FFT = 512
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms between frames
N_MELS = 40
MEL_LOW_HZ, MEL_HIGH_HZ = 60.0, 7_600.0
PRE_EMPHASIS = 0.97

CONTEXT = 7  # frames on each side of a frame
N_CONTEXT = 2 * CONTEXT + 1  # 15 frames: 150 ms of sound
N_COSINES = 6  # cosines along time that are kept of each band's trajectory

DYNAMIC_RANGE_DB = 60.0  # what lies further below the utterance's loudest bands is not heard
SPEECH_RANGE_DB = 30.0  # frames this close to the loud frames count as speech

VERSION = 1  # grows with every change of this file that changes frames

_DB_TO_NATS = np.log(10.0) / 10.0
_BLOCK = 4_096  # frames per Fourier transform, so that ten minutes stay within some 50 MB


class SpectralEncoder:
    """Log-mel spectra with 150 ms of context, `D` = 240, a frame every 10 ms.

    Each of the 40 mel bands is followed over 15 frames and its trajectory kept as 6 cosines. The
    mean over the utterance's own speech frames is taken from every band, which removes channel
    and gain; silence stays as far below zero as it is below speech.
    """

    name = "spectral"
    dim = N_MELS * N_COSINES
    hop_s = HOP / SAMPLE_RATE
    offset_s = WINDOW / 2 / SAMPLE_RATE

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:…` over the parameters of the front end and the version of this file."""
        parameters = {
            "encoder": self.name,
            "version": VERSION,
            "frame": [SAMPLE_RATE, N_FFT, WINDOW, HOP, PRE_EMPHASIS],
            "mel": [N_MELS, MEL_LOW_HZ, MEL_HIGH_HZ],
            "context": [CONTEXT, N_COSINES],
            "normalisation": [DYNAMIC_RANGE_DB, SPEECH_RANGE_DB],
        }
        return fingerprint(parameters)

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording.

        Raises
        ------
        EncoderError
            If the recording is not sampled at 16 kHz.
        """
        if audio.sample_rate != SAMPLE_RATE:
            raise EncoderError(
                f"The encoder spectral hears 16000 Hz, and this recording has {audio.sample_rate}.",
                fix="Open the recording with Audio.load, which resamples it.",
            )
        log_mel = normalise(log_mel_spectrogram(audio.samples))
        return Frames(add_context(log_mel), self.hop_s, self.offset_s)

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings, one after the other."""
        return [self.encode(audio) for audio in audios]


def load(
    source: str = "spectral",
    *,
    name: str = "spectral",
    layer: int | None = None,
    device: str = "auto",
    dtype: str = "float32",
) -> SpectralEncoder:
    """Make the encoder; it has nothing to load, and takes any `device` and `dtype`.

    Raises
    ------
    EncoderError
        If a `layer` is asked for: there are none.
    """
    del source, name, device, dtype
    if layer is not None:
        raise EncoderError(
            f"The encoder spectral has no layers, so layer {layer} cannot be taken.",
            fix="Leave the layer out, or choose another encoder: nativeear encoders list.",
        )
    return SpectralEncoder()


def log_mel_spectrogram(samples: FloatArray) -> FloatArray:
    """Log power in mel bands.

    Parameters
    ----------
    samples
        float32 `[S]` at 16 kHz. Fewer than 400 samples are padded with silence to one frame.

    Returns
    -------
    float32 `[T, 40]` in nats, `T = 1 + (S - 400) // 160`; frame t is centred on sample
    `200 + 160 t`.
    """
    signal = np.asarray(samples, dtype=np.float32)
    signal = signal - signal.mean(dtype=np.float64).astype(np.float32) if signal.size else signal
    signal = np.pad(signal, (0, max(0, WINDOW - signal.size)))
    emphasised = signal.copy()
    emphasised[1:] -= np.float32(PRE_EMPHASIS) * signal[:-1]
    emphasised[0] *= np.float32(1.0 - PRE_EMPHASIS)

    frames = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::HOP]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    mel = np.empty((len(frames), N_MELS), dtype=np.float32)
    for start in range(0, len(frames), _BLOCK):
        block = slice(start, start + _BLOCK)
        spectrum = np.fft.rfft(frames[block] * window, n=N_FFT)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        mel[block] = power @ mel_filterbank().T
    # 1e-10 is far below the quantisation noise of 16-bit audio: it only keeps silence finite
    log_mel: FloatArray = np.log(np.maximum(mel, np.float32(1e-10)))
    return log_mel


@cache
def mel_filterbank() -> FloatArray:
    """Triangular filters with equal steps on the HTK mel scale, float32 `[40, 257]`."""
    edges_mel = np.linspace(_hz_to_mel(MEL_LOW_HZ), _hz_to_mel(MEL_HIGH_HZ), N_MELS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.arange(N_FFT // 2 + 1) * (SAMPLE_RATE / N_FFT)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(filters, dtype=np.float32)


def _hz_to_mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))


def normalise(log_mel: FloatArray) -> FloatArray:
    """Take channel and gain away: every band's mean over the speech frames becomes 0.

    Speech frames are those within 30 dB of the loud ones (95th percentile). Silence does not
    move the means, and remains what it is, a number of decibels below speech, down to a floor
    60 dB below the loudest bands so that digital silence is not further away than a quiet room.

    Parameters
    ----------
    log_mel
        float32 `[T, 40]` in nats.

    Returns
    -------
    float32 `[T, 40]` in nats relative to the mean spectrum of speech.
    """
    energy = log_mel.max(axis=1)
    loud = float(np.percentile(energy, 95.0))
    heard = np.maximum(log_mel, np.float32(loud - DYNAMIC_RANGE_DB * _DB_TO_NATS))
    is_speech = energy > loud - SPEECH_RANGE_DB * _DB_TO_NATS
    mean = heard[is_speech].mean(axis=0, dtype=np.float64)
    normalised: FloatArray = heard - mean.astype(np.float32)
    return normalised


@cache
def _cosines() -> FloatArray:
    """Orthonormal DCT-II along the context, weighted towards its middle, float32 `[15, 6]`."""
    position = (np.arange(N_CONTEXT) + 0.5) * np.pi / N_CONTEXT
    basis = np.cos(np.outer(position, np.arange(N_COSINES))) * np.sqrt(2.0 / N_CONTEXT)
    basis[:, 0] /= np.sqrt(2.0)
    # the window is not zero at its ends: +2 puts its zeros just outside of the context
    cosines: FloatArray = (basis * np.hanning(N_CONTEXT + 2)[1:-1, None]).astype(np.float32)
    return cosines


def add_context(log_mel: FloatArray) -> FloatArray:
    """Describe every frame by the trajectories of its bands through 150 ms.

    Parameters
    ----------
    log_mel
        float32 `[T, 40]`. The first and the last frame stand for what lies beyond the ends.

    Returns
    -------
    float32 `[T, 240]`, C-contiguous; component `40 c + b` is cosine c of band b.
    """
    padded = np.pad(log_mel, ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    cosines = _cosines()
    embeddings = np.zeros((len(log_mel), N_COSINES, N_MELS), dtype=np.float32)
    for shift in range(N_CONTEXT):
        shifted = padded[shift : shift + len(log_mel), None, :]
        embeddings += cosines[shift][None, :, None] * shifted
    return embeddings.reshape(len(log_mel), N_COSINES * N_MELS)
