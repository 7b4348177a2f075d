"""Progress on stderr: a bar where a person watches, a few plain lines where a log is kept."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY = 0.1
"""Share of a stage between two plain lines."""


class ProgressReport:
    """Shows `report(stage, done, total)` calls; used as a context."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}

    def __enter__(self) -> ProgressReport:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report that `done` of `total` steps of a stage are finished."""
        if self._bars is None:
            self._print(stage, done, total)
        elif stage in self._tasks:
            self._bars.update(self._tasks[stage], completed=done, total=total)
        else:
            self._tasks[stage] = self._bars.add_task(stage, completed=done, total=total)

    def _print(self, stage: str, done: int, total: int) -> None:
        share = done / total if total else 1.0
        said = self._said.get(stage)
        if said is None or share - said >= LINE_EVERY or (share >= 1 > said):
            self._said[stage] = share
            steps = f": {done} of {total}" if total > 1 else ""
            print(f"{stage}{steps}", file=sys.stderr, flush=True)
