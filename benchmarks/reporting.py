"""How benchmarks take options, count seconds and bytes, and print tables."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import perf_counter, process_time

from rich.console import Console
from rich.table import Table

WIDTH = 120


def options_of(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the module's docstring as it stands."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def show(title: str, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table."""
    table = Table(*header, title=title or None, title_justify="left")
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=WIDTH).print(table, markup=False)


def show_aims(rows: Iterable[tuple[str, str, str, bool]]) -> None:
    """Print what was wanted and found, and whether that is enough."""
    told = ((aim, wanted, found, "yes" if met else "no") for aim, wanted, found, met in rows)
    show("", ("aim", "wanted", "found", "met"), told)


def median_seconds(
    work: Callable[[], object], repeats: int, *, warm: bool = True
) -> tuple[float, float]:
    """Median seconds of some work by the clock and of the processor, done once before."""
    if warm:
        work()
    spent = []
    for _ in range(repeats):
        wall, cpu = perf_counter(), process_time()
        work()
        spent.append((perf_counter() - wall, process_time() - cpu))
    walls, cpus = zip(*spent, strict=True)
    return statistics.median(walls), statistics.median(cpus)


def memory(process: int | str = "self") -> dict[str, float]:
    """MB of a process by the names of `/proc/PID/status`; zeros for one that has ended.

    `VmRSS` is all that is resident, `RssAnon` what no file stands behind, `RssFile` mapped files,
    which the system takes back when it needs them.
    """
    found = dict.fromkeys(("VmRSS", "RssAnon", "RssFile"), 0.0)
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return found
    fields = (line.partition(":") for line in status.splitlines() if line.endswith("kB"))
    return found | {name: int(size.split()[0]) * 1.024e-3 for name, _, size in fields}
