"""Recordings: one loader for every kind of audio, and the checks that refuse what is no recording.

Every recording becomes mono float32 at 16 kHz. Files are decoded and resampled block by block, so
that memory grows with the length limit and not with what a file claims or unpacks to.
"""

from __future__ import annotations

import io
import math
import os
import re
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nativeear.speech.errors import AudioError, MissingDependencyError
from nativeear.speech.ffmpeg import (
    BLOCK_FRAMES,
    Stream,
    UndecodableError,
    container_of,
    decoded_together,
    open_decoded,
    open_stream,
)

SAMPLE_RATE = 16_000
"""Samples per second of every loaded recording."""

MIN_DURATION_S = 0.1
DEFAULT_LIMIT_S = 600.0

MAX_CHANNELS = 8
MAX_FILE_OBJECT_BYTES = 1 << 29  # 512 MiB: ten minutes of 8-channel 24-bit sound at 32 kHz

SILENCE_PEAK = 1e-3
"""-60 dBFS. Speech that peaks at -50 dBFS passes; dither of 16-bit sound (-90 dBFS) does not."""

MAX_PEAK = 2.0**32
"""Floats up to here may be integers that nobody scaled; beyond, they are no samples."""

FULL_SCALE = 0.975
"""Samples from here up count as clipped: mu-law, the coarsest code, ends at 0.980."""

CLIPPED_WARNING_SHARE = 0.01  # speech normalised to full scale has about 0.001
CLIPPED_REFUSAL_SHARE = 1 / 3  # speech driven 20 dB into clipping has about 0.25

_LIBSNDFILE_CONTAINERS = frozenset(
    {"wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "nistsphere"}
)
_STREAMED_BYTES = 0x7FFF0000  # WAV writers into a pipe put sizes from here up: "unknown"
_RESAVE = "Record it again, or save it again as 16-bit WAV or FLAC."


Ahead = Mapping[Path, Path]
"""Recordings and their decoded sound, while `decoded_ahead` lasts."""

NOTHING_AHEAD: Ahead = MappingProxyType({})


@contextmanager
def decoded_ahead(paths: Iterable[Path]) -> Iterator[Ahead]:
    """Decode by one process what ffmpeg has to decode of several recordings.

    What is no recording, is long, or lies in bad company is left to `Audio.load`, which tells what
    is wrong with it.
    """
    containers = {}
    for path in dict.fromkeys(paths):
        try:
            with _opened(path) as (file, _, _):
                container = container_of(file, path.suffix)
        except AudioError:
            continue
        if container is not None and container not in _LIBSNDFILE_CONTAINERS:
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
        if samples.dtype != np.float32 or samples.ndim != 1 or not samples.flags.c_contiguous:
            raise AudioError(
                "Audio holds contiguous float32 samples of shape [S].",
                cause=f"It was given {samples.dtype} of shape {list(samples.shape)}.",
                fix="Use Audio.from_samples, which converts and checks.",
            )

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
        _check_limit(limit_s)
        with _opened(source) as (file, path, name):
            named = path or Path(str(getattr(source, "name", "")))
            container = container_of(file, named.suffix)
            if container is None:
                raise AudioError(
                    f"{name} is not audio.",
                    cause="Its first bytes belong to no audio format that is known here.",
                    fix="Give a WAV, FLAC, Ogg, Opus, MP3, M4A or .g722 file.",
                )
            promised_s, fault_words, damage = None, "", ""
            if container in _LIBSNDFILE_CONTAINERS:
                try:
                    with _libsndfile(file) as stream:
                        promised_s = stream.promised_s
                        return _finish(stream, name, limit_s)
                except UndecodableError as fault:
                    fault_words = str(fault)
                    damage = fault_words if fault.is_damage else ""
            try:
                with (
                    _on_disk(file, path) as on_disk,
                    open_decoded(ahead[on_disk])
                    if on_disk in ahead
                    else open_stream(on_disk, container, limit_s=limit_s) as stream,
                ):
                    stream.promised_s = promised_s
                    return _finish(stream, name, limit_s, damage)
            except UndecodableError as fault:
                raise AudioError(
                    f"{name} cannot be decoded: the file is damaged, cut off or without sound.",
                    cause="; ".join(filter(None, (fault_words, str(fault)))),
                    fix=_RESAVE,
                ) from None
            except MissingDependencyError as missing:
                if not fault_words:
                    raise
                raise AudioError(
                    f"{name} cannot be decoded without ffmpeg, or is damaged.",
                    cause=fault_words,
                    fix=missing.fix,
                ) from None

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
        _check_limit(limit_s)
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
        stream = Stream(sample_rate, array.shape[1], blocks, len(array) / max(sample_rate, 1))
        return _finish(stream, "The recording", limit_s)


@contextmanager
def _opened(source: Any) -> Iterator[tuple[BinaryIO, Path | None, str]]:
    """Open a source as a seekable file with at least one byte, its path if any, and its name."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        name = path.name or str(path)
        try:
            if path.is_dir():
                raise AudioError(f"{name} is a folder, not a recording.", fix="Name a file in it.")
            if not path.exists():
                raise AudioError(
                    f"{name} does not exist.", cause=f"Looked for {path}.", fix="Check the path."
                )
            if not path.is_file():
                raise AudioError(f"{name} is not a regular file.", fix="Give a file or its bytes.")
            # Opened by descriptor: soundfile guesses from a name, and takes x.raw for headerless.
            file: BinaryIO = os.fdopen(
                os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb"
            )
        except (OSError, ValueError) as fault:
            raise AudioError(f"{name} cannot be opened.", cause=str(fault)) from None
    else:
        path, name = None, "The recording"
        file = io.BytesIO(_read(source))
    with file:
        if not file.read(1):
            raise AudioError(
                f"{name} is empty.",
                cause="It holds 0 bytes.",
                fix="Record it again; a file object has to be at its start (seek(0)).",
            )
        file.seek(0)
        yield file, path, name


def _read(source: Any) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if not hasattr(source, "read"):
        raise AudioError(
            "A recording is given as a path, as bytes or as a binary file object.",
            cause=f"It was given {type(source).__name__}.",
            fix="For arrays, use Audio.from_samples.",
        )
    try:
        data = source.read(MAX_FILE_OBJECT_BYTES + 1)
    except (OSError, ValueError) as fault:
        raise AudioError("The recording cannot be read.", cause=str(fault)) from None
    if not isinstance(data, bytes):
        raise AudioError(
            "The file object gives text instead of bytes.", fix='Open it with open(path, "rb").'
        )
    if len(data) > MAX_FILE_OBJECT_BYTES:
        raise AudioError(
            f"The recording is larger than {MAX_FILE_OBJECT_BYTES >> 20} MiB.",
            fix="Cut it into shorter recordings, or save it as FLAC.",
        )
    return data


@contextmanager
def _on_disk(file: BinaryIO, path: Path | None) -> Iterator[Path]:
    """Give a path for ffmpeg: M4A has its directory at the end, which no pipe can seek to."""
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="nativeear-") as folder:
        copy = Path(folder, "recording")
        file.seek(0)
        copy.write_bytes(file.read())
        yield copy


@contextmanager
def _libsndfile(file: BinaryIO) -> Iterator[Stream]:
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
        promise = re.search(
            r"(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)", sound.extra_info
        )
        if promise and int(promise[2]) > 0 and int(promise[1]) < _STREAMED_BYTES:
            frames = frames * int(promise[1]) // int(promise[2])
        complaint = "its last Ogg page is missing" if _lacks_ogg_end(file) else ""
        yield Stream(
            sound.samplerate, sound.channels, blocks(), frames / sound.samplerate, complaint
        )


def _lacks_ogg_end(file: BinaryIO) -> bool:
    """Tell whether an Ogg file stops before the page that is flagged as its last."""
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


def _finish(stream: Stream, name: str, limit_s: float, damage: str = "") -> Audio:
    """Decode, check, mix down and resample; `damage` is what an earlier decoder gave up over."""
    gathered = Gathering(stream.rate, stream.channels, name, limit_s)
    if stream.promised_s is not None:
        _check_length(stream.promised_s, name, limit_s)
    for block in stream.blocks:
        gathered.add(block)
    stream.complaint = stream.complaint or damage
    is_empty = gathered.duration_s == 0
    complaints = [] if is_empty else list(_completeness(stream, gathered.duration_s, name))
    audio = gathered.whole()
    return replace(audio, warnings=(*complaints, *audio.warnings))


class Gathering:
    """Sound that comes block by block, and the recording that it makes.

    Parameters
    ----------
    rate, channels
        Of what comes.
    name
        What it is called when it is refused.
    limit_s
        Longest recording that is accepted, in seconds.

    Raises
    ------
    AudioError
        If there are too many channels, or the rate is none of speech.
    """

    def __init__(self, rate: int, channels: int, name: str, limit_s: float) -> None:
        import soxr

        if not 1 <= channels <= MAX_CHANNELS:
            raise AudioError(
                f"{name} has {channels} channels; at most {MAX_CHANNELS} are accepted.",
                fix="Keep the channel of the speaker. An array has the shape [samples, channels].",
            )
        if not 4_000 <= rate <= 768_000:
            raise AudioError(
                f"{name} is sampled at {rate} Hz, at which no speech is recorded.",
                fix="Record at 16000 Hz or more.",
            )
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
        """Hear more, `[S, C]`; how many bytes it holds of that.

        Raises
        ------
        AudioError
            If it gets too long, or holds what are no samples.
        """
        self._frames += len(block)
        _check_length(self.duration_s, self._name, self._limit_s)
        level = np.abs(block)
        highest = float(level.max(initial=0))
        if not highest <= MAX_PEAK:  # also true of NaN
            raise AudioError(
                f"{self._name} holds samples that are NaN, infinite or far out of range.",
                cause=f"A sample of {highest:g} was found.",
                fix=_RESAVE,
            )
        self._clipped += int((level >= FULL_SCALE).sum())
        self._peak = max(self._peak, highest)
        return self._keep(self._resampler.resample_chunk(block) if self._resampler else block)

    @property
    def duration_s(self) -> float:
        """Seconds that have come."""
        return self._frames / self._rate

    def since(self, start_s: float) -> Audio:
        """What has come since a moment, at a cost that does not grow with what came before it.

        Raises
        ------
        AudioError
            As for `whole`.
        """
        start = round(start_s * SAMPLE_RATE)
        first = bisect_right(self._starts, start) - 1
        return self._checked(np.concatenate(self._parts[first:])[start - self._starts[first] :])

    def whole(self) -> Audio:
        """The recording; nothing may come after it.

        Raises
        ------
        AudioError
            If it is empty, too short, silent, constant, or clipped to noise.
        """
        if self._resampler:
            self._keep(self._resampler.resample_chunk(self._parts[0], last=True))
        return self._checked(np.concatenate(self._parts))

    def _keep(self, part: NDArray[np.float32]) -> int:
        self._starts.append(self._starts[-1] + len(self._parts[-1]))
        self._parts.append(part)
        return part.nbytes

    def _checked(self, channels: NDArray[np.float32]) -> Audio:
        """Refuse what is no speech, mix down and remove an offset."""
        name, clipped = self._name, self._clipped / max(self._frames * channels.shape[1], 1)
        if len(channels) == 0:
            raise AudioError(f"{name} holds no sound.", cause="It has 0 samples.", fix=_RESAVE)
        if self.duration_s < MIN_DURATION_S:
            raise AudioError(
                f"{name} is {self.duration_s:.3f} s long; at least {MIN_DURATION_S} s are needed.",
                fix="Record the whole utterance.",
            )
        warnings = []
        if self._peak > 2:
            channels /= np.float32(self._peak)
            warnings.append(f"The samples went up to {self._peak:.3g} and were scaled to 1.")
            clipped = 0.0  # beyond full scale there is nothing to clip at
        samples, mixing = _mixed(channels)
        warnings += mixing
        offset = float(samples.mean(dtype=np.float64))
        _check_audible(samples, offset, name)
        if clipped >= CLIPPED_REFUSAL_SHARE:
            raise AudioError(
                f"{name} is clipped to noise.",
                cause=f"{clipped:.0%} of its samples are at full scale.",
                fix="Lower the recording level, or move away from the microphone, and record "
                "again.",
            )
        if clipped >= CLIPPED_WARNING_SHARE:
            warnings.append(f"{clipped:.0%} of the samples are clipped; lower the recording level.")
        if abs(offset) > 0.01:
            samples -= np.float32(offset)
            warnings.append(f"A constant offset of {offset:+.0%} of full scale was removed.")
        if self._rate < SAMPLE_RATE:
            warnings.append(
                f"Sampled at {self._rate} Hz: nothing above {self._rate // 2} Hz can be heard, "
                "so fricatives are judged with less certainty."
            )
        return Audio(np.ascontiguousarray(samples), SAMPLE_RATE, tuple(warnings))


def _check_limit(limit_s: float) -> None:
    if not (math.isfinite(limit_s) and limit_s > 0):
        raise AudioError("The length limit is a positive number of seconds.", cause=f"{limit_s=}")


def _check_length(duration_s: float, name: str, limit_s: float) -> None:
    if duration_s > limit_s:
        raise AudioError(
            f"{name} is longer than the limit of {limit_s:g} s.",
            cause=f"It has at least {duration_s:.1f} s.",
            fix="Cut it into shorter recordings, or set a higher limit.",
        )


def _completeness(stream: Stream, duration_s: float, name: str) -> Iterator[str]:
    """Warn of missing data; refuse where more than half is gone."""
    promised_s = stream.promised_s or 0.0
    # A codec's padding and an estimated MP3 length are off by a few frames.
    if promised_s - duration_s > max(0.1, 0.02 * promised_s):
        missing = f"{duration_s:.2f} s of {promised_s:.2f} s are there"
        if duration_s < promised_s / 2:
            raise AudioError(f"{name} is cut off.", cause=f"Only {missing}.", fix=_RESAVE)
        yield f"The file is cut off: {missing}."
    elif stream.complaint:
        yield f"The file is damaged; what could be decoded was used ({stream.complaint})."


def _mixed(channels: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[str]]:
    """Mix `[S, C]` down to `[S]`, leaving out dead channels and those that would cancel."""
    count = channels.shape[1]
    if count == 1:
        return channels[:, 0], []
    rms = np.array([_rms(channel) for channel in channels.T])
    live = np.flatnonzero(rms >= 0.1 * rms.max())
    mix = channels[:, live].mean(axis=1, dtype=np.float32)
    if _rms(mix) < 0.25 * rms.max():
        loudest = int(rms.argmax())
        return channels[:, loudest].copy(), [
            f"The {count} channels cancel each other out; channel {loudest + 1} alone was taken."
        ]
    left_out = f"; {count - len(live)} of them nearly silent, left out" if len(live) < count else ""
    return mix, [f"{count} channels were mixed down to one{left_out}."]


def _rms(samples: NDArray[np.float32]) -> float:
    return math.sqrt(float(np.square(samples).mean(dtype=np.float64)))


def _check_audible(samples: NDArray[np.float32], offset: float, name: str) -> None:
    """Refuse silence and constants: less than 50 ms swing beyond `SILENCE_PEAK`.

    The swing within 10 ms is blind to an offset, and 50 ms are more than a click has, or than a
    resampler makes of the edges of a constant.
    """
    window = SAMPLE_RATE // 100
    windows = samples[: len(samples) // window * window].reshape(-1, window)
    swing = np.ptp(windows, axis=1) / 2
    if int((swing >= SILENCE_PEAK).sum()) >= 5:
        return
    if abs(offset) >= SILENCE_PEAK:
        raise AudioError(
            f"{name} holds a constant signal, no sound.",
            cause=f"All samples are about {offset:.3f}.",
            fix="Check the microphone and its cable.",
        )
    raise AudioError(
        f"{name} is silent.",
        cause="It hardly ever rises above -60 dBFS.",
        fix="Check that the microphone is on and is the one selected, and record again.",
    )
