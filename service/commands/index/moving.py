"""`nativeear index rename`, `copy`, `delete`: whole indexes, with their versions or without."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.guard import print_json
from nativeear.service.commands.options import AsJson, Index
from nativeear.speech.errors import InputError

New = Annotated[str, typer.Argument(metavar="NEW", help="Its new name, or a folder.")]


def rename(name: Index, new: New, as_json: AsJson = False) -> None:
    """Give an index another name; its older versions go with it."""
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.moving import rename as rename_index

    path = find_index(name).resolve()
    target = _target(new, path.parent)
    rename_index(path, target)
    _tell(target, f"{path} is now {target}.", as_json)


def copy(
    name: Index,
    new: New,
    *,
    versions: Annotated[
        bool, typer.Option("--versions", help="Copy its older versions, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy an index; its older versions stay behind unless --versions is given."""
    from nativeear.indexes.catalogue import find_index, home
    from nativeear.indexes.moving import copy as copy_index

    path = find_index(name).resolve()
    target = _target(new, home())
    copy_index(path, target, with_versions=versions)
    _tell(target, f"{target} is a copy of {path}.", as_json)


def delete(
    name: Index,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove an index, all its older versions, and unfinished work beside it."""
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.moving import delete as delete_index
    from nativeear.indexes.versions import versions as versions_of

    path = find_index(name).resolve()
    older = sum(not version.current for version in versions_of(path))
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise InputError(
                f"{path} would be removed for good.",
                cause=f"So would {older} older versions of it." if older else "",
                fix="Give --yes if that is what you want.",
            )
        typer.confirm(f"Remove {path} and {older} older versions for good?", abort=True, err=True)
    delete_index(path)
    _tell(path, f"{path} is gone, and {older} older versions with it.", as_json)


def _target(new: str, folder: Path) -> Path:
    """A place by its path, or by a name in a folder of indexes."""
    if os.sep in new or new in {"", ".", ".."}:
        path = Path(new).expanduser().absolute()
        if not path.name:
            raise InputError(f"{new!r} is no place for an index.", fix="Give a name or a folder.")
        return path
    return folder / new


def _tell(path: Path, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json({"path": path})
    else:
        print(sentence)
