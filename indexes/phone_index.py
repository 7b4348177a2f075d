"""An open index: vectors, columns and manifest, shared and read-only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nativeear.indexes.cells import Cells, Probing
from nativeear.indexes.clips import clips_of
from nativeear.indexes.exact_rows import RowsOfFile
from nativeear.indexes.exemplar import SCHEMA, Exemplar
from nativeear.indexes.index_files import (
    ALIGNER,
    EXEMPLARS,
    HEAD,
    HEADER_BYTES,
    LEXICON,
    PROSODY,
    TRANSFORM,
    VECTORS,
    check_vectors,
    damaged,
    read_columns,
    read_manifest,
)
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.prosody import SCHEMA as PROSODY_SCHEMA
from nativeear.indexes.resident import ResidentVectors, on_gpu
from nativeear.indexes.transform import Transform
from nativeear.speech.errors import EncoderError, IndexFormatError, NativeEarError
from nativeear.speech.frames import Encoder
from nativeear.speech.inventory import PhoneInventory

COPIED_BYTES = 1 << 26
"""Vectors that take no more room than this are held in memory rather than mapped."""

SUMMED_ROWS = 1 << 14
"""Vectors that are summed at a time."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

Name = tuple[str, str]
"""The same speech, wherever it is asked for: a corpus, and an utterance's id or a speaker's name in
it. Utterances and speakers of two corpora are not the same, however they are called."""


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
                raise damaged(
                    path, f"{name} is missing or does not have its {identity.bytes} bytes."
                )
        try:
            table = read_columns(path / EXEMPLARS)
            transform = Transform.load(path / TRANSFORM, manifest.transform.kind)
        except IndexFormatError:
            raise
        except Exception as error:
            raise damaged(path, error) from error
        consistent = (
            table.schema.equals(SCHEMA)
            and set(manifest.classes) == set(manifest.counts.phones)
            and min(manifest.counts.phones.values(), default=0) >= 0
            and table.num_rows == manifest.counts.exemplars == sum(manifest.counts.phones.values())
            and transform.matrix.shape == (manifest.encoder.dim, manifest.transform.dim)
            and transform.fingerprint == manifest.transform.fingerprint
        )
        if not consistent:
            raise damaged(
                path, "Its columns or its transform are not those that the manifest names."
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
            raise damaged(self.path, error) from error

    @cached_property
    def vectors(self) -> FloatArray:
        """Unit vectors, float32 `[n, d]`, read-only: mapped from the file, or few of them read.

        In the file they begin at an odd byte, and NumPy copies such arrays at every product.
        """
        check_vectors(self.path, self.manifest, COPIED_BYTES)
        shape = self.manifest.counts.exemplars, self.manifest.transform.dim
        file = self.path / VECTORS
        try:
            if 4 * shape[0] * shape[1] <= COPIED_BYTES:
                vectors = np.fromfile(file, np.float32, offset=HEADER_BYTES).reshape(shape)
            else:
                vectors = np.asarray(np.memmap(file, np.float32, "r", HEADER_BYTES, shape))
        except (OSError, ValueError) as error:
            raise damaged(self.path, error) from error
        vectors.flags.writeable = False
        return vectors

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
        """Vectors to compare with what cells find: read from the file, or mapped if they may be."""
        vectors = self.vectors
        held = cells_bytes + vectors.nbytes
        if vectors.nbytes <= COPIED_BYTES or held <= most_bytes or not RowsOfFile.possible():
            return vectors
        return RowsOfFile(self.path / VECTORS, HEADER_BYTES, vectors.shape)

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
            return pa.Table.from_batches([], PROSODY_SCHEMA)
        table = read_columns(self.path / PROSODY)
        try:
            if table.schema.equals(PROSODY_SCHEMA):  # a cast would import pyarrow.compute
                return pa.Table.from_arrays(table.columns, schema=PROSODY_SCHEMA)
            return table.cast(PROSODY_SCHEMA)
        except (pa.ArrowException, ValueError) as error:
            raise damaged(self.path, error) from error

    @property
    def aligner_model(self) -> Path | None:
        """The aligner that was learnt with the index, if it needed one."""
        return self.path / ALIGNER if ALIGNER in self.manifest.files else None

    @property
    def head(self) -> Path | None:
        """The phone head that was fitted on the index's own speech, if it has one."""
        return self.path / HEAD if HEAD in self.manifest.files else None

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

    def codes_of(self, phones: Sequence[str]) -> IntArray:
        """Positions of N phones in `classes`, int64 `[N]`; -1 for those that it does not hold."""
        position = {phone: p for p, phone in enumerate(self.classes)}
        return np.array([position.get(phone, -1) for phone in phones], dtype=np.int64)

    @cached_property
    def native_utterances(self) -> frozenset[Name]:
        """Utterances of natives, by corpus and id: speech that was rated has no prosody."""
        columns = (self.prosody.column(name).to_pylist() for name in ("corpus", "utterance"))
        return frozenset(zip(*columns, strict=True))

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
