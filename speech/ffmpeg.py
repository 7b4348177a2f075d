"""ffmpeg as the decoder for what libsndfile cannot read, with one demuxer and no network."""

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
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.errors import MissingDependencyError
from nativeear.speech.sound_stream import BLOCK_FRAMES, SoundStream, UndecodableError

TOGETHER_BYTES = 1 << 23
"""Sound that a file may hold to be decoded together with others, in bytes of float32: two minutes
at 16 kHz. What is longer is worth a process of its own."""

_TIMEOUT_S = 30.0  # and 10 ms for each second of sound; ffmpeg takes about 2
_FIX = (
    "Install ffmpeg (Debian and Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg; "
    "Windows: winget install ffmpeg), or save the recording as 16-bit WAV or FLAC."
)
_AU_HEADER_BYTES = 24
_MAX_ALLOC = 1 << 28  # bytes at a time, against absurd sizes in headers
_OPTIONS = ("-nostdin", "-hide_banner", "-loglevel", "error", "-max_alloc", str(_MAX_ALLOC))


@contextmanager
def open_ffmpeg(path: Path, container: str, *, limit_s: float) -> Iterator[SoundStream]:
    """Decode the first audio stream of a file.

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
            fix=_FIX,
        )
    command = [executable, *_OPTIONS, *_input(path, container), *_output(0)]
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
        `TOGETHER_BYTES`. `open_ffmpeg` then tells of each what there is to tell.
    """
    executable = shutil.which("ffmpeg")
    with tempfile.TemporaryDirectory(prefix="nativeear-") as folder:
        if executable is None or len(containers) < 2:
            yield {}
            return
        command = [executable, *_OPTIONS]
        for path, container in containers.items():
            command += _input(path, container)
        decoded = {path: Path(folder, f"{number}.au") for number, path in enumerate(containers)}
        for number, target in enumerate(decoded.values()):
            command += [*_output(number), "-fs", str(TOGETHER_BYTES), f"file:{target}"]
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
def open_decoded(decoded: Path) -> Iterator[SoundStream]:
    """Read what `decoded_together` made, as `open_ffmpeg` would have decoded it."""
    with decoded.open("rb") as file:
        yield _stream_of(file, str)


def _input(path: Path, container: str) -> tuple[str, ...]:
    return "-protocol_whitelist", "file", "-f", container, "-i", f"file:{path.absolute()}"


def _output(number: int) -> tuple[str, ...]:
    """The first audio stream of an input, written as AU.

    AU's 24-byte header gives rate and channels, and its length may stay unknown in a pipe.
    """
    return "-map", f"{number}:a:0", "-vn", "-sn", "-dn", "-c:a", "pcm_f32be", "-f", "au"


def _stream_of(file: IO[bytes], finish: Callable[[], str]) -> SoundStream:
    """A stream of AU; `finish` tells what ffmpeg complained of, once all is read."""
    header = file.read(_AU_HEADER_BYTES)
    if len(header) < _AU_HEADER_BYTES:
        raise UndecodableError(finish() or "ffmpeg found no sound.")
    _, offset, _, _, rate, channels = struct.unpack(">4s5I", header)
    file.read(offset - _AU_HEADER_BYTES)
    stream = SoundStream(rate, channels, iter(()))

    def blocks() -> Iterator[NDArray[np.float32]]:
        width = 4 * channels
        while data := file.read(BLOCK_FRAMES * width):
            whole = len(data) // width * width
            yield np.frombuffer(data[:whole], ">f4").astype("=f4").reshape(-1, channels)
        stream.complaint = finish()

    stream.blocks = blocks()
    return stream


def _plain(log: bytes, path: Path) -> str:
    """The first line of ffmpeg's log without its addresses in memory and the folder."""
    lines = log.decode("utf-8", "replace").replace(f"file:{path.absolute()}", path.name)
    first = next((line for line in lines.splitlines() if line.strip()), "")
    return re.sub(r"^\[(\S+) @ 0x[0-9a-f]+\]", r"\1:", first).strip()
