"""Where the files of a corpus lie: on this machine, or at an address that fsspec opens."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from nativeear.speech.errors import CorpusError, MissingDependencyError
from nativeear.speech.extras import needing


def corpus_path(written: str, beside: Path | None = None) -> Path:
    """What a person or a table means: a path, or an address such as `s3://bucket/corpus.csv`.

    Parameters
    ----------
    beside
        Folder that a relative path starts from.

    Returns
    -------
    Path
        Of an address a `upath.UPath`, which has a `Path`'s face; its bytes come by `local_copy`.

    Raises
    ------
    MissingDependencyError
        If an address needs a package that is not installed.
    """
    if "://" not in written:
        return Path(written) if beside is None else beside / written
    protocol = written.partition("://")[0]
    with needing("ray", f"{protocol}://"):
        from upath import UPath
    try:
        found = UPath(written)
        _ = found.fs  # what speaks the protocol is imported only now
    except (ImportError, ValueError) as error:
        raise MissingDependencyError(
            f"{protocol}:// needs what fsspec opens it with, such as s3fs, gcsfs or adlfs.",
            cause=str(error),
            fix="pip install 'nativeear[ray]', and that package.",
        ) from error
    return cast("Path", found)


def is_local(file: Path) -> bool:
    """Whether a file lies on this machine's disks."""
    return isinstance(file, Path)


def is_inside(file: Path, folder: Path) -> bool:
    """Whether a file lies in a folder of this machine, wherever links in its path may lead."""
    return is_local(file) and file.resolve().is_relative_to(folder.resolve())


@contextmanager
def local_copy(file: Path) -> Iterator[Path]:
    """The file itself where it is here, else a copy of it for as long as it is needed.

    Raises
    ------
    CorpusError
        If there is no such file. Other failures of a distant place are raised as they are: an
        outage is no reason to set an utterance aside.
    """
    if is_local(file):
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        try:
            with file.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
        except FileNotFoundError:
            raise CorpusError(f"There is no file {file}.", fix="Check the address.") from None
        yield copy
