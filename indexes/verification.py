"""Check every byte of an index against its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.manifest import seal_holds
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import MANIFEST, VERSIONS, sha256_of
from nativeear.speech.errors import IndexFormatError


@dataclass(frozen=True)
class FileCheck:
    """What was found of one file; an empty problem means that it is whole."""

    name: str
    problem: str

    @property
    def ok(self) -> bool:
        """Whether the file is whole."""
        return not self.problem


@dataclass(frozen=True)
class VerifyReport:
    """What was found of every file."""

    path: Path
    files: tuple[FileCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether the whole index is sound."""
        return all(check.ok for check in self.files)

    def raise_if_damaged(self) -> None:
        """Raise IndexFormatError that names the first damaged file, if there is one."""
        for check in self.files:
            if not check.ok:
                raise IndexFormatError(
                    f"The index {self.path} is damaged.",
                    cause=f"{check.name}: {check.problem}",
                    fix="Bring an older version back with `nativeear index restore`, or build it "
                    "again.",
                )


def verify(path: str | Path) -> VerifyReport:
    """Compare sizes and SHA-256 of all files with the manifest, then open the index.

    The manifest is compared with its own seal. Files that it does not name are reported too, but
    for the versions before, which are indexes of their own.

    Raises
    ------
    IndexFormatError
        If there is no readable manifest to compare with.
    """
    path = Path(path)
    manifest = read_manifest(path)
    checks = []
    for name, identity in sorted(manifest.files.items()):
        file = path / name
        problem = ""
        if not file.is_file():
            problem = "missing"
        elif file.stat().st_size != identity.bytes:
            problem = f"{file.stat().st_size} bytes instead of {identity.bytes}"
        elif sha256_of(file) != identity.sha256:
            problem = "its content has changed (SHA-256 differs)"
        checks.append(FileCheck(name, problem))
    known = {MANIFEST, *manifest.files}
    strangers = sorted(
        p.relative_to(path).as_posix()
        for p in path.rglob("*")
        if p.is_file()
        and p.relative_to(path).as_posix() not in known
        and p.relative_to(path).parts[0] != VERSIONS
    )
    checks.extend(FileCheck(name, "not named in the manifest") for name in strangers)
    problem = ""
    if not seal_holds((path / MANIFEST).read_bytes().decode(), manifest):
        problem = "its content has changed (its seal differs)"
    elif all(check.ok for check in checks):
        try:
            _ = PhoneIndex.open(path).vectors
        except IndexFormatError as error:
            problem = f"{error.message} {error.cause}"
    checks.append(FileCheck(MANIFEST, problem))
    return VerifyReport(path, tuple(checks))
