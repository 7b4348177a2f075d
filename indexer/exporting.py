"""An index as files that other programs open, and back."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nativeear.indexes.exemplar import SCHEMA
from nativeear.indexes.index_files import (
    EXEMPLARS,
    HEADER_BYTES,
    TRANSFORM,
    VECTORS,
    flat_header,
    read_manifest,
)
from nativeear.indexes.locking import writing
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import (
    MANIFEST,
    publish,
    refuse_existing,
    sha256_of,
    staged,
)
from nativeear.indexes.transform import Transform
from nativeear.indexes.verification import verify
from nativeear.speech.errors import InputError, MissingDependencyError

Form = Literal["parquet", "npz", "faiss", "lance"]
FORMS: tuple[str, ...] = get_args(Form)

REST = "index"
"""Folder in an export that has whatever else makes an index: manifest, prosody, recordings."""

NPZ = "vectors.npz"
LANCE = "exemplars.lance"
TRANSFORM_NPZ = "transform.npz"
LICENCES = "licences.csv"
VECTOR = "vector"
"""Column of the vectors in Parquet and Lance."""

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Export:
    """What was written: `exemplars` vectors of `dim` numbers."""

    out: Path
    form: Form
    exemplars: int
    dim: int
    files: tuple[str, ...]


def export_index(path: Path, out: Path, form: Form) -> Export:
    """Write vectors, transform, columns and licences of an index, whole or not at all.

    Parameters
    ----------
    path
        Folder of the index.
    out
        Folder to write, which must not exist.
    form
        Where the vectors lie: `parquet`, a column `vector` beside the others in
        `exemplars.parquet`; `npz`, an array of `vectors.npz`; `faiss`, an `IndexFlatIP` in
        `vectors.faiss`; `lance`, a column of `exemplars.lance`, which has the others, too. Rows are
        in the same order everywhere.

    Raises
    ------
    NativeEarError
        If the index is damaged, `out` is taken or cannot be written, or Lance is not installed.
    """
    lance = _lance() if form == "lance" else None
    verify(path).raise_if_damaged()
    refuse_existing(out)
    index = PhoneIndex.open(path)
    with writing(out, "nativeear index export"), staged(out) as stage:
        table = index.table
        if form in {"parquet", "lance"}:
            flat = pa.array(np.asarray(index.vectors).reshape(-1))
            column = pa.FixedSizeListArray.from_arrays(flat, index.vectors.shape[1])
            table = table.append_column(VECTOR, column)
        elif form == "npz":
            np.savez(stage / NPZ, vectors=index.vectors, bounds=index.bounds, classes=index.classes)
        else:
            shutil.copyfile(path / VECTORS, stage / VECTORS)
        if lance is not None:
            lance.write_dataset(table, stage / LANCE)
        else:
            pq.write_table(table, stage / EXEMPLARS)
        np.savez(stage / TRANSFORM_NPZ, mean=index.transform.mean, matrix=index.transform.matrix)
        _write_licences(index.manifest, stage / LICENCES)
        for name in (*index.manifest.files, MANIFEST):
            if name not in (VECTORS, EXEMPLARS, TRANSFORM):
                (stage / REST / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path / name, stage / REST / name)
        files = tuple(sorted(each.name for each in stage.iterdir()))
        stage.chmod(0o755)
        stage.rename(out)
    n, dim = index.vectors.shape
    return Export(out, form, n, dim, files)


def import_index(folder: Path, out: Path) -> Manifest:
    """Make an index of what `export_index` wrote; verdicts by it are the same.

    Parameters
    ----------
    folder
        The export.
    out
        Folder of the index, which must not exist; its name is the index's.

    Raises
    ------
    NativeEarError
        If the export is not whole, rows or the transform are others than those that the manifest
        counts, or `out` cannot be written.
    """
    refuse_existing(out)
    if not (folder / REST).is_dir():
        raise InputError(
            f"{folder} is no export of an index.",
            cause=f"It has no folder {REST}.",
            fix="Write it with `nativeear index export`.",
        )
    manifest = read_manifest(folder / REST)
    try:
        table = _rows(folder)
        vectors = _vectors(folder, table)
        with np.load(folder / TRANSFORM_NPZ) as arrays:
            transform = Transform(manifest.transform.kind, arrays["mean"], arrays["matrix"])
        table = table.select(SCHEMA.names).cast(SCHEMA)
    except (OSError, EOFError, KeyError, ValueError, BadZipFile, pa.ArrowException) as error:
        raise InputError(
            f"{folder} is no whole export of an index.",
            cause=f"{type(error).__name__}: {error}",
            fix="Write it with `nativeear index export`.",
        ) from error
    _check(folder, manifest, table, vectors, transform)
    with writing(out, "nativeear index import"), staged(out) as stage:
        for name in manifest.files:
            if name not in (VECTORS, EXEMPLARS, TRANSFORM):
                (stage / name).parent.mkdir(parents=True, exist_ok=True)
                if (folder / REST / name).is_file():
                    shutil.copyfile(folder / REST / name, stage / name)
        with (stage / VECTORS).open("wb") as file:
            file.write(flat_header(*vectors.shape))
            file.write(vectors.tobytes())
        _check_files(folder, manifest, stage)
        pq.write_table(table, stage / EXEMPLARS)
        transform.save(stage / TRANSFORM)
        return publish(stage, out, manifest.model_copy(update={"name": out.name}))


def _lance() -> Any:
    try:
        import lance
    except ImportError as error:
        raise MissingDependencyError(
            "Lance is not installed.", fix="Install it with: pip install 'nativeear[lance]'"
        ) from error
    return lance


def _rows(folder: Path) -> pa.Table:
    if (folder / LANCE).is_dir():
        return _lance().dataset(folder / LANCE).to_table()
    return pq.read_table(folder / EXEMPLARS)


def _vectors(folder: Path, table: pa.Table) -> FloatArray:
    """The vectors, float32 `[n, d]`, wherever they lie."""
    if VECTOR in table.column_names:
        column = table.column(VECTOR).combine_chunks()
        flat = column.flatten().to_numpy(zero_copy_only=False)
        vectors = flat.reshape(len(column), -1)
    elif (folder / NPZ).is_file():
        with np.load(folder / NPZ) as arrays:
            vectors = arrays["vectors"]
    else:
        flat = np.fromfile(folder / VECTORS, np.float32, offset=HEADER_BYTES)
        vectors = flat.reshape(table.num_rows, -1)
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _check(
    folder: Path, manifest: Manifest, table: pa.Table, vectors: FloatArray, transform: Transform
) -> None:
    phones = table.column("phone").to_pylist()
    counted = [
        phone for name in manifest.classes for phone in [name] * manifest.counts.phones[name]
    ]
    if (
        phones != counted
        or vectors.shape != (manifest.counts.exemplars, manifest.transform.dim)
        or transform.fingerprint != manifest.transform.fingerprint
    ):
        raise InputError(
            f"The rows or the transform of {folder} are not those of the index any more.",
            cause=f"{len(vectors):,} vectors lie there; the manifest counts"
            f" {manifest.counts.exemplars:,}, phone by phone, and one transform.",
            fix="Import it as it was exported; change an index with `nativeear index remove`,"
            " `thin` or `add`.",
        )


def _check_files(folder: Path, manifest: Manifest, stage: Path) -> None:
    """Refuse vectors and other files that are not the bytes of the index; rows are written anew."""
    for name, identity in manifest.files.items():
        if name in (EXEMPLARS, TRANSFORM):
            continue
        if not (stage / name).is_file() or sha256_of(stage / name) != identity.sha256:
            what = f"The vectors of {folder}" if name == VECTORS else f"{folder / REST / name}"
            raise InputError(
                f"{what} {'are' if name == VECTORS else 'is'} not as exported.",
                cause="The manifest has another checksum.",
                fix="Export the index again, or copy the export again.",
            )


def _write_licences(manifest: Manifest, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(("corpus", "licence", "utterances", "audio_s"))
        for corpus in manifest.corpora:
            table.writerow((corpus.name, corpus.licence, corpus.utterances, corpus.audio_s))
