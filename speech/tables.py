"""The tables under `speech/data`: what is known about languages. None of it is to be changed."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"

Row = dict[str, str]


@cache
def table(name: str) -> tuple[Row, ...]:
    """Rows of one table, in order, by its file name without `.csv`."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def has_table(name: str) -> bool:
    """Whether `table` has such a table."""
    return (DATA / f"{name}.csv").exists()


@cache
def rows_of(name: str, primary: str) -> tuple[Row, ...]:
    """The rows of a table whose column `language` is a primary subtag."""
    return tuple(row for row in table(name) if row["language"] == primary)


@cache
def rows_by(name: str, primary: str, key: str) -> dict[str, tuple[Row, ...]]:
    """The rows of a language in a table by what they have in a column."""
    found: dict[str, tuple[Row, ...]] = {}
    for row in rows_of(name, primary):
        found[row[key]] = (*found.get(row[key], ()), row)
    return found


@cache
def row_by(name: str, primary: str, key: str) -> dict[str, Row]:
    """The one row of a language that has each value of a column."""
    return {row[key]: row for row in rows_of(name, primary)}


@cache
def column(name: str, primary: str, key: str, value: str) -> dict[str, str]:
    """One column of the rows of a language by another."""
    return {each: row[value] for each, row in row_by(name, primary, key).items()}


@cache
def word_set(name: str, primary: str) -> frozenset[str]:
    """The words of one set of `word_sets.csv` in a language; empty where it has none."""
    rows = rows_by("word_sets", primary, "set").get(name, ())
    return frozenset(word for row in rows for word in row["words"].split())
