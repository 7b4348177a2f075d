"""`nativeear index list`, `show`, `verify`, `diff`, `versions`: what indexes hold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import SOME_FAILED, print_json
from nativeear.service.commands.options import AsJson, Index
from nativeear.service.index_size import size_in_words
from nativeear.speech.errors import IndexFormatError, InputError

if TYPE_CHECKING:
    from nativeear.indexes.difference import IndexDifference
    from nativeear.indexes.verification import VerifyReport

MAX_NAMES = 8


def list_(as_json: AsJson = False) -> None:
    """List the indexes that can be named."""
    from nativeear.indexes.catalogue import home, list_indexes

    summaries = list_indexes()
    if as_json:
        print_json(summaries)
        return
    if not summaries:
        print(f"There is no index in {home()}. Build one with `nativeear index build`.")
        return
    from nativeear.service.tables import Column, Listing, console

    figures = (Column(each, "number") for each in ("phones", "silences", "speakers", "minutes"))
    table = Listing(
        (Column("name", "name"), Column("state"), Column("language"), *figures, Column("encoder"))
    )
    for summary in summaries:
        sizes = (
            f"{summary.exemplars - summary.silences:,}",
            f"{summary.silences:,}",
            f"{summary.speakers:,}",
            f"{summary.minutes:.1f}",
        )
        table.add(
            summary.name,
            f"damaged: {summary.problem}" if summary.problem else "shipped" * summary.shipped,
            summary.language,
            *(("",) * len(sizes) if summary.problem else sizes),
            summary.encoder,
        )
    console().print(table)


def show(
    name: Index,
    *,
    set_aside: Annotated[
        bool,
        typer.Option("--set-aside", help="Which utterances could not be used, and why."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an index holds and how it was made."""
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.index_files import read_manifest

    path = find_index(name)
    manifest = read_manifest(path)
    if set_aside:
        from nativeear.indexes.set_aside import set_aside_of

        rows = set_aside_of(path, manifest)
        if as_json:
            print_json({"path": path, "set_aside": rows})
            return
        for row in rows:
            print(f"{row.corpus}/{row.utterance}: {row.reason}")
        print(f"Set aside: {len(rows)}", file=sys.stderr)
        return
    if as_json:
        print_json({"path": path, **manifest.model_dump(mode="json")})
        return
    from nativeear.service.index_summary import print_manifest
    from nativeear.service.tables import console

    print_manifest(path, manifest, console())


def verify(name: Index, as_json: AsJson = False) -> None:
    """Check every byte of an index; exit 1 if it is damaged."""
    from nativeear.indexes.catalogue import find_index

    report = _verified(find_index(name))
    if as_json:
        files = [
            {"name": check.name, "ok": check.ok, "problem": check.problem} for check in report.files
        ]
        print_json({"path": report.path, "ok": report.ok, "files": files})
    else:
        for check in report.files:
            print(f"{'whole  ' if check.ok else 'DAMAGED'}  {check.name}  {check.problem}".rstrip())
        if not report.ok:
            print(f"{report.path} is damaged: build it again.", file=sys.stderr)
    if not report.ok:
        raise typer.Exit(SOME_FAILED)


def diff(first: Index, second: Index, as_json: AsJson = False) -> None:
    """Show what one index has that another lacks."""
    from dataclasses import asdict

    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.difference import difference

    found = difference(find_index(first), find_index(second))
    if as_json:
        print_json({**asdict(found), "same": found.same})
    else:
        _print_difference(found)


def versions(name: Index, as_json: AsJson = False) -> None:
    """List the versions of an index that are kept."""
    from nativeear.indexes.versions import versions as versions_of

    found = versions_of(folder_of(name))
    if as_json:
        print_json(found)
        return
    for version in found:
        mark = "*" if version.current else " "
        print(
            f"{mark} {version.revision:>3}  {size_in_words(version.exemplars, version.silences)}  "
            f"{version.utterances:,} utterances  {version.command}"
        )


def folder_of(name: str) -> Path:
    """Folder of an index, or the place where it lies if only kept versions are whole."""
    from nativeear.indexes.catalogue import find_index, home
    from nativeear.indexes.versions import versions as versions_of

    try:
        return find_index(name).resolve()
    except InputError:
        for place in (home() / name, Path(name).expanduser()):
            if name and versions_of(place):
                return place
        raise


def _verified(path: Path) -> VerifyReport:
    """Verify; a manifest that is there and cannot be read is damage like any other."""
    from nativeear.indexes.publishing import MANIFEST
    from nativeear.indexes.verification import FileCheck, VerifyReport, verify

    try:
        return verify(path)
    except IndexFormatError as error:
        if not (path / MANIFEST).exists():
            raise
        problem = f"{error.message} {error.cause}".strip()
        return VerifyReport(path, (FileCheck(MANIFEST, problem),))


def _print_difference(found: IndexDifference) -> None:
    if found.same:
        print("They hold the same speech, with the same settings.")
    for setting, pair in found.settings.items():
        print(f"{setting}: {pair.first} | {pair.second}")
    for kind in ("corpora", "speakers", "utterances"):
        only = getattr(found, kind)
        for path, names in ((found.first, only.first), (found.second, only.second)):
            if names:
                more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
                print(f"{len(names)} {kind} only in {path}: {', '.join(names[:MAX_NAMES])}{more}")
    for phone, (first, second) in found.phones.items():
        print(f"{phone:>4}  {first:>7,} | {second:>7,}  {second - first:+,}")
    if found.decisions:
        first_accuracy, second_accuracy = (d.native_accuracy for d in found.decisions)
        print(
            f"left-out natives nearest to their own: {first_accuracy:.1%} | {second_accuracy:.1%}"
        )
