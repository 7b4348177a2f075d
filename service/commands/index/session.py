"""`nativeear index record-script`: what a native should read for what an index lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.options import AsJson, Index

if TYPE_CHECKING:
    from nativeear.indexer.audit.session import Session


def record_script(
    name: Index,
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the session should be.")] = 10.0,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="TEXT",
            help="Sentences to choose from, one on each line; those that ship for practice by "
            "default.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a native should read next, the most useful lines first."""
    from nativeear.indexer.audit.session import session
    from nativeear.indexer.audit.vocabulary import read_lines
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.phone_index import PhoneIndex
    from nativeear.service.practice import practice

    index = PhoneIndex.open(find_index(name))
    if from_ is None:
        sets = practice(index.language).sets
        sentences = list(dict.fromkeys(text for each in sets for text in each.sentences))
    else:
        sentences = read_lines(from_)
    found = session(index, sentences, minutes)
    if as_json:
        print_json(found.model_dump_json(indent=2))
    else:
        _print_session(found)


def _print_session(found: Session) -> None:
    for line in found.lines:
        print(line.text)
    typer.echo(
        f"{len(found.lines)} lines, {found.seconds / 60:.1f} minutes. Of {found.gaps:,} exemplars "
        f"that {found.index} lacks, they bring {found.gaps - found.left:,}.",
        err=True,
    )
