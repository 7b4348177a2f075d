"""`nativeear index export` and `import`: an index as files that other programs open, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.options import AsJson, Index
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.indexer.exporting import Form


def export(
    name: Index,
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    to: Annotated[
        str, typer.Option(metavar="parquet|npz|faiss|lance", help="Where the vectors lie.")
    ] = "parquet",
    as_json: AsJson = False,
) -> None:
    """Write vectors, transform, columns and licences of an index for other programs."""
    from nativeear.indexer.exporting import FORMS, export_index
    from nativeear.indexes.catalogue import find_index

    if to not in FORMS:
        raise InputError(f"There is no --to {to}.", fix=f"Write one of {', '.join(FORMS)}.")
    found = export_index(find_index(name), out, cast("Form", to))
    if as_json:
        print_json(found)
    else:
        print(f"{found.exemplars:,} vectors of {found.dim} numbers: {out}")


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `index export` wrote.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name of the index, or a folder.")],
    as_json: AsJson = False,
) -> None:
    """Make an index of an export again; verdicts by it are the same."""
    from nativeear.indexer.exporting import import_index
    from nativeear.indexes.catalogue import home

    target = Path(new).expanduser().absolute() if os.sep in new else home() / new
    manifest = import_index(folder, target)
    if as_json:
        print_json({"path": target, "exemplars": manifest.counts.exemplars})
    else:
        print(f"{target}: {manifest.counts.exemplars:,} exemplars.")
