"""What is said of how an index is searched."""

from __future__ import annotations

from rich.console import Console

from nativeear.indexes.manifest import SearchChoice, SearchTrial
from nativeear.service.tables import Column, Listing


def search_in_words(search: SearchChoice | None) -> str:
    """One line for `nativeear index show`."""
    if search is None or search.chosen.codes is None:
        return "exact"
    chosen = search.chosen
    return (
        f"{chosen.cells:,} cells of {chosen.codes} in {chosen.bytes / 1e6:,.1f} MB, "
        f"{chosen.nearest} of them at a time and {chosen.each} of every phone: finds "
        f"{chosen.recall:.1%} of the {search.k} nearest"
    )


def print_search(search: SearchChoice, console: Console) -> None:
    """Print what was tried, and what was taken."""
    figures = ("recall", "of phones", "margin", "ms", "MB")
    table = Listing(
        (
            Column("search", "name"),
            Column("cells asked", "name"),
            *(Column(figure, "number") for figure in figures),
            Column("", "name"),
        )
    )
    for trial in search.tried:
        table.add(*_figures(trial), "taken" if trial == search.chosen else "")
    console.print(table)
    console.print(
        f"{search.queries} natives, each left out, {search.batch} at a time. recall: found of the "
        f"{search.k} nearest; of phones: of those that speak for the own phone and the best "
        f"competitor; margin: how far off. Asked for: {search.least_recall:.1%} in "
        f"{search.most_bytes / 1e6:,.1f} MB.",
        style="dim",
    )


def _figures(trial: SearchTrial) -> tuple[str, ...]:
    exact = trial.codes is None
    return (
        trial.codes or "exact",
        "" if exact else f"{trial.nearest} + {trial.each} a phone",
        f"{trial.recall:.3f}",
        f"{trial.phone_recall:.3f}",
        f"{trial.margin_error:.4f}",
        f"{trial.milliseconds:.1f}",
        f"{trial.bytes / 1e6:,.1f}",
    )
