"""Tables in a terminal: what names a row is always there, however narrow the window."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 160
"""Characters of a line where no terminal tells how many it has."""

LEAST_TEXT = 16
"""Characters that a column of text keeps before others are left out for it."""

_GAP = 2  # what Rich puts beside a column without a frame


@dataclass(frozen=True)
class Column:
    """A column of a `Listing`.

    Attributes
    ----------
    title
        Its head; may be empty.
    kind
        `name` is what tells the rows apart: it is never left out, and folded only where it alone
        is wider than the window. `number` is never folded, `text` is.
    style
        Of its cells.
    """

    title: str
    kind: Literal["name", "number", "text"] = "text"
    style: str = ""


@dataclass
class Listing:
    """Rows under columns, for any width: what is narrow enough is shown, and the rest is named.

    Columns of text are folded first, down to `LEAST_TEXT`; then the last columns are left out, and
    a line below says which.

    Attributes
    ----------
    columns
        One or more of them names the rows.
    title, caption
        Lines above and below.
    head
        Whether the titles of the columns are shown.
    """

    columns: tuple[Column, ...]
    title: str = ""
    caption: str = ""
    head: bool = True
    rows: list[tuple[Text, ...]] = field(default_factory=list)

    def add(self, *cells: str | Text) -> None:
        """Add a row, a cell for every column; marks such as `[b]` in it are text like any other."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(tuple(Text(c) if isinstance(c, str) else c for c in cells))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._shown(options.max_width)
        widths = self._widths(shown, options.max_width)
        table = Table(
            title=self.title or None,
            caption=self.caption or None,
            title_justify="left",
            caption_justify="left",
            show_header=self.head,
            box=None,
            header_style="dim",
        )
        for place in shown:
            column = self.columns[place]
            table.add_column(
                Text(column.title),
                justify="right" if column.kind == "number" else "left",
                style=column.style,
                width=widths[place],
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*(row[place] for place in shown))
        yield table
        missing = [c.title for place, c in enumerate(self.columns) if place not in shown]
        if missing:
            note = f"No room for: {', '.join(filter(None, missing))}. --json has all."
            yield Text(note, style="dim")

    def _shown(self, width: int) -> list[int]:
        """Places of the columns for which there is room, from the first on."""
        shown = list(range(len(self.columns)))
        for place in reversed(range(len(self.columns))):
            if sum(self._least(p) + _GAP for p in shown) <= width:
                break
            if self.columns[place].kind != "name":
                shown.remove(place)
        return shown

    def _widths(self, shown: Iterable[int], width: int) -> dict[int, int]:
        """Characters of every column; what room is left goes to those that would be folded."""
        widths = {place: self._least(place) for place in shown}
        left = max(0, width - sum(widths.values()) - _GAP * len(widths))
        wanting = sorted(widths, key=lambda place: self._whole(place) - widths[place])
        for number, place in enumerate(wanting):
            more = min(self._whole(place) - widths[place], left // (len(wanting) - number))
            widths[place] += more
            left -= more
        return widths

    def _whole(self, place: int) -> int:
        """Characters without any folding."""
        cells = (row[place].plain for row in self.rows)
        lines = (line for cell in cells for line in cell.splitlines())
        head = cell_len(self.columns[place].title) if self.head else 0
        return max([1, head, *map(cell_len, lines)])

    def _least(self, place: int) -> int:
        """Characters that the column has to have."""
        whole = self._whole(place)
        kind = self.columns[place].kind
        if kind == "text":
            return min(whole, LEAST_TEXT)
        return min(whole, 2 * LEAST_TEXT) if kind == "name" else whole


def console() -> Console:
    """Where a command prints: as wide as the terminal; `PIPE_WIDTH` in a pipe and in a file.

    `COLUMNS` goes before both.
    """
    found = Console()
    knows_width = found.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    return found if knows_width else Console(width=PIPE_WIDTH)
