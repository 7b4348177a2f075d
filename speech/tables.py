"""The tables under `speech/data` that other rooms read."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

_DATA = Path(__file__).parent / "data"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of one shipped table, in order; not to be changed.

    Parameters
    ----------
    name
        File name under `speech/data`, without `.csv`.
    """
    with (_DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def has_table(name: str) -> bool:
    """Whether `table` has such a table."""
    return (_DATA / f"{name}.csv").exists()
