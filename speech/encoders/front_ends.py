"""What transformers models take in, made of a whole recording with its family's normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import transformers

from nativeear.speech.frames import FloatArray

SAMPLE_RATE = 16_000


class Front(Protocol):
    """Turns a recording into a network's input. Frame t sees `[stride t, stride t + field)`."""

    hop_s: float
    offset_s: float
    stride: int
    field: int

    def inputs(self, samples: FloatArray) -> FloatArray:
        """Make `[N, ...]` of `[S]`, normalised over the whole recording."""

    def count(self, n_inputs: int) -> int:
        """Number of frames that N inputs give."""


class Waveform:
    """Input of HuBERT, wav2vec2 and WavLM: the samples, with zero mean and unit variance."""

    def __init__(self, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> None:
        self.stride, self.field = 1, 1
        for kernel, stride in zip(config["conv_kernel"], config["conv_stride"], strict=True):
            self.field += (kernel - 1) * self.stride
            self.stride *= stride
        self.hop_s = self.stride / SAMPLE_RATE
        self.offset_s = self.field / 2 / SAMPLE_RATE
        self._normalise = bool(preprocessor.get("do_normalize", True))

    def inputs(self, samples: FloatArray) -> FloatArray:
        """Samples `[S]`, padded to what gives a frame."""
        samples = np.pad(samples, (0, max(0, self.field - len(samples))))
        if not self._normalise:
            return samples
        mean, variance = samples.mean(dtype=np.float64), samples.var(dtype=np.float64)
        normalised: FloatArray = ((samples - mean) / np.sqrt(variance + 1e-7)).astype(np.float32)
        return normalised

    def count(self, n_inputs: int) -> int:
        """Frames whose field is whole."""
        return (n_inputs - self.field) // self.stride + 1


class FilterBank:
    """Input of w2v-BERT: pairs of Kaldi filter-bank frames, each band normalised over time."""

    def __init__(self, folder: Path, preprocessor: Mapping[str, Any]) -> None:
        kind = transformers.SeamlessM4TFeatureExtractor
        self._extract = (
            kind.from_pretrained(folder, local_files_only=True) if preprocessor else kind()
        )
        self.stride = self.field = 1
        together = int(self._extract.stride)
        self.hop_s = 0.010 * together
        # windows of 25 ms every 10 ms; the centre of the pair lies between those of its two
        self.offset_s = 0.0125 + 0.010 * (together - 1) / 2

    def inputs(self, samples: FloatArray) -> FloatArray:
        """Pairs of frames `[N, 2 B]`."""
        features = self._extract(
            samples, sampling_rate=SAMPLE_RATE, return_attention_mask=True, return_tensors="np"
        )
        # an odd frame at the end was padded to a pair, and is masked for it
        whole = features["attention_mask"][0].astype(bool)
        pairs: FloatArray = features["input_features"][0][whole].astype(np.float32)
        return pairs

    def count(self, n_inputs: int) -> int:
        """One frame a pair."""
        return n_inputs


class LogMel:
    """Input of Whisper: log-mel frames of the recording at its true length, not of 30 s."""

    hop_s = 0.020
    offset_s = 0.0  # the spectrum of mel frame 0 is centred on the first sample
    stride = field = 2  # of mel frames of 10 ms, by the second convolution

    def __init__(
        self, folder: Path, config: Mapping[str, Any], preprocessor: Mapping[str, Any]
    ) -> None:
        kind = transformers.WhisperFeatureExtractor
        self._extract = (
            kind.from_pretrained(folder, local_files_only=True)
            if preprocessor
            else kind(feature_size=config["num_mel_bins"])
        )

    def inputs(self, samples: FloatArray) -> FloatArray:
        """Log-mel frames `[N, B]`."""
        features = self._extract(
            samples,
            sampling_rate=SAMPLE_RATE,
            padding="longest",
            truncation=False,
            return_tensors="np",
        )["input_features"][0]
        return np.ascontiguousarray(features.T, dtype=np.float32)

    def count(self, n_inputs: int) -> int:
        """One frame for two of log-mel."""
        return (n_inputs + 1) // 2
