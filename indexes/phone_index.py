"""An open index: vectors, columns and manifest, shared and read-only."""

from __future__ import annotations

import struct
import weakref
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import ValidationError

from nativeear.indexes.cells import Cells, Probing
from nativeear.indexes.clips import clips_of
from nativeear.indexes.exact_rows import RowsOfFile
from nativeear.indexes.exemplar import SCHEMA, Exemplar
from nativeear.indexes.manifest import FORMAT_VERSION, Manifest
from nativeear.indexes.prosody import SCHEMA as PROSODY_SCHEMA
from nativeear.indexes.publishing import MANIFEST, sha256_of
from nativeear.indexes.resident import ResidentVectors, on_gpu
from nativeear.indexes.transform import Transform
from nativeear.speech.errors import EncoderError, IndexFormatError, NativeEarError
from nativeear.speech.frames import Encoder
from nativeear.speech.inventory import PhoneInventory

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

Name = tuple[str, str]
"""The same speech, wherever it is asked for: a corpus, and an utterance's id or a speaker's name in
it. Utterances and speakers of two corpora are not the same, however they are called."""

VECTORS = "vectors.faiss"
EXEMPLARS = "exemplars.parquet"
TRANSFORM = "transform.safetensors"
UTTERANCES = "utterances.parquet"
PROSODY = "prosody.parquet"
EMBEDDINGS = "embeddings.npy"
WAITING = "waiting.parquet"
ALIGNER = "aligner.safetensors"
LEXICON = "lexicon.txt"
AUDIT = "audit.json"

COPIED_BYTES = 1 << 26
"""Vectors that take no more room than this are held in memory rather than mapped."""

SUMMED_ROWS = 1 << 14
"""Vectors that are summed at a time."""

_FLAT_HEADER = struct.Struct("<4siqqqBiQ")
"""What FAISS writes before the vectors of an `IndexFlatIP`: its four letters, d, n, two words that
it no longer reads, whether it is trained, the metric, and n · d."""


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
        raise _damaged(file.parent, error) from error
    return table


def _damaged(path: Path, error: Exception) -> IndexFormatError:
    return IndexFormatError(
        f"The index {path} is damaged.",
        cause=_first_line(error),
        fix=f"Run `nativeear index verify {path}`, then build it again.",
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


class PhoneIndex:
    """A published index, open for reading. Safe to share between threads.

    Attributes
    ----------
    path
        Its folder.
    manifest
        What it is.
    transform
        Encoder space → search space.
    classes
        The P classes in row order: phones of the inventory and `SIL`.
    bounds
        int64 `[P + 1]`; class p holds the rows `bounds[p]:bounds[p + 1]`.
    """

    def __init__(self, path: Path, manifest: Manifest, transform: Transform, table: pa.Table):
        self.path = path
        self.manifest = manifest
        self.transform = transform
        self._table = table
        self.classes = manifest.classes
        counts = [manifest.counts.phones[phone] for phone in self.classes]
        self.bounds: IntArray = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @classmethod
    def open(cls, path: str | Path) -> PhoneIndex:
        """Open an index folder after checking version, sizes, columns and the hash of few vectors.

        What is open stays as it is, whatever takes the folder's place afterwards.

        Raises
        ------
        IndexFormatError
            If anything is missing, of another size, or does not fit together.
        """
        path = Path(path)
        while True:
            folder = _identity(path)
            try:
                opened = cls._read(path)
                _ = opened.vectors, opened.cells  # mapped from now on
            except IndexFormatError:
                if _identity(path) == folder:
                    raise
                continue  # another version took its place meanwhile
            if _identity(path) == folder:
                return opened

    @classmethod
    def _read(cls, path: Path) -> PhoneIndex:
        manifest = read_manifest(path)
        for name, identity in manifest.files.items():
            file = path / name
            if not file.is_file() or file.stat().st_size != identity.bytes:
                raise IndexFormatError(
                    f"The index {path} is damaged.",
                    cause=f"{name} is missing or does not have its {identity.bytes} bytes.",
                    fix=f"Run `nativeear index verify {path}`, then build it again.",
                )
        try:
            table = _completed(read_columns(path / EXEMPLARS))
            transform = Transform.load(path / TRANSFORM, manifest.transform.kind)
        except IndexFormatError:
            raise
        except Exception as error:
            raise _damaged(path, error) from error
        consistent = (
            table.schema.equals(SCHEMA)
            and set(manifest.classes) == set(manifest.counts.phones)
            and min(manifest.counts.phones.values(), default=0) >= 0
            and table.num_rows == manifest.counts.exemplars == sum(manifest.counts.phones.values())
            and transform.matrix.shape == (manifest.encoder.dim, manifest.transform.dim)
            and transform.fingerprint == manifest.transform.fingerprint
        )
        if not consistent:
            raise IndexFormatError(
                f"The index {path} is damaged.",
                cause="Its columns or its transform are not those that the manifest names.",
                fix="Build it again with `nativeear index build`.",
            )
        return cls(path, manifest, transform, table)

    @property
    def name(self) -> str:
        """How people name it."""
        return self.manifest.name

    @property
    def language(self) -> str:
        """BCP 47 tag."""
        return self.manifest.language

    @cached_property
    def inventory(self) -> PhoneInventory:
        """The phones that it was built with."""
        try:
            return PhoneInventory.from_json(self.manifest.inventory)
        except NativeEarError:
            raise
        except Exception as error:  # whatever a damaged manifest may hold in its place
            raise _damaged(self.path, error) from error

    @cached_property
    def vectors(self) -> FloatArray:
        """Unit vectors, float32 `[n, d]`: a read-only view of the FAISS index, or a copy.

        In the file they begin at an odd byte, and NumPy copies such arrays at every product: few
        of them are copied once instead.
        """
        self._check_vectors()
        import faiss  # here, so that reading a manifest does not load FAISS

        try:
            index = faiss.read_index(str(self.path / VECTORS), faiss.IO_FLAG_MMAP_IFC)
            vectors = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d)
        except (RuntimeError, AttributeError) as error:
            raise IndexFormatError(
                f"The vectors of {self.path} are damaged.",
                cause=_first_line(error),
                fix="Build the index again with `nativeear index build`.",
            ) from error
        # The view borrows its memory, and another thread may be opening it at the same time.
        weakref.finalize(vectors, lambda _: None, index)
        self._faiss = index
        view: FloatArray = vectors.reshape(index.ntotal, index.d)
        if view.nbytes <= COPIED_BYTES:
            view = view.copy()
        view.flags.writeable = False
        return view

    def _check_vectors(self) -> None:
        """Refuse every file but that of `IndexFlatIP` which the manifest implies, to its size.

        FAISS's reader trusts what it reads. Before a file with this header and size, it has nothing
        left to believe: only floats follow. These are held against their hash where all of them are
        read anyway; hashing more would cost a second for each gigabyte at every opening.
        """
        n, d = self.manifest.counts.exemplars, self.manifest.transform.dim
        file = self.path / VECTORS
        try:
            wanted = flat_header(n, d)
            with file.open("rb") as stream:
                fits = stream.read(len(wanted)) == wanted
            fits = fits and file.stat().st_size == len(wanted) + 4 * n * d
        except (OSError, struct.error):
            fits = False
        if not fits:
            raise IndexFormatError(
                f"The vectors of {self.path} are not those that the manifest names.",
                cause=f"{VECTORS} does not hold {n} × {d} floats as FAISS's IndexFlatIP writes "
                "them.",
                fix="Build the index again with `nativeear index build`.",
            )
        identity = self.manifest.files.get(VECTORS)
        if 4 * n * d > COPIED_BYTES:
            return
        if identity is None or sha256_of(file) != identity.sha256:
            raise IndexFormatError(
                f"The vectors of {self.path} are not those that the manifest names.",
                cause=f"{VECTORS} has changed since it was written: its SHA-256 differs.",
                fix=f"Run `nativeear index verify {self.path}`, then build it again.",
            )

    @property
    def faiss(self) -> Any:
        """The FAISS index; its ids are row numbers."""
        _ = self.vectors
        return self._faiss

    @cached_property
    def cells(self) -> Cells | None:
        """Its approximate search, see `indexes.cells`; None where it is searched exactly."""
        search = self.manifest.search
        if search is None or search.chosen.codes is None:
            return None
        chosen = search.chosen
        probing = Probing(chosen.nearest, chosen.each)
        rows = self.exact_rows(chosen.bytes, search.most_bytes)
        return Cells(self.path, search.chosen.codes, rows, self.bounds, probing)

    def exact_rows(self, cells_bytes: int, most_bytes: int) -> FloatArray | RowsOfFile:
        """Vectors to compare with what cells find: read from the file, or mapped if they may be.

        Parameters
        ----------
        cells_bytes
            What the cells hold in memory.
        most_bytes
            What the search may hold.
        """
        vectors = self.vectors
        held = cells_bytes + vectors.nbytes
        if vectors.nbytes <= COPIED_BYTES or held <= most_bytes or not RowsOfFile.possible():
            return vectors
        return RowsOfFile(self.path / VECTORS, _FLAT_HEADER.size, vectors.shape)

    @cached_property
    def resident(self) -> ResidentVectors | None:
        """Its vectors on a graphics card; None where a processor searches them, or their cells.

        A processor is quick with so few vectors that they are copied.
        """
        if self.cells is not None or self.vectors.nbytes <= COPIED_BYTES:
            return None
        return on_gpu(self.vectors, self.bounds)

    @cached_property
    def class_sums(self) -> NDArray[np.float64]:
        """Sum of the vectors of every class, float64 `[P, d]`.

        Read in blocks: a mapped file of vectors is larger than memory, and its array, which is not
        aligned, would be copied whole by a reduction over all of it.
        """
        sums = np.zeros((len(self.classes), self.vectors.shape[1]))
        for p, (first, end) in enumerate(pairwise(self.bounds.tolist())):
            for start in range(first, end, SUMMED_ROWS):
                block = self.vectors[start : min(start + SUMMED_ROWS, end)].copy()
                sums[p] += block.sum(axis=0, dtype=np.float64)
        return sums

    @cached_property
    def native_margins(self) -> FloatArray:
        """Each exemplar's own margin with its utterance left out, float32 `[n]`."""
        margins: FloatArray = self.values("margin")
        return margins

    @cached_property
    def native_log_posteriors(self) -> FloatArray:
        """Log posterior of each exemplar by the encoder's phone head, float32 `[n]`, or NaN."""
        log_posteriors: FloatArray = self.values("log_posterior")
        return log_posteriors

    @cached_property
    def durations_s(self) -> NDArray[np.float64]:
        """Length of each exemplar in seconds, float64 `[n]`."""
        durations: NDArray[np.float64] = self.values("end_s") - self.values("start_s")
        return durations

    @property
    def table(self) -> pa.Table:
        """The columns of `exemplars.parquet`."""
        return self._table

    @cached_property
    def prosody(self) -> pa.Table:
        """How its natives flow and sing; without rows where it was built before this was kept."""
        if PROSODY not in self.manifest.files:
            return PROSODY_SCHEMA.empty_table()
        table = read_columns(self.path / PROSODY)
        try:
            return table.cast(PROSODY_SCHEMA)
        except (pa.ArrowException, ValueError) as error:
            raise _damaged(self.path, error) from error

    @property
    def aligner_model(self) -> Path | None:
        """The aligner that was learnt with the index, if it needed one."""
        return self.path / ALIGNER if ALIGNER in self.manifest.files else None

    @property
    def lexicon(self) -> Path | None:
        """The pronunciations that it was built with, if there were any of one's own."""
        return self.path / LEXICON if LEXICON in self.manifest.files else None

    def codes(self, column: str) -> tuple[IntArray, tuple[str, ...]]:
        """A text column as int64 codes `[n]` and the values that they stand for."""
        whole = _whole(self._table, column)
        codes: IntArray = np.from_dlpack(whole.indices).astype(np.int64)
        return codes, tuple(whole.dictionary.to_pylist())

    @cached_property
    def utterances(self) -> tuple[IntArray, tuple[Name, ...]]:
        """Which utterance each exemplar is of, int64 `[n]`, and their corpora and ids."""
        return self._named("utterance")

    @cached_property
    def speakers(self) -> tuple[IntArray, tuple[Name, ...]]:
        """Which speaker each exemplar is of, int64 `[n]`, and their corpora and names."""
        return self._named("speaker")

    def _named(self, column: str) -> tuple[IntArray, tuple[Name, ...]]:
        corpus, corpora = self.codes("corpus")
        value, values = self.codes(column)
        pairs, own = np.unique(corpus * max(1, len(values)) + value, return_inverse=True)
        return own, tuple(
            (corpora[p // len(values)], values[p % len(values)]) for p in pairs.tolist()
        )

    def values(self, column: str) -> NDArray[Any]:
        """A column of numbers, `[n]`, read-only and of the type that is stored."""
        return np.from_dlpack(_whole(self._table, column))

    def rows_of(self, phone: str) -> slice:
        """Rows of a phone's exemplars; empty if the index has none."""
        if phone not in self.classes:
            return slice(0, 0)
        p = self.classes.index(phone)
        return slice(int(self.bounds[p]), int(self.bounds[p + 1]))

    def exemplar(self, row: int) -> Exemplar:
        """The exemplar of one row."""
        values = self._table.slice(row, 1).to_pylist()[0]
        stress = values.pop("stress")
        return Exemplar(row=row, stress=None if stress < 0 else stress, **values)

    def clip(self, row: int) -> Path | None:
        """The utterance's recording behind an exemplar, if the index keeps it."""
        own, names = self.utterances
        name = self.clips.get(names[own[row]])
        path = None if name is None else self.path / name
        return path if path is not None and path.is_file() else None

    @cached_property
    def clips(self) -> dict[Name, str]:
        """Relative paths of the recordings that are kept, by corpus and id."""
        return clips_of(self.manifest, self.utterances[1])

    @cached_property
    def playable(self) -> NDArray[np.bool_]:
        """Exemplars whose recordings are kept, bool `[n]`."""
        own, names = self.utterances
        return np.array([name in self.clips for name in names], dtype=bool)[own]

    def check_encoder(self, encoder: Encoder) -> None:
        """Refuse an encoder that did not build this index.

        Raises
        ------
        EncoderError
            If the fingerprints differ: distances between two encoders' spaces mean nothing.
        """
        if encoder.fingerprint != self.manifest.encoder.fingerprint:
            raise EncoderError(
                f"The index {self.name} was built with another encoder than {encoder.name}.",
                cause=f"It needs {self.manifest.encoder.name} "
                f"({self.manifest.encoder.fingerprint[:19]}…), not {encoder.fingerprint[:19]}….",
                fix=f"Use --encoder {self.manifest.encoder.name}, or build the index again.",
            )


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another that takes its name."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _whole(table: pa.Table, column: str) -> Any:
    """A column in one piece; DLPack then gives its numbers, where `to_numpy` imports pandas."""
    combined = table.column(column).combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def _completed(table: pa.Table) -> pa.Table:
    """The table with the columns that indexes built by earlier releases did not have."""
    if "log_posterior" in table.column_names:
        return table
    unknown = pa.array(np.full(table.num_rows, np.nan, dtype=np.float32))
    return table.append_column(SCHEMA.field("log_posterior"), unknown)
