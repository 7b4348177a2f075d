"""What a recording is loaded from: a path, bytes, or a file object, made seekable."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from nativeear.speech.errors import AudioError

MAX_FILE_OBJECT_BYTES = 1 << 29  # 512 MiB: ten minutes of 8-channel 24-bit sound at 32 kHz


@contextmanager
def opened(source: Any) -> Iterator[tuple[BinaryIO, Path | None, str]]:
    """Open a source as a seekable file with at least one byte, its path if any, and its name."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        name = path.name or str(path)
        file = _open(path, name)
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


def _open(path: Path, name: str) -> BinaryIO:
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
        return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb")
    except (OSError, ValueError) as fault:
        raise AudioError(f"{name} cannot be opened.", cause=str(fault)) from None


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
def on_disk(file: BinaryIO, path: Path | None) -> Iterator[Path]:
    """Give a path for ffmpeg: M4A has its directory at the end, which no pipe can seek to."""
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="nativeear-") as folder:
        copy = Path(folder, "recording")
        file.seek(0)
        copy.write_bytes(file.read())
        yield copy
