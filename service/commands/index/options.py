"""Options that commands on indexes share, and what is made of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.indexer.thinning import Budget

Keep = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Older versions that stay, for `index restore`, now and after later changes; 1 where "
        "nothing was said.",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        metavar="N|SIZE",
        help="Exemplars that may stay (4000), or the size of what is kept of them (20MB); the "
        "rest stands for those that go.",
    ),
]
NewFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder to make; with --name it may be left to NativeEar."),
]
NewName = Annotated[str | None, typer.Option(help="Name of the index; the folder's by default.")]


def new_folder(out: Path | None, name: str | None) -> Path:
    """Where a new index goes by --out and --name."""
    from nativeear.indexes.catalogue import home

    if out is not None:
        return out
    if name is None:
        raise InputError("The index has no place to go.", fix="Give --out DIR, or --name NAME.")
    if Path(name).name != name or name in {"", ".", ".."}:
        raise InputError(
            f"{name!r} cannot be the name of a folder.", fix="Give --out DIR beside this --name."
        )
    return home() / name


def budget_of(written: str | None) -> Budget | None:
    """A number of exemplars, or a size."""
    from nativeear.indexer.thinning import Budget

    if written is None:
        return None
    size = bytes_of(written)
    if size is not None:
        return Budget(size, "bytes")
    if re.fullmatch(r"\d+", written.strip()):
        return Budget(int(written))
    raise InputError(
        f"--budget cannot be {written!r}.",
        fix="Give a number of exemplars, as in 4000, or a size, as in 20MB.",
    )


def bytes_of(written: str) -> int | None:
    """A size such as 20MB in bytes; None if it is no size."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMG]?B)", written.strip())
    if found is None:
        return None
    return int(float(found[1]) * {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}[found[2]])
