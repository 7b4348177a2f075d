"""`nativeear web-pack`: an index for web pages, that hear learners without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.options import AsJson, Index

BUDGET = "45MB"


def web_pack(
    name: Index,
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")],
    budget: Annotated[str, typer.Option(metavar="N", help="Most of it, without clips.")] = BUDGET,
    clips: Annotated[
        bool, typer.Option("--clips", help="Copy the natives' recordings, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write what a web page needs to assess by an index: any static host can serve it."""
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.phone_index import PhoneIndex
    from nativeear.service.browser.pack import PACK, write_pack

    allowed_mb = _megabytes(budget)
    manifest = write_pack(PhoneIndex.open(find_index(name)), out, budget_mb=allowed_mb, clips=clips)
    files = manifest["files"]
    if as_json:
        print_json({"path": out, "files": files})
        return
    for part, file in files.items():
        print(f"{file['bytes'] / 1e6:7.2f} MB  {part}", file=sys.stderr)
    total = sum(file["bytes"] for file in files.values())
    print(f"{out / PACK}: {total / 1e6:.1f} MB in {len(files)} files.")


def _megabytes(budget: str) -> float:
    """A size as people write it: `45MB`, `45`."""
    from nativeear.speech.errors import InputError

    try:
        size = float(budget.strip().upper().removesuffix("B").removesuffix("M"))
    except ValueError:
        size = 0.0
    if not 0 < size < float("inf"):
        raise InputError(f"{budget!r} is no size.", fix="Give megabytes, as in 45MB.")
    return size
