"""`nativeear index sample`: exemplars to listen to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.options import AsJson, Index


def sample(
    name: Index,
    *,
    phone: Annotated[str, typer.Option(help="The phone, as in TH or θ.")],
    audio: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the recordings.")],
    n: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    alone: Annotated[
        bool, typer.Option("--alone", help="The phone by itself, without 200 ms around it.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Cut exemplars of a phone out of the recordings that an index keeps, to listen to them."""
    from nativeear.indexer.sampling import sample_phone
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.phone_index import PhoneIndex

    found = sample_phone(PhoneIndex.open(find_index(name)), phone, n, audio, seed=seed, alone=alone)
    if as_json:
        print_json(found)
    else:
        print(f"{len(found.files)} of {found.there:,} exemplars of {found.phone}: {audio}")
