"""`nativeear inventory`: the sounds of learners' first languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.guard import GuardedCommand, command_group, print_json
from nativeear.service.commands.options import AsJson

app = command_group("inventory", "Import the sounds of first languages, for --l1.")


@app.command(name="import", cls=GuardedCommand)
def import_(
    source: Annotated[
        Path, typer.Argument(metavar="PHOIBLE.csv", help="PHOIBLE's table, or one of its shape.")
    ],
    out: Annotated[Path, typer.Option(metavar="F.csv", help="The table to write.")],
    as_json: AsJson = False,
) -> None:
    """Make a table of first languages; `assess --l1 F.csv:mlt` then knows Maltese."""
    from nativeear.speech.first_languages import convert_phoible

    languages = convert_phoible(source, out)
    if as_json:
        print_json({"out": out, "languages": languages})
    else:
        print(f"{languages} languages: {out}")
