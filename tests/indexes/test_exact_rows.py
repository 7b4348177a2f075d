"""Rows that are read from a file are those of the file, cached or not."""

import os
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexes.exact_rows import RowsOfFile
from nativeear.speech.errors import IndexFormatError

OFFSET = 45
"""An odd one, as of FAISS's files."""

pytestmark = pytest.mark.skipif(not RowsOfFile.possible(), reason="the system has no pread")


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(500, 37)).astype(np.float32)


@pytest.fixture
def file(vectors: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "vectors"
    path.write_bytes(bytes(OFFSET) + vectors.tobytes())
    return path


@pytest.mark.parametrize("rows", [[], [0], [499, 0, 7, 7, 250]])
def test_they_are_those_of_the_file(vectors: np.ndarray, file: Path, rows: list[int]) -> None:
    asked = np.array(rows, dtype=np.int64)
    found = RowsOfFile(file, OFFSET, vectors.shape)[asked]
    assert (found.dtype, found.shape) == (np.float32, (len(rows), 37))
    np.testing.assert_array_equal(found, vectors[asked])


@pytest.mark.parametrize("every", [1, 3])
def test_what_is_not_cached_is_waited_for(vectors: np.ndarray, file: Path, every: int) -> None:
    class Library:
        """Stands for a system whose memory holds some of the file, or nothing."""

        def __init__(self, library: object) -> None:
            self.library, self.calls = library, 0

        def preadv2(self, *given: int) -> int:
            self.calls += 1
            return -1 if self.calls % every == 0 else self.library.preadv2(*given)

    rows = RowsOfFile(file, OFFSET, vectors.shape)
    if rows._library is None:
        pytest.skip("this system always waits")
    rows._library = Library(rows._library)
    asked = np.arange(0, 500, 3)
    np.testing.assert_array_equal(rows[asked], vectors[asked])
    assert rows._library.calls == len(asked)


def test_a_system_that_cannot_but_wait(vectors: np.ndarray, file: Path) -> None:
    rows = RowsOfFile(file, OFFSET, vectors.shape)
    rows._library = None
    np.testing.assert_array_equal(rows[np.array([3, 1])], vectors[[3, 1]])


def test_what_is_open_stays(vectors: np.ndarray, file: Path) -> None:
    rows = RowsOfFile(file, OFFSET, vectors.shape)
    file.unlink()
    np.testing.assert_array_equal(rows[np.array([8])], vectors[[8]])
    descriptor = rows._descriptor
    del rows
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)


def test_a_file_that_became_shorter_is_damaged(vectors: np.ndarray, file: Path) -> None:
    rows = RowsOfFile(file, OFFSET, vectors.shape)
    with file.open("r+b") as stream:
        stream.truncate(OFFSET + 4 * 37 * 100 + 8)
    np.testing.assert_array_equal(rows[np.array([99])], vectors[[99]])
    with pytest.raises(IndexFormatError, match="cannot be read"):
        rows[np.array([100])]
