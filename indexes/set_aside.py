"""`set-aside.csv`: the utterances of its corpora that an index could not use, and why."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from nativeear.indexes.index_files import damaged
from nativeear.indexes.manifest import Manifest

SET_ASIDE = "set-aside.csv"

# A path that begins at the root of a disk, up to the last folder of it.
_ROOTED = re.compile(r"(?<![\w/.:])(?:/|[A-Za-z]:[\\/])(?:[^\s/\\]+[\\/])+")


@dataclass(frozen=True, order=True)
class SetAsideUtterance:
    """An utterance that could not be used."""

    # Its name.
    corpus: str
    utterance: str
    speaker: str  # who says it; empty where the corpus could not be read so far
    reason: str  # why, in plain sentences

    def without_folders(self, folders: Collection[str]) -> SetAsideUtterance:
        """The same without the folders of the machine that it was found on.

        Parameters
        ----------
        folders
            Those of the corpus; whatever else begins at the root of a disk loses its folders, too.
        """
        reason = self.reason
        for folder in sorted(folders, key=len, reverse=True):
            reason = reason.replace(folder.rstrip("/\\") + "/", "")
        return replace(self, reason=_ROOTED.sub("", reason))


def set_aside_of(path: Path, manifest: Manifest) -> tuple[SetAsideUtterance, ...]:
    """What was set aside when the index in a folder was built and added to, by name.

    Raises
    ------
    IndexFormatError
        If the table is damaged.
    """
    if SET_ASIDE not in manifest.files:
        return ()
    try:
        with (path / SET_ASIDE).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream, strict=True))
        if not rows or rows[0] != _HEADER:
            raise ValueError("it has other columns")
        return tuple(SetAsideUtterance(*row) for row in rows[1:])
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise damaged(path, f"{SET_ASIDE}: {error}") from error


def write_set_aside(folder: Path, rows: Iterable[SetAsideUtterance]) -> None:
    """Write the table into a folder, each row once, by name; no file where there is none."""
    ordered = sorted(set(rows))
    if not ordered:
        return
    with (folder / SET_ASIDE).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(_HEADER)
        table.writerows(astuple(row) for row in ordered)


_HEADER = [field.name for field in fields(SetAsideUtterance)]
