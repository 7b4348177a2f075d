"""Uploaded corpora, unpacked where nothing can get out and nothing can fill the disk."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nativeear.speech.errors import CorpusError

MAX_FILES = 200_000
_BLOCK = 1 << 20


def unpack(
    file: BinaryIO, into: Path, *, max_bytes: int, take: Callable[[int], None] = lambda _: None
) -> None:
    """Unpack a zip archive of plain files.

    Parameters
    ----------
    file
        The archive.
    into
        An empty folder.
    max_bytes
        What may come out of it altogether, whatever its directory says.
    take
        Is told of every so many bytes before they are written, and may refuse them.

    Raises
    ------
    CorpusError
        If it is no zip archive, damaged, encrypted, too large, or a name in it is absolute, leads
        out of the folder, or belongs to a link or a device.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES:
                raise CorpusError(f"The archive holds more than {MAX_FILES:,} files.")
            left = max_bytes
            for member in members:
                target = into.joinpath(*parts_of(member))
                if member.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _write(archive, member, target, left, max_bytes, take=take)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,  # a compression that Python does not know
        RuntimeError,  # encrypted
        OSError,
        ValueError,
        EOFError,
    ) as error:
        raise CorpusError(
            "The archive cannot be unpacked.",
            cause=str(error),
            fix="Send a zip archive of the corpus folder, without a password.",
        ) from error


def parts_of(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """Steps of the path of a plain file or folder in an archive, or `CorpusError`."""
    path = PurePosixPath(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    odd = kind not in {0, stat.S_IFREG, stat.S_IFDIR}
    bad = any(part in {"", ".", ".."} or set(part) & set("\\:\0") for part in path.parts)
    if odd or bad or path.is_absolute() or not path.parts:
        raise CorpusError(
            f"The archive holds {member.filename!r}, which is no plain file.",
            fix="Pack files and folders only, with names relative to their folder.",
        )
    return path.parts


def _write(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    target: Path,
    left: int,
    max_bytes: int,
    *,
    take: Callable[[int], None],
) -> int:
    written = 0
    with archive.open(member) as packed, target.open("xb") as out:
        while block := packed.read(_BLOCK):
            written += len(block)
            if written > left:
                raise CorpusError(
                    f"The archive unpacks to more than {max_bytes:,} bytes.",
                    fix="Mount the corpus instead, and start the service with --corpora DIR.",
                )
            take(len(block))
            out.write(block)
    return written


def discard(folder: Path) -> None:
    """Remove what was unpacked."""
    shutil.rmtree(folder, ignore_errors=True)
