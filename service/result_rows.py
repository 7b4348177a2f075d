"""Results that grow line by line in a file, and are found there again after an interruption."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nativeear.indexes.locking import held
from nativeear.speech.errors import InputError


@dataclass(frozen=True)
class _Place:
    """Where a row lies in the file, in bytes."""

    at: int
    size: int


class ResultRows:
    """One JSON object per line; used as a context.

    Rows grow in `OUT.partial` and become `out` when the context ends without an error: those that
    were written or taken over, in that order. After an interruption the partial file stays, and
    `resume` goes on with it.

    Parameters
    ----------
    out
        File to write; replaced if it is there.
    doing
        The command that writes, for those who come meanwhile.
    resume
        Know the rows that an earlier run has left in `OUT.partial`, or else in `out`.

    Raises
    ------
    InputError
        If `out` cannot be written, or another command is writing it.
    """

    def __init__(self, out: Path, doing: str, *, resume: bool = False) -> None:
        self._out = out
        self._partial = out.with_name(out.name + ".partial")
        problem = "It is a folder." if out.is_dir() else ""
        if not out.parent.is_dir():
            problem = f"There is no folder {out.parent}."
        elif not os.access(out.parent, os.W_OK):
            problem = f"The folder {out.parent} cannot be written to."
        if problem:
            raise InputError(
                f"The results cannot be written to {out}.", cause=problem, fix="Give another --out."
            )
        self._used: list[_Place] = []
        with ExitStack() as stack:
            stack.enter_context(held(out, doing))
            if resume and not self._partial.exists() and out.exists():
                shutil.copyfile(out, self._partial)
            kept = resume and self._partial.exists()
            self._file: BinaryIO = self._partial.open("r+b" if kept else "w+b")
            self._found = self._scan()
            self._held = stack.pop_all()

    def _scan(self) -> dict[str, _Place]:
        """Rows of an earlier run by their keys; a line that was not finished is cut off."""
        found: dict[str, _Place] = {}
        at = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            try:
                key = json.loads(line).get("key")
            except (ValueError, AttributeError):
                key = None
            if isinstance(key, str):
                found[key] = _Place(at, len(line))
            at += len(line)
        self._file.truncate(at)
        return found

    def __contains__(self, key: str) -> bool:
        """Whether an earlier run has left a row with that `key`."""
        return key in self._found

    def take(self, key: str) -> str:
        """The row with that `key` from an earlier run, which is kept as if it were written now."""
        place = self._found[key]
        self._used.append(place)
        return self._read(place).decode()

    def write(self, row: str) -> None:
        """Add a row: one JSON object without a line end."""
        data = row.encode() + b"\n"
        at = self._file.seek(0, os.SEEK_END)
        self._file.write(data)
        self._file.flush()
        self._used.append(_Place(at, len(data)))

    def _read(self, place: _Place) -> bytes:
        self._file.seek(place.at)
        return self._file.read(place.size)

    def __enter__(self) -> ResultRows:
        return self

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        with self._held:
            self._end(keep=error is None)

    def _end(self, *, keep: bool) -> None:
        if not keep:
            self._file.close()
            if not self._partial.stat().st_size:
                self._partial.unlink()
            return
        ordered = self._out.with_name(self._out.name + ".ordered")
        with ordered.open("wb") as file:
            for place in self._used:
                file.write(self._read(place))
            file.flush()
            os.fsync(file.fileno())
        self._file.close()
        ordered.replace(self._out)
        self._partial.unlink()
