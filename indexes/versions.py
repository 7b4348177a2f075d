"""Versions of a published index: the current one is exchanged whole, older ones are kept inside.

An index `NAME` keeps the versions that were replaced in its own folder, `NAME/versions/N`: whoever
moves, copies or removes it does so with them, and no other index ever finds them. Beside them,
`keep` tells how many stay where it was said. Beside the index there may lie
`.NAME.########.stage` (a version in the making), `.NAME.########.back` (one on its way back) and
`.NAME.########.gone` (one that is being removed). All of this is for one writer at a time: see
`indexes.locking.writing`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.publishing import VERSIONS, discard, sync
from nativeear.indexes.verification import verify
from nativeear.speech.errors import IndexFormatError, InputError

KEEP = 1
"""Older versions that a change leaves where nothing else was ever said."""

_KEEP = "keep"
_NOT_SUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV}


@dataclass(frozen=True)
class Version:
    """One version of an index."""

    revision: int  # its number
    path: Path  # where it lies
    current: bool  # whether it is the one that is published
    # Its size; the silences are among the exemplars.
    exemplars: int
    silences: int
    utterances: int
    command: str  # what made it


def versions(out: Path) -> tuple[Version, ...]:
    """The version that is published and those that are kept, the newest first."""
    folders = [out, *_kept(out)]
    found = []
    for folder in folders:
        with suppress(IndexFormatError):
            manifest = read_manifest(folder)
            found.append(
                Version(
                    manifest.revision,
                    folder,
                    folder == out,
                    manifest.counts.exemplars,
                    manifest.counts.silences,
                    manifest.counts.utterances,
                    manifest.command,
                )
            )
    return tuple(sorted(found, key=lambda version: -version.revision))


def next_revision(out: Path) -> int:
    """A number that no version of this index has or had while it was kept."""
    return max((version.revision for version in versions(out)), default=0) + 1


def kept_by_default(out: Path) -> int:
    """How many older versions a change of this index leaves unless it is told otherwise.

    Raises
    ------
    IndexFormatError
        If what was said before cannot be read: nothing is removed on a guess.
    """
    file = _folder(out) / _KEEP
    try:
        return int(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        return KEEP
    except (OSError, ValueError) as error:
        raise IndexFormatError(
            f"It cannot be read how many versions {out.name} keeps.",
            cause=f"{file} holds no number.",
            fix="Say it again with --keep.",
        ) from error


def replace(
    stage: Path, out: Path, keep: int | None = None, *, remembered: bool = True
) -> tuple[int, ...]:
    """Publish the sealed folder `stage` in the place of `out`, at one instant.

    The version that was there is kept, and of the older ones as many as make `keep` with it.

    Parameters
    ----------
    keep
        How many stay; as many as were said before if None.
    remembered
        Whether the next change goes by this `keep`, too.

    Returns
    -------
    tuple of int
        Numbers of the versions that are kept no longer.
    """
    before = read_manifest(out)
    most = kept_by_default(out) if keep is None else keep
    _folder(stage).mkdir(exist_ok=True)  # first: if the disk is full, then before the exchange
    if keep is not None and remembered:
        (_folder(stage) / _KEEP).write_text(str(keep), encoding="ascii")
    swap(stage, out)
    filed = _file(stage, out, before)
    sync(out.parent)
    others = [version for version in versions(out) if version.path not in {out, filed}]
    gone = {version.path: version.revision for version in others[max(0, most - 1) :]}
    if most == 0:
        gone[filed] = before.revision
    for path in gone:
        discard(path)
    _remove_if_empty(_folder(out))
    return tuple(sorted(gone.values()))


def restore(out: Path, revision: int | None = None) -> Version:
    """Bring a kept version back, the newest one if `revision` is None; the current one is kept.

    A current version whose manifest is damaged is not kept.

    Raises
    ------
    InputError
        If there is no such version.
    IndexFormatError
        If it is damaged.
    """
    kept = [version for version in versions(out) if not version.current]
    chosen = [version for version in kept if revision in {None, version.revision}]
    if not chosen:
        numbers = ", ".join(str(version.revision) for version in kept)
        wanted = "older version" if revision is None else f"version {revision}"
        raise InputError(
            f"No {wanted} of {out.name} is kept.",
            cause=f"Kept: {numbers or 'none'}.",
            fix="See `nativeear index versions`; --keep says how many a change leaves.",
        )
    verify(chosen[0].path).raise_if_damaged()
    before = _manifest(out)
    try:
        _bring_back(chosen[0].path, out, before)
    except OSError as error:
        raise InputError(
            f"{out} could not be written.",
            cause=str(error),
            fix="See that you may write there and that there is space left.",
        ) from error
    return next(version for version in versions(out) if version.current)


def _bring_back(kept: Path, out: Path, before: Manifest | None) -> None:
    back = Path(mkdtemp(prefix=f".{out.name}.", suffix=".back", dir=out.parent))
    back.rmdir()
    kept.rename(back)
    swap(back, out)
    if before is None:
        discard(back)
    else:
        _file(back, out, before)
    _remove_if_empty(_folder(out))
    sync(out.parent)


def clear_leftovers(out: Path) -> None:
    """Put in order what killed writers of `out` left: never call it while another one writes."""
    for gone in _beside(out, "gone"):
        discard(gone)
    _clear_stages(out)
    _clear_backs(out)
    for kept in _kept(out):
        if _manifest(kept) is None:
            discard(kept)
    _remove_if_empty(_folder(out))


def _clear_stages(out: Path) -> None:
    for stage in _beside(out, "stage"):
        manifest = _manifest(stage)
        current = _manifest(out)
        if manifest is not None and not out.exists() and manifest.revision > 1:
            stage.rename(out)  # killed between two renames: what was to come is whole
        elif manifest and current and manifest.revision < current.revision:
            _file(stage, out, manifest)  # killed after the exchange: this is what was replaced
        else:
            if out.exists() and _kept(stage):
                hand_over(stage, out)  # what was replaced by another of the same number
            discard(stage)


def _clear_backs(out: Path) -> None:
    backs = sorted(_beside(out, "back"), key=lambda back: _manifest(back) is None)
    for back in backs:  # whole ones first: what they hold is handed over to one of them
        manifest = _manifest(back)
        if not out.exists():
            if manifest is not None:
                back.rename(out)
        elif manifest is not None:
            _file(back, out, manifest)
        else:
            hand_over(back, out)
            discard(back)


def swap(one: Path, other: Path) -> None:
    """Exchange two folders, at one instant where the system can.

    What `other` keeps of older versions stays at its place.
    """
    if not _exchange(one, other):
        aside = Path(mkdtemp(prefix=f".{other.name}.", suffix=".back", dir=other.parent))
        aside.rmdir()
        other.rename(aside)
        one.rename(other)
        aside.rename(one)
    hand_over(one, other)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically; False where the system or the disk knows no such thing."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            at_cwd, flag = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
            failed = libc.renameat2(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), flag)
        elif sys.platform == "darwin":
            flag = 2  # RENAME_SWAP
            failed = libc.renamex_np(os.fsencode(one), os.fsencode(other), flag)
        else:
            return False
    except (AttributeError, TypeError):  # an older C library; Windows has none of this name
        return False
    if failed:
        code = ctypes.get_errno()
        if code in _NOT_SUPPORTED:
            return False
        raise OSError(code, os.strerror(code), str(other))
    return True


def _file(folder: Path, out: Path, manifest: Manifest) -> Path:
    """Lay a replaced version among the kept ones."""
    hand_over(folder, out)
    target = _folder(out) / str(manifest.revision)
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        discard(target)
    folder.rename(target)
    sync(target.parent)
    return target


def hand_over(one: Path, other: Path) -> None:
    """Move the versions that a folder holds into another."""
    if not _folder(one).is_dir():
        return
    _folder(other).mkdir(exist_ok=True)
    for held in sorted(_folder(one).iterdir()):
        target = _folder(other) / held.name
        if not target.exists():
            held.rename(target)
        elif held.name == _KEEP:
            held.unlink()  # what was said last holds
    _remove_if_empty(_folder(one))


def _folder(out: Path) -> Path:
    return out / VERSIONS


def _kept(out: Path) -> list[Path]:
    folder = _folder(out)
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _beside(out: Path, suffix: str) -> list[Path]:
    # Eight letters without a dot: so `.a.b.########.stage` belongs to `a.b`, and never to `a`.
    ours = re.compile(rf"\.{re.escape(out.name)}\.[a-z0-9_]{{8}}\.{suffix}")
    return sorted(path for path in out.parent.iterdir() if ours.fullmatch(path.name))


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except IndexFormatError:
        return None


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
