"""`nativeear index rebuild`: an index built again from what it recorded."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.options import AsJson, EncoderOfIndex, Index, Workers
from nativeear.service.counts import counted
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.indexer.rebuilding import RebuildReport


def rebuild(
    name: Index,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Leave the index as it is, and build the other one here."),
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="Where one of its corpora lies by now; repeatable."),
    ] = None,
    encoder: EncoderOfIndex = None,
    workers: Workers = 1,
    keep: Annotated[
        int | None, typer.Option(min=0, help="Older versions that stay, as for `index add`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build an index again as it was recorded, in one build from all that it holds."""
    from nativeear.indexer.rebuilding import RebuildRequest
    from nativeear.indexer.rebuilding import rebuild as rebuild_index
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    places = {}
    for given in corpus or ():
        named, _, place = given.partition("=")
        if not place:
            raise InputError(f"--corpus cannot be {given!r} here.", fix="Give --corpus NAME=PATH.")
        places[named] = place
    request = RebuildRequest(
        find_index(name), out=out, places=places, encoder=encoder, workers=workers, keep=keep
    )
    with ProgressReport() as progress:
        report = rebuild_index(request, progress)
    if as_json:
        print_json({**asdict(report), "path": str(report.path)})
    else:
        _print(report)


def _print(report: RebuildReport) -> None:
    print(
        f"{report.path} is version {report.revision}: "
        f"{counted(report.exemplars, report.silences)} from {report.utterances:,} utterances "
        f"(before: {counted(report.exemplars_before, report.silences_before)} from "
        f"{report.utterances_before:,}), in {report.seconds:.0f} s."
    )
    if not report.different:
        print("It has the same bytes as before.")
    else:
        print(f"Other bytes than before: {', '.join(report.different)}.")
    for library, (before, now) in report.libraries.items():
        print(f"{library}: {before or 'not recorded'} before, {now or 'not here'} now")
    if report.set_aside:
        print(f"Set aside: {len(report.set_aside)}, see `nativeear index show --set-aside`")
    if report.dropped:
        print(f"No longer kept, see --keep: version {', '.join(map(str, report.dropped))}.")
