"""The files of an index folder: their names, and how they are read and checked."""

from __future__ import annotations

import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from nativeear.indexes.manifest import FORMAT_VERSION, Manifest
from nativeear.indexes.publishing import MANIFEST, sha256_of
from nativeear.speech.errors import IndexFormatError

VECTORS = "vectors.faiss"
EXEMPLARS = "exemplars.parquet"
TRANSFORM = "transform.safetensors"
UTTERANCES = "utterances.parquet"
PROSODY = "prosody.parquet"
LEFT_OUT = "left-out.parquet"
EMBEDDINGS = "embeddings.npy"
WAITING = "waiting.parquet"
ALIGNER = "aligner.safetensors"
HEAD = "head.safetensors"
LEXICON = "lexicon.txt"
AUDIT = "audit.json"

_FLAT_HEADER = struct.Struct("<4siqqqBiQ")
"""What FAISS writes before the vectors of an `IndexFlatIP`: its four letters, d, n, two words that
it no longer reads, whether it is trained, the metric, and n · d."""


HEADER_BYTES = _FLAT_HEADER.size


def flat_header(n: int, d: int) -> bytes:
    """What stands in `vectors.faiss` before n vectors of d floats."""
    return _FLAT_HEADER.pack(b"IxFI", d, n, 1 << 20, 1 << 20, 1, 0, n * d)


def read_manifest(path: Path) -> Manifest:
    """Read and check `manifest.json` of an index folder.

    Raises
    ------
    IndexFormatError
        If there is none, it is damaged, or its version is not ours.
    """
    file = path / MANIFEST
    rebuild = "Build the index again with `nativeear index build`."
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise IndexFormatError(
            f"{path} is not an index.", cause=f"{MANIFEST} cannot be read: {error}", fix=rebuild
        ) from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise IndexFormatError(
            f"The manifest of {path} is damaged.", cause=f"{where}: {first['msg']}", fix=rebuild
        ) from error
    if manifest.format_version != FORMAT_VERSION:
        raise IndexFormatError(
            f"{path} has index format {manifest.format_version}; this release reads "
            f"{FORMAT_VERSION}.",
            fix=rebuild,
        )
    return manifest


def read_columns(file: Path) -> pa.Table:
    """Read a table of an index, and see that its text is text and its codes stand for something.

    Raises
    ------
    IndexFormatError
        If it is damaged.
    """
    try:
        with pq.ParquetFile(file, memory_map=True) as opened:  # read_table imports far more
            table = opened.read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(file.parent, error) from error
    return table


def check_vectors(path: Path, manifest: Manifest, hashed_bytes: int) -> None:
    """Refuse every file but that of `IndexFlatIP` which the manifest implies, to its size.

    Behind a header of this content only floats follow. They are held against their hash where they
    take no more than `hashed_bytes`; hashing more would cost a second for each gigabyte at every
    opening.
    """
    n, d = manifest.counts.exemplars, manifest.transform.dim
    file = path / VECTORS
    try:
        wanted = flat_header(n, d)
        with file.open("rb") as stream:
            fits = stream.read(len(wanted)) == wanted
        fits = fits and file.stat().st_size == len(wanted) + 4 * n * d
    except (OSError, struct.error):
        fits = False
    if not fits:
        raise IndexFormatError(
            f"The vectors of {path} are not those that the manifest names.",
            cause=f"{VECTORS} does not hold {n} × {d} floats as FAISS's IndexFlatIP writes them.",
            fix="Build the index again with `nativeear index build`.",
        )
    identity = manifest.files.get(VECTORS)
    if 4 * n * d > hashed_bytes:
        return
    if identity is None or sha256_of(file) != identity.sha256:
        raise IndexFormatError(
            f"The vectors of {path} are not those that the manifest names.",
            cause=f"{VECTORS} has changed since it was written: its SHA-256 differs.",
            fix=f"Run `nativeear index verify {path}`, then build it again.",
        )


def damaged(path: Path, cause: object) -> IndexFormatError:
    """What is raised for a folder that cannot be used as it is."""
    return IndexFormatError(
        f"The index {path} is damaged.",
        cause=first_line(cause),
        fix=f"Run `nativeear index verify {path}`, then build it again.",
    )


def first_line(said: object) -> str:
    """The first line of what a library says."""
    return next(iter(str(said).splitlines()), type(said).__name__)
