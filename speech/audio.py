"""Recordings: one loader for every kind of audio.

Every recording becomes mono float32 at 16 kHz. Files are decoded and resampled block by block, so
that memory grows with the length limit and not with what a file claims or unpacks to.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nativeear.speech.containers import LIBSNDFILE, container_of
from nativeear.speech.errors import AudioError, MissingDependencyError
from nativeear.speech.ffmpeg import decoded_together, open_decoded, open_ffmpeg
from nativeear.speech.sound_checks import (
    RESAVE,
    SAMPLE_RATE,
    check_format,
    check_length,
    check_limit,
    checked_completeness,
    checked_level,
    checked_speech,
)
from nativeear.speech.sound_source import on_disk, opened
from nativeear.speech.sound_stream import (
    BLOCK_FRAMES,
    SoundStream,
    UndecodableError,
    open_libsndfile,
)

__all__ = ["NOTHING_AHEAD", "SAMPLE_RATE", "Ahead", "Audio", "AudioBuffer", "decoded_ahead"]

DEFAULT_LIMIT_S = 600.0

Ahead = Mapping[Path, Path]
"""Recordings and their decoded sound, while `decoded_ahead` lasts."""

NOTHING_AHEAD: Ahead = MappingProxyType({})


@contextmanager
def decoded_ahead(paths: Iterable[Path]) -> Iterator[Ahead]:
    """Decode by one process what ffmpeg has to decode of several recordings.

    What is no recording, is long, or lies beside one that is broken is left to `Audio.load`, which
    tells what is wrong with it.
    """
    containers = {}
    for path in dict.fromkeys(paths):
        try:
            with opened(path) as (file, _, _):
                container = container_of(file, path.suffix)
        except AudioError:
            continue
        if container is not None and container not in LIBSNDFILE:
            containers[path] = container
    with decoded_together(containers) as decoded:
        yield decoded


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording: mono, 16 kHz unless said otherwise.

    Attributes
    ----------
    samples
        float32 `[S]`, C-contiguous, about -1 to 1.
    sample_rate
        Samples per second.
    warnings
        What a person should know about how the samples came about, in plain sentences.
    """

    samples: NDArray[np.float32]
    sample_rate: int = SAMPLE_RATE
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        samples = self.samples
        array = np.asarray(samples)
        if (
            array is not samples
            or array.dtype != np.float32
            or array.ndim != 1
            or not array.flags.c_contiguous
        ):
            raise AudioError(
                "Audio holds contiguous float32 samples of shape [S].",
                cause=f"It was given {type(samples).__name__}, {array.dtype} of {array.shape}.",
                fix="Use Audio.from_samples, which converts and checks.",
            )
        if not np.isfinite(samples).all():
            raise AudioError("Audio holds no samples that are NaN or infinite.")
        if not self.sample_rate > 0:
            raise AudioError("A sample rate is above 0.", cause=f"It is {self.sample_rate}.")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def slice(self, start_s: float, end_s: float) -> Audio:
        """Cut out `[start_s, end_s)`, clamped to the recording, as a view of the same samples.

        Raises
        ------
        AudioError
            Nothing of the recording lies between the two times.
        """
        start = max(0, round(start_s * self.sample_rate))
        end = min(len(self.samples), round(end_s * self.sample_rate))
        if start >= end:
            raise AudioError(
                f"There is no sound between {start_s:.3f} s and {end_s:.3f} s.",
                cause=f"The recording is {self.duration_s:.3f} s long.",
            )
        return Audio(self.samples[start:end], self.sample_rate, self.warnings)

    @classmethod
    def load(
        cls,
        source: str | os.PathLike[str] | bytes | BinaryIO,
        *,
        limit_s: float = DEFAULT_LIMIT_S,
        ahead: Ahead = NOTHING_AHEAD,
    ) -> Audio:
        """Load a recording: WAV of every subtype, FLAC, Ogg, Opus, MP3, M4A, G.722 and more.

        libsndfile decodes what it can, ffmpeg the rest. A constant offset above 1 % of full scale
        is removed with a warning; otherwise samples keep their level.

        Parameters
        ----------
        source
            A path, the bytes of a file, or a binary file object, read from where it stands.
            Headerless G.722 is known by the suffix `.g722` of the path or of the object's `name`.
        limit_s
            Longest recording that is accepted, in seconds.
        ahead
            What `decoded_ahead` has decoded already; nothing else comes of it.

        Raises
        ------
        AudioError
            The recording is missing, not audio, damaged, empty, shorter than 0.1 s, longer than
            `limit_s`, silent, constant, clipped to noise, or holds NaN or infinite samples.
        MissingDependencyError
            The format needs ffmpeg, and ffmpeg is not installed.
        """
        check_limit(limit_s)
        with opened(source) as (file, path, name):
            named = path or Path(str(getattr(source, "name", "")))
            container = container_of(file, named.suffix)
            if container is None:
                raise AudioError(
                    f"{name} is not audio.",
                    cause="Its first bytes belong to no audio format that is known here.",
                    fix="Give a WAV, FLAC, Ogg, Opus, MP3, M4A or .g722 file.",
                )
            return _decoded_file(file, path, container, name, limit_s=limit_s, ahead=ahead)

    @classmethod
    def from_samples(
        cls, samples: ArrayLike, sample_rate: int, *, limit_s: float = DEFAULT_LIMIT_S
    ) -> Audio:
        """Make a recording from an array, with the same checks as `load`.

        Parameters
        ----------
        samples
            `[S]` or `[S, C]`: floats of about -1 to 1, int16 or int32 over their full range, or
            uint8 around 128.
        sample_rate
            Samples per second.
        limit_s
            Longest recording that is accepted, in seconds.

        Raises
        ------
        AudioError
            As for `load`.
        """
        check_limit(limit_s)
        array = np.asarray(samples)
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2:
            raise AudioError(
                "Samples have the shape [samples] or [samples, channels].",
                cause=f"The array has the shape {list(array.shape)}.",
            )
        if array.dtype == np.uint8:
            scale, zero = 128, 128
        elif array.dtype in (np.int16, np.int32):
            scale, zero = int(np.iinfo(array.dtype).max) + 1, 0
        elif np.issubdtype(array.dtype, np.floating):
            scale, zero = 1, 0
        else:
            raise AudioError(
                "Samples are floating point, int16, int32 or uint8.",
                cause=f"The array holds {array.dtype}.",
            )
        blocks = (
            ((array[at : at + BLOCK_FRAMES].astype(np.float64) - zero) / scale).astype(np.float32)
            for at in range(0, len(array), BLOCK_FRAMES)
        )
        length_s = len(array) / max(sample_rate, 1)
        stream = SoundStream(sample_rate, array.shape[1], blocks, length_s)
        return _decoded(stream, "The recording", limit_s)


class AudioBuffer:
    """Sound that comes block by block, and the recording that it makes.

    It is called by its name when it is refused, for one of the reasons of `Audio.load`.
    """

    def __init__(self, rate: int, channels: int, name: str, limit_s: float) -> None:
        import soxr

        check_format(rate, channels, name)
        self._rate = rate
        self._name = name
        self._limit_s = limit_s
        self._frames = self._clipped = 0
        self._peak = 0.0
        self._parts = [np.zeros((0, channels), np.float32)]
        self._starts = [0]  # of each part, in samples at 16 kHz
        self._resampler = None
        if rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(
                rate, SAMPLE_RATE, channels, dtype="float32", quality="VHQ"
            )

    def add(self, block: NDArray[np.float32]) -> int:
        """Hear more, `[S, C]`; how many bytes it holds of that."""
        self._frames += len(block)
        check_length(self.duration_s, self._name, self._limit_s)
        highest, clipped = checked_level(block, self._name)
        self._clipped += clipped
        self._peak = max(self._peak, highest)
        return self._keep(self._resampler.resample_chunk(block) if self._resampler else block)

    @property
    def duration_s(self) -> float:
        """Seconds that have come."""
        return self._frames / self._rate

    def since(self, start_s: float) -> Audio:
        """What has come since a moment, at a cost that does not grow with what came before it."""
        start = round(start_s * SAMPLE_RATE)
        first = bisect_right(self._starts, start) - 1
        return self._checked(np.concatenate(self._parts[first:])[start - self._starts[first] :])

    def whole(self) -> Audio:
        """The recording; nothing may come after it."""
        if self._resampler:
            self._keep(self._resampler.resample_chunk(self._parts[0], last=True))
        return self._checked(np.concatenate(self._parts))

    def _keep(self, part: NDArray[np.float32]) -> int:
        self._starts.append(self._starts[-1] + len(self._parts[-1]))
        self._parts.append(part)
        return part.nbytes

    def _checked(self, channels: NDArray[np.float32]) -> Audio:
        clipped = self._clipped / max(self._frames * channels.shape[1], 1)
        samples, warnings = checked_speech(
            channels, self._peak, clipped, self.duration_s, self._name
        )
        if self._rate < SAMPLE_RATE:
            warnings.append(
                f"Sampled at {self._rate} Hz: nothing above {self._rate // 2} Hz can be heard, "
                "so fricatives are judged with less certainty."
            )
        return Audio(np.ascontiguousarray(samples), SAMPLE_RATE, tuple(warnings))


def _decoded(stream: SoundStream, name: str, limit_s: float, damage: str = "") -> Audio:
    """Decode, check, mix down and resample; `damage` is what an earlier decoder gave up over."""
    buffer = AudioBuffer(stream.rate, stream.channels, name, limit_s)
    promised_s = stream.promised_s or 0.0
    check_length(promised_s, name, limit_s)
    for block in stream.blocks:
        buffer.add(block)
    complaints: tuple[str, ...] = ()
    if buffer.duration_s:
        complaint = stream.complaint or damage
        complaints = checked_completeness(buffer.duration_s, promised_s, complaint, name)
    audio = buffer.whole()
    return replace(audio, warnings=(*complaints, *audio.warnings))


def _decoded_file(
    file: BinaryIO, path: Path | None, container: str, name: str, *, limit_s: float, ahead: Ahead
) -> Audio:
    """Decode by libsndfile where it can, else by ffmpeg."""
    promised_s, fault_words, damage = None, "", ""
    if container in LIBSNDFILE:
        try:
            with open_libsndfile(file) as stream:
                promised_s = stream.promised_s
                return _decoded(stream, name, limit_s)
        except UndecodableError as fault:
            fault_words = str(fault)
            damage = fault_words if fault.is_damage else ""
    try:
        with (
            on_disk(file, path) as disk_path,
            open_decoded(ahead[disk_path])
            if disk_path in ahead
            else open_ffmpeg(disk_path, container, limit_s=limit_s) as stream,
        ):
            stream.promised_s = promised_s
            return _decoded(stream, name, limit_s, damage)
    except UndecodableError as fault:
        raise AudioError(
            f"{name} cannot be decoded: the file is damaged, cut off or without sound.",
            cause="; ".join(filter(None, (fault_words, str(fault)))),
            fix=RESAVE,
        ) from None
    except MissingDependencyError as missing:
        if not fault_words:
            raise
        raise AudioError(
            f"{name} cannot be decoded without ffmpeg, or is damaged.",
            cause=fault_words,
            fix=missing.fix,
        ) from None
