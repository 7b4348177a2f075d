"""`nativeear index add`, `remove`, `thin`, `optimize`, `merge`, `restore`: a new version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.index.options import (
    BudgetOption,
    Keep,
    NewFolder,
    NewName,
    budget_of,
    bytes_of,
    new_folder,
)
from nativeear.service.commands.index.printing import print_change, print_dropped, print_thinning
from nativeear.service.commands.index.show import folder_of
from nativeear.service.commands.options import AsJson, Corpora, Index, Licence, Reader, Workers
from nativeear.speech.errors import InputError


def add(
    name: Index,
    *,
    corpus: Corpora,
    reader: Reader = "auto",
    licence: Licence = None,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="NAME|PATH", help="Where the index's encoder lies, if not known."),
    ] = None,
    workers: Workers = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted addition.")
    ] = False,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Add native speech to an index, with the settings that it was built with."""
    from nativeear.indexer.adding import AddRequest
    from nativeear.indexer.adding import add as add_to
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    request = AddRequest(
        index=find_index(name),
        corpora=tuple(corpus),
        reader=reader,
        licence=licence,
        workers=workers,
        resume=resume,
        encoder=encoder,
        keep=keep,
    )
    with ProgressReport() as progress:
        report = add_to(request, progress)
    if as_json:
        print_json(report)
    else:
        print_change(report)


def remove(
    name: Index,
    *,
    speaker: Annotated[
        list[str] | None, typer.Option(help="Remove all that this speaker said; repeatable.")
    ] = None,
    utterance: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Remove this utterance; repeatable.")
    ] = None,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Remove speakers or utterances from an index; older versions still hold them."""
    from nativeear.indexer.removing import remove as remove_from
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    with ProgressReport() as progress:
        report = remove_from(
            find_index(name),
            speakers=tuple(speaker or ()),
            utterances=tuple(utterance or ()),
            keep=keep,
            progress=progress,
        )
    if as_json:
        print_json(report)
    else:
        print_change(report)


def thin(
    name: Index,
    *,
    budget: BudgetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Leave the index as it is, and make the thin one here."),
    ] = None,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Drop exemplars that seem mislabelled, and near-duplicates down to a budget."""
    from nativeear.indexer.thinning import thin as thin_index
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    size = budget_of(budget)
    with ProgressReport() as progress:
        report = thin_index(find_index(name), size, out=out, keep=keep, progress=progress)
    if as_json:
        print_json(report)
    else:
        print_thinning(report)


def optimize(
    name: Index,
    *,
    recall: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of the nearest exemplars that has to be found."),
    ] = 0.99,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="What a search may hold in memory, as in 20MB.")
    ] = "2GB",
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Measure ways to search an index, and have it searched by the fastest that will do."""
    from nativeear.indexer.optimising import optimise
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    size = bytes_of(memory)
    if size is None:
        raise InputError(f"--memory cannot be {memory!r}.", fix="Give a size, as in 20MB.")
    with ProgressReport() as progress:
        report = optimise(
            find_index(name), recall=recall, memory_bytes=size, keep=keep, progress=progress
        )
    if as_json:
        print_json(report)
        return
    from nativeear.service.search_summary import print_search
    from nativeear.service.tables import console

    print_search(report.search, console())
    print(f"{report.path} is now version {report.revision}, in {report.seconds:.0f} s.")
    print_dropped(report.dropped)


def merge(
    names: Annotated[list[str], typer.Argument(metavar="NAME|DIR...", help="Two or more.")],
    *,
    out: NewFolder = None,
    name: NewName = None,
    as_json: AsJson = False,
) -> None:
    """Make one index of several, which stay as they are."""
    from nativeear.indexer.merging import merge as merge_all
    from nativeear.indexes.catalogue import find_index
    from nativeear.service.commands.progress import ProgressReport

    folder = new_folder(out, name)
    with ProgressReport() as progress:
        report = merge_all(
            [find_index(part) for part in names], folder, name=name, progress=progress
        )
    if as_json:
        print_json(report)
    else:
        print_change(report, parts=len(names))


def restore(
    name: Index,
    *,
    version: Annotated[
        int | None, typer.Option(help="Which one; the newest that is kept by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring an older version of an index back; the current one is kept in its place."""
    from nativeear.indexes.locking import writing
    from nativeear.indexes.versions import restore as restore_version

    path = folder_of(name)
    with writing(path, f"nativeear index restore {path.name}"):
        restored = restore_version(path, version)
    if as_json:
        print_json(restored)
    else:
        print(f"{restored.path} is version {restored.revision} again: {restored.command}")
