"""Publish a folder atomically: built beside, fsynced, hashed, renamed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from nativeear.indexes.manifest import FileIdentity, Manifest
from nativeear.speech.errors import InputError

MANIFEST = "manifest.json"
VERSIONS = "versions"
"""Folder in an index that holds the versions before; see `indexes.versions`."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def refuse_existing(out: Path) -> None:
    """Raise InputError if `out` is taken: an index is never changed in place."""
    if out.exists() or out.is_symlink():
        raise InputError(
            f"{out} exists already.",
            cause="A published index is never overwritten.",
            fix="Choose another name or folder, or `nativeear index delete` the old one first.",
        )


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside `out`; it is removed in the end, whatever is left of it.

    Call `publish` on it inside the body. A folder that holds versions is what was published before
    and could not be put in its place: it waits for the next writer.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(mkdtemp(prefix=f".{out.name}.", suffix=".stage", dir=out.parent))
    except OSError as error:
        raise InputError(
            f"Nothing can be written beside {out}.",
            cause=str(error),
            fix="Choose an --out in a folder that you may write to.",
        ) from error
    try:
        yield stage
    except OSError as error:
        raise InputError(
            f"The index could not be written to {out}.",
            cause=str(error),
            fix="Free some space or choose another --out; nothing was published.",
        ) from error
    finally:
        if not (stage / VERSIONS).is_dir() or not any((stage / VERSIONS).iterdir()):
            discard(stage)


def publish(
    stage: Path, out: Path, manifest: Manifest, unchanged: Mapping[str, FileIdentity] | None = None
) -> Manifest:
    """Seal `stage` and rename it to `out`, which must not exist.

    Returns
    -------
    Manifest
        The manifest as written, with the sizes and hashes of every file.
    """
    manifest = seal(stage, manifest, unchanged)
    refuse_existing(out)
    stage.rename(out)
    sync(out.parent)
    return manifest


def seal(
    stage: Path, manifest: Manifest, unchanged: Mapping[str, FileIdentity] | None = None
) -> Manifest:
    """Hash and sync all files of `stage`, and write the manifest last.

    Parameters
    ----------
    unchanged
        Files that were taken over unchanged from a published index, and are synced already.

    Returns
    -------
    Manifest
        The manifest as written, with the sizes and hashes of every file.
    """
    files = dict(unchanged or {})
    for path in sorted(p for p in stage.rglob("*") if p.is_file()):
        name = path.relative_to(stage).as_posix()
        if name not in files:
            path.chmod(0o644)  # safetensors writes for its owner alone
            sync(path)
            files[name] = FileIdentity(bytes=path.stat().st_size, sha256=sha256_of(path))
    files = dict(sorted(files.items()))
    text = manifest.model_copy(update={"files": files}).sealed_text()
    manifest = Manifest.model_validate_json(text)
    (stage / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    sync(stage / MANIFEST)
    for folder in sorted(p for p in stage.rglob("*") if p.is_dir()):
        sync(folder)
    stage.chmod(0o755)
    sync(stage)
    return manifest


def take_over(source: Path, target: Path) -> bool:
    """Put a file of a published index into a stage; whether it is the very same file.

    One that is, linked, needs no hash and no sync: `seal` takes it as `unchanged`.
    """
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(source, target)
        return False
    return True


def take_over_all(
    source: Path, stage: Path, manifest: Manifest, without: Collection[str]
) -> dict[str, FileIdentity]:
    """Put the files of a published index into a stage, except some; `unchanged` of `seal`."""
    unchanged = {}
    for name, identity in manifest.files.items():
        if name in without:
            continue
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        if take_over(source / name, stage / name):
            unchanged[name] = identity
    return unchanged


def discard(folder: Path) -> None:
    """Remove an index folder, its manifest first: what a kill leaves of it is no index."""
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def sync(path: Path) -> None:
    """Write a file, or the entries of a folder, through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
