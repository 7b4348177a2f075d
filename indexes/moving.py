"""An index under another name, a copy of it, or none of it any more."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp

from nativeear.indexes.catalogue import is_shipped
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.locking import writing
from nativeear.indexes.publishing import (
    MANIFEST,
    VERSIONS,
    discard,
    publish,
    refuse_existing,
    staged,
    sync,
    take_over_all,
)
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import hand_over
from nativeear.speech.errors import InputError


def rename(path: Path, new: Path) -> None:
    """Give an index another name, and its versions with it.

    It is made anew under its new name, of the same files: a kill leaves one of them whole, or both.

    Raises
    ------
    NativeEarError
        If it is damaged or ships, or the name is taken.
    """
    path = path.resolve()
    _refuse_shipped(path)
    refuse_existing(new)
    with (
        writing(path, f"nativeear index rename {path.name}"),
        writing(new, f"nativeear index rename {path.name}"),
    ):
        _publish_as(path, new, linked=True)
        hand_over(path, new)
        _remove(path)


def copy(path: Path, new: Path, *, with_versions: bool = False) -> None:
    """Copy an index; its versions stay behind unless they are asked for.

    Raises
    ------
    NativeEarError
        If it is damaged, or the name is taken.
    """
    path = path.resolve()
    refuse_existing(new)
    with (
        writing(path, f"nativeear index copy {path.name}"),
        writing(new, f"nativeear index copy {path.name}"),
    ):
        _publish_as(path, new, linked=False)
        if with_versions and (path / VERSIONS).is_dir():
            shutil.copytree(path / VERSIONS, new / VERSIONS)


def delete(path: Path) -> None:
    """Remove an index with its versions, and whatever unfinished work lies beside it.

    Raises
    ------
    InputError
        If it ships with NativeEar, is no index, or cannot be removed.
    """
    path = path.resolve()
    if not (path / MANIFEST).exists() and not (path / VERSIONS).is_dir():
        raise InputError(f"{path} is not an index.", fix="Name an index.")
    _refuse_shipped(path)
    with writing(path, f"nativeear index delete {path.name}"):
        _remove(path)
        for left in unfinished(path):
            discard(left)


def unfinished(path: Path) -> tuple[Path, ...]:
    """Work folders of a build, an addition or a rebuild that did not come to its end."""
    kinds = ("building", "adding", "rebuilding")
    folders = (path.parent / f".{path.name}.{kind}" for kind in kinds)
    return tuple(folder for folder in folders if folder.is_dir())


def _publish_as(path: Path, new: Path, *, linked: bool) -> None:
    verify(path).raise_if_damaged()
    manifest = read_manifest(path)
    with staged(new) as stage:
        unchanged = {}
        if linked:
            unchanged = take_over_all(path, stage, manifest, without=())
        else:
            for name in manifest.files:
                (stage / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path / name, stage / name)
        publish(stage, new, manifest.model_copy(update={"name": new.name}), unchanged)


def _remove(path: Path) -> None:
    """Out of sight at one instant; a kill leaves what the next writer of this name removes."""
    gone = Path(mkdtemp(prefix=f".{path.name}.", suffix=".gone", dir=path.parent))
    gone.rmdir()
    path.rename(gone)
    sync(path.parent)
    discard(gone)


def _refuse_shipped(path: Path) -> None:
    if is_shipped(path):
        raise InputError(
            f"{path.name} ships with NativeEar and stays as it is.",
            fix="Make a copy of your own with `nativeear index copy`.",
        )
