"""Rows of a file of vectors, read where they are wanted instead of being mapped.

A row that is touched in a mapped file brings its 64 kB of neighbours into the process: after some
hundred questions a large file is there as a whole. Read rows leave nothing behind but what the
system keeps of files anyway, and gives to others when they need it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import weakref
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from nativeear.indexes.similarity import FloatArray, IntArray
from nativeear.speech.errors import IndexFormatError

ONLY_CACHED = 8
"""`RWF_NOWAIT` of Linux: read what is in memory, and do not wait for a disk."""


class RowsOfFile:
    """Float32 vectors of a file, taken by their rows. Safe to share between threads.

    What is in the system's memory is read at once; the rest is asked for together, so that a disk
    has many reads to do at a time, and then waited for.

    Parameters
    ----------
    file
        Holds n · d floats, one row after the other. What is open stays, whatever takes its name.
    """

    def __init__(self, file: Path, offset: int, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._file = file
        self._offset = offset
        self._descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self._descriptor)
        self._library = _library()

    @staticmethod
    def possible() -> bool:
        """Whether this system reads at a place of a file without seeking."""
        return hasattr(os, "pread") and sys.maxsize > 1 << 32

    def __getitem__(self, rows: IntArray) -> FloatArray:
        """Rows `[R]`, in their order: float32 `[R, d]`.

        Raises
        ------
        IndexFormatError
            If the file has become shorter, or its disk fails.
        """
        found = np.empty((len(rows), self.shape[1]), dtype=np.float32)
        size = found.itemsize * self.shape[1]
        places = (self._offset + size * np.asarray(rows, dtype=np.int64)).tolist()
        missing = self._read_cached(found, places, size)
        for i in missing if hasattr(os, "posix_fadvise") else ():
            os.posix_fadvise(self._descriptor, places[i], size, os.POSIX_FADV_WILLNEED)
        for i in missing:
            try:
                read = os.pread(self._descriptor, size, places[i])
            except OSError as error:
                raise self._unreadable(str(error)) from error
            if len(read) != size:
                raise self._unreadable("It is shorter than it was.")
            found[i] = np.frombuffer(read, dtype=np.float32)
        return found

    def _read_cached(self, found: FloatArray, places: list[int], size: int) -> list[int]:
        """Read what lies in memory; the places in the list of what does not.

        Through a library whose calls keep Python's lock: `os.preadv` gives it away, and a thread
        that computes keeps it for milliseconds, every time.
        """
        if self._library is None:
            return list(range(len(places)))
        vectors = np.empty((len(places), 2), dtype=np.uintp)  # `struct iovec`: address and length
        vectors[:, 0] = found.ctypes.data + size * np.arange(len(places))
        vectors[:, 1] = size
        calls = range(vectors.ctypes.data, vectors.ctypes.data + vectors.nbytes, 16)
        once, how = repeat(1), repeat(ONLY_CACHED)
        read = map(self._library.preadv2, repeat(self._descriptor), calls, once, places, how)
        return [i for i, count in enumerate(read) if count != size]

    def _unreadable(self, cause: str) -> IndexFormatError:
        return IndexFormatError(
            f"The vectors of {self._file.parent} cannot be read.",
            cause=cause,
            fix=f"Run `nativeear index verify {self._file.parent}`.",
        )


def _library() -> Any:
    """The C library, where it can read without waiting; else None."""
    if sys.platform != "linux":
        return None
    library = ctypes.PyDLL(None)
    if not hasattr(library, "preadv2"):
        return None
    library.preadv2.argtypes = (
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int64,
        ctypes.c_int,
    )
    library.preadv2.restype = ctypes.c_ssize_t
    return library
