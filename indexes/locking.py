"""One writer at a time: a lock beside an index, which the kernel releases even at a kill."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from threadpoolctl import threadpool_limits

from nativeear.indexes.versions import clear_leftovers
from nativeear.speech.errors import InputError


@contextmanager
def writing(out: Path, doing: str) -> Iterator[None]:
    """Be the only writer of the index at `out`, its work folders and its kept versions.

    What writers left behind that were killed is put in order first. Readers need no lock: what is
    published never changes. Its bytes are the same on any number of cores.

    Parameters
    ----------
    doing
        The command that writes, for those who come meanwhile.

    Raises
    ------
    InputError
        If another writer is at work, nothing can be written there, or no longer.
    """
    with held(out, doing):
        try:
            clear_leftovers(out)
            # OpenBLAS cuts a product among its threads, and where it is cut moves the last bits
            with threadpool_limits(1, user_api="blas"):
                yield
        except BrokenPipeError:
            raise  # nobody reads what is printed any more
        except OSError as error:
            raise InputError(
                f"The index could not be written to {out}.",
                cause=str(error),
                fix="Free some space or choose another place; what was there is as it was.",
            ) from error


@contextmanager
def held(out: Path, doing: str) -> Iterator[None]:
    """Be the only one of those who hold `out`, a file or a folder.

    Raises
    ------
    InputError
        If another holds it, or nothing can be written beside it.
    """
    path = _lock_file(out)
    stream = _acquire(path, out)
    try:
        with suppress(OSError):  # a full disk: who comes meanwhile is told less
            _sign(stream, doing)
        yield
    finally:
        # Unlinked while it is held; whoever waits for this file finds that its name is gone and
        # tries again. Windows refuses to unlink an open file: there it stays, empty of meaning.
        with suppress(OSError):
            path.unlink()
        with suppress(OSError):  # on a full disk what could not be written is tried again
            stream.close()


def is_being_written(out: Path) -> bool:
    """Whether a writer is at work on the index at `out`."""
    try:
        with _lock_file(out).open("r+", encoding="utf-8") as stream:
            return not _lock(stream)
    except OSError:
        return False


def _lock_file(out: Path) -> Path:
    return out.parent / f".{out.name}.lock"


def _acquire(path: Path, out: Path) -> IO[str]:
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"Nothing can be written beside {out}.",
                cause=str(error),
                fix="Choose a folder that you may write to.",
            ) from error
        if not _lock(stream):
            holder = _holder(stream)
            stream.close()
            raise InputError(
                f"Another command is writing {out}.",
                cause=holder,
                fix="Wait until it is done, or end it first.",
            )
        if _still_named(stream, path):
            return stream
        stream.close()


def _sign(stream: IO[str], doing: str) -> None:
    stream.truncate(0)
    stream.write(json.dumps({"command": doing, "process": os.getpid()}))
    stream.flush()


def _holder(stream: IO[str]) -> str:
    try:
        stream.seek(0)
        holder = json.loads(stream.read())
        return f"`{holder['command']}` runs as process {holder['process']}."
    except (OSError, ValueError, KeyError, TypeError):
        return "It has only just started."


def _still_named(stream: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    _BYTE = 1 << 30
    """Far behind what is written, which others have to be able to read."""

    def _lock(stream: IO[str]) -> bool:
        stream.seek(_BYTE)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        stream.seek(0)
        return True

else:
    import fcntl

    def _lock(stream: IO[str]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
