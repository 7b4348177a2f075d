"""Which container a recording is in, and ffmpeg as the decoder for what libsndfile cannot read.

ffmpeg opens whatever a file tells it to open: a playlist, a concat script or an SVG can name other
files and addresses. So the container is told from the first bytes, ffmpeg is given that one demuxer
and no protocol but `file`, and everything else is not audio.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.errors import MissingDependencyError

BLOCK_FRAMES = 1 << 16
"""Frames per decoded block: 1.4 s at 48 kHz."""

TOGETHER_BYTES = 1 << 23
"""Sound that a file may hold to be decoded together with others, in bytes of float32: two minutes
at 16 kHz. What is longer is worth a process of its own."""

_HEAD_BYTES = 64
_TIMEOUT_S = 30.0  # and 10 ms for each second of sound; ffmpeg takes about 2
_FFMPEG_FIX = (
    "Install ffmpeg (Debian and Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg; "
    "Windows: winget install ffmpeg), or save the recording as 16-bit WAV or FLAC."
)

# As coded in a frame's header: MPEG 2.5 layer III, MPEG 2 and MPEG 1 layers III and II.
_MPEG_VERSIONS_AND_LAYERS = {(0, 1), (2, 1), (2, 2), (3, 1), (3, 2)}

# (offset, bytes, ffmpeg's name of the demuxer)
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
    (0, b"wvpk", "wv"),
    (0, b"NIST_1A", "nistsphere"),
    (0, b"#!AMR", "amr"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (4, b"wide", "mov"),
)


class UndecodableError(Exception):
    """A decoder gave up; the text holds the library's own words.

    `is_damage` says that the data is at fault, rather than a codec that the decoder lacks.
    """

    def __init__(self, words: str, is_damage: bool = False) -> None:
        super().__init__(words)
        self.is_damage = is_damage


@dataclass
class Stream:
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


def container_of(file: BinaryIO, suffix: str = "") -> str | None:
    """Tell the container from the first bytes, in ffmpeg's name of its demuxer.

    Parameters
    ----------
    file
        A seekable binary file; it is left at its start.
    suffix
        The file's suffix. Only headerless `.g722` needs it.

    Returns
    -------
    str or None
        None where the bytes are of no audio container that is let through.
    """
    head = _head_at(file, 0)
    if head[:3] == b"ID3" and len(head) >= 10:
        tag_bytes = sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
        )
        inner = _head_at(file, 10 + tag_bytes)
        return _by_magic(inner) or _by_mpeg_sync(inner) or "mp3"
    if container := _by_magic(head):
        return container
    if suffix.lower() == ".g722" and not re.fullmatch(rb"[\t\r\n -~]+", head):
        return "g722"
    return _by_mpeg_sync(head)


@contextmanager
def open_stream(path: Path, container: str, *, limit_s: float) -> Iterator[Stream]:
    """Decode the first audio stream of a file with ffmpeg.

    Parameters
    ----------
    path
        The file; never read as an option or an address, whatever its name.
    container
        The demuxer, from `container_of`.
    limit_s
        ffmpeg stops a second after this many seconds of sound.

    Raises
    ------
    UndecodableError
        ffmpeg finds no sound in the file, or takes far too long over it.
    MissingDependencyError
        ffmpeg is not installed.
    """
    executable = shutil.which("ffmpeg")
    if executable is None:
        raise MissingDependencyError(
            f"ffmpeg is needed to decode {container} audio and is not installed.",
            cause="There is no ffmpeg on the PATH.",
            fix=_FFMPEG_FIX,
        )
    command = [executable, *_OPTIONS, *_from(path, container), *_sound(0)]
    command += ["-t", f"{limit_s + 1:.3f}", "pipe:1"]
    timeout_s = _TIMEOUT_S + limit_s / 100
    deadline = time.monotonic() + timeout_s
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
        timer = threading.Timer(timeout_s, process.kill)
        timer.daemon = True
        timer.start()

        def finish() -> str:
            process.wait()
            if process.returncode and time.monotonic() >= deadline:
                raise UndecodableError(f"ffmpeg took longer than {timeout_s:.0f} s.")
            log.seek(0)
            return _plain(log.read(4096), path)

        try:
            yield _stream_of(cast(IO[bytes], process.stdout), finish)
        finally:
            timer.cancel()
            process.kill()
            if process.stdout is not None:
                process.stdout.close()
            process.wait()


@contextmanager
def decoded_together(containers: Mapping[Path, str]) -> Iterator[dict[Path, Path]]:
    """Decode several files by one ffmpeg, which takes ten times as long to start as for one.

    Parameters
    ----------
    containers
        The demuxer of each file, from `container_of`.

    Yields
    ------
    dict
        For each file what `open_decoded` reads, until the context ends. None at all where ffmpeg is
        missing, or finds anything wrong with any of them; and none for files with more sound than
        `TOGETHER_BYTES`. `open_stream` then tells of each what there is to tell.
    """
    executable = shutil.which("ffmpeg")
    with tempfile.TemporaryDirectory(prefix="nativeear-") as folder:
        if executable is None or len(containers) < 2:
            yield {}
            return
        command = [executable, *_OPTIONS]
        for path, container in containers.items():
            command += _from(path, container)
        decoded = {path: Path(folder, f"{number}.au") for number, path in enumerate(containers)}
        for number, target in enumerate(decoded.values()):
            command += [*_sound(number), "-fs", str(TOGETHER_BYTES), f"file:{target}"]
        with Path(folder, "log").open("wb") as log:
            try:
                subprocess.run(
                    command,
                    check=True,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=_TIMEOUT_S,
                )
                fine = log.tell() == 0
            except (OSError, subprocess.SubprocessError):
                fine = False
        yield {path: target for path, target in decoded.items() if fine and _is_whole(target)}


def _is_whole(decoded: Path) -> bool:
    """Whether a file holds sound, and ffmpeg did not stop at its limit."""
    return decoded.is_file() and _AU_HEADER_BYTES < decoded.stat().st_size < TOGETHER_BYTES


@contextmanager
def open_decoded(decoded: Path) -> Iterator[Stream]:
    """Read what `decoded_together` made, as `open_stream` would have decoded it."""
    with decoded.open("rb") as file:
        yield _stream_of(file, str)


_AU_HEADER_BYTES = 24
_MAX_ALLOC = 1 << 28  # bytes at a time, against absurd sizes in headers
_OPTIONS = ("-nostdin", "-hide_banner", "-loglevel", "error", "-max_alloc", str(_MAX_ALLOC))


def _from(path: Path, container: str) -> tuple[str, ...]:
    return "-protocol_whitelist", "file", "-f", container, "-i", f"file:{path.absolute()}"


def _sound(number: int) -> tuple[str, ...]:
    """The first audio stream of an input, written as AU.

    AU's 24-byte header gives rate and channels, and its length may stay unknown in a pipe.
    """
    return "-map", f"{number}:a:0", "-vn", "-sn", "-dn", "-c:a", "pcm_f32be", "-f", "au"


def _stream_of(file: IO[bytes], finish: Callable[[], str]) -> Stream:
    """A stream of AU; `finish` tells what ffmpeg complained of, once all is read."""
    header = file.read(_AU_HEADER_BYTES)
    if len(header) < _AU_HEADER_BYTES:
        raise UndecodableError(finish() or "ffmpeg found no sound.")
    _, offset, _, _, rate, channels = struct.unpack(">4s5I", header)
    file.read(offset - _AU_HEADER_BYTES)
    stream = Stream(rate, channels, iter(()))

    def blocks() -> Iterator[NDArray[np.float32]]:
        width = 4 * channels
        while data := file.read(BLOCK_FRAMES * width):
            whole = len(data) // width * width
            yield np.frombuffer(data[:whole], ">f4").astype("=f4").reshape(-1, channels)
        stream.complaint = finish()

    stream.blocks = blocks()
    return stream


def _head_at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    return head


def _by_magic(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    return next((name for at, magic, name in _MAGIC if head[at:].startswith(magic)), None)


def _by_mpeg_sync(head: bytes) -> str | None:
    """Tell bare ADTS AAC and MPEG layer II and III by the header of the first frame."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    # Layer I is left out: nobody records in it, and UTF-16 text begins with the same FF FE.
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    valid = head[1] & 0xE0 == 0xE0 and (version, layer) in _MPEG_VERSIONS_AND_LAYERS
    return "mp3" if valid and 0 < head[2] >> 4 < 15 and head[2] >> 2 & 3 != 3 else None


def _plain(log: bytes, path: Path) -> str:
    """Return the first line of ffmpeg's log without its addresses in memory and the folder."""
    lines = log.decode("utf-8", "replace").replace(f"file:{path.absolute()}", path.name)
    first = next((line for line in lines.splitlines() if line.strip()), "")
    return re.sub(r"^\[(\S+) @ 0x[0-9a-f]+\]", r"\1:", first).strip()
