"""What lies beside indexes and belongs to none: work that was killed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nativeear.indexes.locking import is_being_written

Kind = Literal["unfinished", "killed"]

_NAMED: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"\.(.+)\.(?:building|adding|rebuilding)"), "unfinished"),
    (re.compile(r"\.(.+)\.[a-z0-9_]{8}\.(?:stage|back|gone)"), "killed"),
)


@dataclass(frozen=True)
class Leftover:
    """A folder beside an index."""

    path: Path  # the folder
    index: Path  # the index whose name it carries, there or not
    # `unfinished` utterances of a build or an addition, for `--resume`, or of a rebuild, which goes
    # on by itself; or what a `killed` writer left, which the next one puts in order.
    kind: Kind


def leftovers(folder: Path) -> tuple[Leftover, ...]:
    """Everything of the kind in a folder of indexes, but for what is being written now."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        for pattern, kind in _NAMED:
            named = pattern.fullmatch(path.name)
            if named and path.is_dir() and not is_being_written(folder / named[1]):
                found.append(Leftover(path, folder / named[1], kind))
    return tuple(found)
