"""Many recordings in one request: a zip archive, and a manifest that says what each is of.

Nothing is unpacked: names in the archive lead nowhere but to its own members, each of which is read
into the database within bounds.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from nativeear.service.api.models import FirstLanguage, Name, PathName, Tag, Text, Topic
from nativeear.service.api.unpacking import parts_of
from nativeear.service.database.batches import NewItem
from nativeear.service.database.queue import Recording
from nativeear.speech.errors import InputError

MANIFEST_BYTES = 4 << 20
MANIFESTS = ("manifest.jsonl", "manifest.csv")
"""Names under which an archive may hold its manifest."""

_TEXTS = ".txt"
_BLOCK = 1 << 20
_ENCRYPTED = 1


class ManifestRow(BaseModel):
    """What is said of one recording; what is not said is as the request has it for all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audio: Name
    id: Name | None = None
    text: Text | None = None
    phones: Text | None = None
    free: bool | None = None
    language: Tag | None = None
    index: Name | None = None
    l1: FirstLanguage | None = None
    learner_id: PathName | None = None
    group: PathName | None = None
    second_ear: bool | None = None
    language_use: bool | None = None
    topic: Topic | None = None


@dataclass(frozen=True)
class Entry:
    """A recording of an archive: its name among the others, its form, and where it lies."""

    name: str
    form: Mapping[str, Any]
    member: zipfile.ZipInfo


@dataclass(frozen=True)
class Bounds:
    """What may come out of an archive: recordings, bytes of each, and of all together."""

    recordings: int
    bytes_each: int
    bytes: int


@contextmanager
def opened(file: Any) -> Iterator[zipfile.ZipFile]:
    """An archive, and `InputError` for whatever is wrong with it."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (
        *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError),
        NotImplementedError,  # a compression that Python does not know
    ) as error:
        raise InputError(
            "The archive cannot be read.",
            cause=str(error),
            fix="Send a zip archive of recordings, without a password.",
        ) from error


def entries_of(
    archive: zipfile.ZipFile, manifest: bytes | None, form: Mapping[str, Any], bounds: Bounds
) -> tuple[Entry, ...]:
    """What is to be assessed, before any recording is read.

    Parameters
    ----------
    manifest
        CSV or JSON lines; if None, that of the archive, or a recording for each file in it, each
        with a text of its own name if there is one.
    form
        What is said of all recordings.

    Raises
    ------
    InputError
        If the manifest cannot be read, names what is not there, or there are too many, or none.
    """
    members = {
        "/".join(parts_of(member)): member for member in archive.infolist() if not member.is_dir()
    }
    given = manifest
    for name in MANIFESTS:
        if given is None and name in members:
            given = _read(archive, members.pop(name), MANIFEST_BYTES)
    rows = _listed(archive, members) if given is None else _rows(given)
    if not 0 < len(rows) <= bounds.recordings:
        raise InputError(
            f"A batch has from 1 to {bounds.recordings:,} recordings.",
            cause=f"This has {len(rows):,}.",
            fix="Send more or fewer at a time.",
        )
    entries: dict[str, Entry] = {}
    for number, row in enumerate(rows, start=1):
        name = row.id or row.audio
        if name in entries:
            raise InputError(f"Row {number} of the manifest repeats the id {name!r}.")
        if row.audio not in members:
            raise InputError(
                f"Row {number} of the manifest names {row.audio!r}.",
                cause="The archive does not hold it.",
            )
        said = row.model_dump(exclude={"audio", "id"}).items()
        told = {key: value for key, value in said if value not in {None, ""}}
        entries[name] = Entry(name, {**form, **told}, members[row.audio])
    return tuple(entries.values())


def items_of(
    archive: zipfile.ZipFile,
    entries: tuple[Entry, ...],
    bounds: Bounds,
    max_audio_s: float | None,
) -> Iterator[NewItem]:
    """The recordings themselves, one after the other.

    Raises
    ------
    InputError
        If one is too large, or all are, whatever the archive's directory says.
    """
    left = bounds.bytes
    for entry in entries:
        data = _read(archive, entry.member, min(left, bounds.bytes_each))
        left -= len(data)
        recording = Recording(data, entry.form["learner_id"], max_audio_s, is_of_batch=True)
        yield NewItem(entry.name, json.dumps(entry.form), recording)


def _listed(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> list[ManifestRow]:
    rows = []
    for name in sorted(members):
        path = PurePosixPath(name)
        if path.suffix.lower() == _TEXTS or path.name.startswith(".") or "__MACOSX" in path.parts:
            continue
        beside = members.get(str(path.with_suffix(_TEXTS)))
        text = None if beside is None else _decoded(_read(archive, beside, MANIFEST_BYTES)).strip()
        rows.append(_row({"audio": name, "text": text}, f"The text beside {name}"))
    return rows


def _rows(manifest: bytes) -> list[ManifestRow]:
    text = _decoded(manifest)
    if text.lstrip().startswith("{"):
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            told: list[Any] = [json.loads(line) for line in lines]
        except ValueError as error:
            raise InputError("The manifest is no JSON lines.", cause=str(error)) from error
    else:
        try:
            table = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            raise InputError("The manifest is no CSV.", cause=str(error)) from error
        told = [{name: cell for name, cell in row.items() if cell} for row in table]
    return [_row(row, f"Row {number} of the manifest") for number, row in enumerate(told, start=1)]


def _row(told: Any, where: str) -> ManifestRow:
    try:
        return ManifestRow.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{where} is not valid: {place or 'it is no object'}.",
            cause=first["msg"],
            fix=f"The columns are {', '.join(ManifestRow.model_fields)}.",
        ) from None


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("A text of the batch is not in UTF-8.", cause=str(error)) from error


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """A member, never more of it than is allowed: a small archive may hold no end of zeros."""
    if member.flag_bits & _ENCRYPTED:
        raise InputError(f"{member.filename!r} is encrypted.", fix="Send it without a password.")
    data = bytearray()
    with archive.open(member) as packed:
        while block := packed.read(min(_BLOCK, most + 1 - len(data))):
            data += block
            if len(data) > most:
                raise InputError(
                    f"{member.filename!r} is too large.",
                    cause=f"No more than {most:,} bytes of it may come out of the archive.",
                    fix="Send fewer recordings at a time, or shorter ones.",
                )
    return bytes(data)
