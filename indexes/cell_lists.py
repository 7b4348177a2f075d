"""The files of an index's cells: how classes are divided, and what the lists keep of vectors.

`cells.safetensors`: centroids, sizes of the lists, what the codes were trained to. `cells.lists`:
the lists as FAISS maps them from a disk, codes before rows; read with mmap, so that processes share
its pages. FAISS's own reader never sees either.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, get_args

import numpy as np
from safetensors.numpy import load_file, save_file

from nativeear.indexes.manifest import Codes
from nativeear.indexes.similarity import FloatArray, IntArray
from nativeear.speech.errors import IndexFormatError
from nativeear.speech.extras import needing

LAYOUT = "cells.safetensors"
LISTS = "cells.lists"

CODES: tuple[Codes, ...] = get_args(Codes)
CELLS_OF_ROOT = 4
"""Cells are this many times √n, shared out among the classes by their size."""

PLACES: dict[Codes, int] = {"fp16": 8, "sq8": 8, "pq4": 32, "pq2": 32}
"""Lists have room for a multiple of so many exemplars: rows then begin at a multiple of 8 bytes,
and FAISS compares 32 codes of four bits at a time."""

TRAINED_ON = 1 << 16
"""Exemplars that codes are trained on."""

PER_CENTROID = 64
"""Exemplars per cell that k-means is trained on."""

ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class Division:
    """Classes divided into cells."""

    centroids: FloatArray  # unit vectors, float32 `[C, d]`, ordered by class
    of_class: IntArray  # int64 `[P + 1]`: class p has the cells `of_class[p]:of_class[p + 1]`


def divide(vectors: FloatArray, bounds: IntArray) -> Division:
    """k-means inside each class, by cosine; reads the vectors class by class.

    On a GPU where FAISS has one (`nativeear[gpu]`).

    Raises
    ------
    MissingDependencyError
        If FAISS is not installed.
    """
    with needing("faiss", "Dividing an index into cells"):
        import faiss

    counts = np.diff(bounds)
    share = CELLS_OF_ROOT * np.sqrt(bounds[-1]) * counts / max(1, bounds[-1])
    wanted = np.minimum(np.maximum(np.round(share).astype(np.int64), 1), counts)
    found = []
    for (first, end), k in zip(pairwise(bounds.tolist()), wanted.tolist(), strict=True):
        if k == 0:
            continue
        kmeans = faiss.Kmeans(
            vectors.shape[1],
            k,
            niter=10,
            seed=0,
            spherical=True,
            min_points_per_centroid=1,
            gpu=faiss.get_num_gpus() > 0,
        )
        kmeans.train(np.ascontiguousarray(vectors[_spread(first, end, PER_CENTROID * k)]))
        found.append(kmeans.centroids)
    of_class = np.concatenate([[0], np.cumsum(wanted)]).astype(np.int64)
    return Division(np.concatenate(found), of_class)


def write_cells(
    folder: Path,
    codes: Codes,
    vectors: FloatArray,
    bounds: IntArray,
    division: Division,
) -> int:
    """Write cells; reads the vectors class by class.

    Returns
    -------
    int
        Bytes of both files.
    """
    centroids, of_class = division.centroids, division.of_class
    trained = _trained(codes, vectors, bounds, division)
    sizes = np.zeros(len(centroids), dtype=np.int64)
    with (folder / LISTS).open("wb") as stream:
        for p in range(len(bounds) - 1):
            cells = slice(of_class[p], of_class[p + 1])
            rows = slice(int(bounds[p]), int(bounds[p + 1]))
            if rows.stop > rows.start:
                empty = _inverted_file(codes, centroids[cells], trained)
                sizes[cells] = _write_class(stream, codes, empty, vectors, rows)
    save_file(
        {"centroids": centroids, "of_class": of_class, "sizes": sizes, "trained": trained},
        folder / LAYOUT,
    )
    return sum((folder / name).stat().st_size for name in (LAYOUT, LISTS))


@dataclass(frozen=True, eq=False)
class Layout(Division):
    """What `cells.safetensors` holds."""

    sizes: IntArray  # int64 `[C]`, exemplars of each cell
    trained: FloatArray  # float32: codebooks of `pq4` and `pq2`, ranges of `sq8`, empty for `fp16`

    @classmethod
    def load(cls, path: Path, codes: Codes, d: int, bounds: IntArray) -> Layout:
        """Read a layout of vectors of d dimensions.

        Raises
        ------
        IndexFormatError
            If it is damaged, or of other classes.
        """
        try:
            layout = cls(**load_file(path))
        except Exception as error:  # safetensors raises its own kinds for what is damaged
            raise damaged(path.parent, f"{LAYOUT} cannot be read: {error}") from error
        fits = (
            layout.centroids.dtype == layout.trained.dtype == np.float32
            and layout.of_class.dtype == layout.sizes.dtype == np.int64
            and layout.centroids.ndim == 2
            and layout.centroids.shape[1] == d
            and layout.sizes.shape == layout.centroids.shape[:1]
            and layout.of_class.shape == bounds.shape
            and layout.of_class[0] == 0
            and layout.of_class[-1] == len(layout.centroids)
            and (np.diff(layout.of_class) >= 0).all()
            and (layout.sizes >= 0).all()
            and (layout.sizes <= bounds[-1]).all()
            and layout.trained.shape == (_trained_floats(codes, d),)
            and np.isfinite(layout.centroids).all()
            and np.isfinite(layout.trained).all()
        )
        if fits:
            filled = np.concatenate([[0], np.cumsum(layout.sizes)])[layout.of_class]
            fits = bool((filled == bounds).all())
        if not fits:
            raise damaged(path.parent, f"{LAYOUT} does not divide these exemplars.")
        return layout


def codes_for(d: int) -> tuple[Codes, ...]:
    """Codes that vectors of d dimensions can have: `pq2` takes two dimensions together."""
    return tuple(codes for codes in CODES if codes != "pq2" or d % 2 == 0)


def code_bytes(codes: Codes, d: int) -> int:
    """Bytes of a vector of d dimensions."""
    d = _dims(codes, d)
    return {"fp16": 2 * d, "sq8": d, "pq4": (d + 1) // 2, "pq2": (d // 2 + 1) // 2}[codes]


def _trained_floats(codes: Codes, d: int) -> int:
    """Floats that codes are trained to: 16 centroids a part, or least and range a dimension."""
    return {"fp16": 0, "sq8": 2 * _dims(codes, d), "pq4": 16 * d, "pq2": 16 * d}[codes]


def _dims(codes: Codes, d: int) -> int:
    """Dimensions that codes have: FAISS compares `fp16` and `sq8` fast by full sixteens."""
    return d if _product(codes) else -(-d // 16) * 16


def padded(vectors: FloatArray, d: int) -> FloatArray:
    """Vectors with zeros up to d dimensions."""
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, d - vectors.shape[1]))))


def _product(codes: Codes) -> bool:
    """Whether it is a product quantiser, of parts that have 4 bits each."""
    return codes in {"pq4", "pq2"}


def _parts(codes: Codes, d: int) -> int:
    return d if codes == "pq4" else d // 2


def _capacities(codes: Codes, sizes: IntArray) -> IntArray:
    """Places that the lists have."""
    return -(-sizes // PLACES[codes]) * PLACES[codes]


def _spread(first: int, end: int, most: int) -> IntArray:
    """At most so many rows of a range, evenly spread."""
    return np.unique(np.linspace(first, end - 1, min(end - first, most)).astype(np.int64))


def _trained(codes: Codes, vectors: FloatArray, bounds: IntArray, division: Division) -> FloatArray:
    """What the codes are trained to, on some exemplars' residuals."""
    if codes == "fp16":
        return np.zeros(0, dtype=np.float32)
    rows = np.sort(
        np.random.default_rng(0).permutation(int(bounds[-1]))[:TRAINED_ON].astype(np.int64)
    )
    sample = np.array(vectors[rows])
    phone = np.searchsorted(bounds, rows, side="right") - 1
    for p in np.unique(phone):
        own = division.centroids[slice(*division.of_class[p : p + 2])]
        chosen = phone == p
        sample[chosen] -= own[_nearest_centroid(sample[chosen], own)]
    d = _dims(codes, vectors.shape[1])
    sample = padded(sample, d)
    codec = _codec(codes, d)
    codec.train(np.resize(sample, (max(len(sample), 16), d)))
    trained: FloatArray = _parameters(codec).copy()
    return trained


def _nearest_centroid(vectors: FloatArray, centroids: FloatArray) -> IntArray:
    nearest: IntArray = (vectors @ centroids.T).argmax(axis=1)
    return nearest


def _codec(codes: Codes, d: int) -> Any:
    """The part of FAISS that makes codes of residuals."""
    import faiss

    if _product(codes):
        quantiser = faiss.ProductQuantizer(d, _parts(codes, d), 4)
        quantiser.cp.min_points_per_centroid = 1  # of a small index there are no more
        return quantiser
    kind = faiss.ScalarQuantizer.QT_8bit if codes == "sq8" else faiss.ScalarQuantizer.QT_fp16
    return faiss.ScalarQuantizer(d, kind)


def _parameters(codec: Any) -> FloatArray:
    import faiss

    floats: FloatArray = faiss.vector_to_array(
        codec.centroids if isinstance(codec, faiss.ProductQuantizer) else codec.trained
    )
    return floats


def _inverted_file(codes: Codes, centroids: FloatArray, trained: FloatArray) -> Any:
    """An inverted file that is trained and empty. Its quantiser has to be kept alive beside it."""
    import faiss

    d = _dims(codes, centroids.shape[1])
    quantiser = faiss.IndexFlatIP(d)
    quantiser.add(padded(centroids, d))
    if _product(codes):
        index = faiss.IndexIVFPQ(
            quantiser, d, len(centroids), _parts(codes, d), 4, faiss.METRIC_INNER_PRODUCT
        )
        faiss.copy_array_to_vector(trained, index.pq.centroids)
    else:
        kind = faiss.ScalarQuantizer.QT_8bit if codes == "sq8" else faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexIVFScalarQuantizer(
            quantiser, d, len(centroids), kind, faiss.METRIC_INNER_PRODUCT, codes == "sq8"
        )
        if codes == "sq8":
            faiss.copy_array_to_vector(trained, index.sq.trained)
    index.by_residual = codes != "fp16"
    index.is_trained = True
    index.referenced_objects = [quantiser]
    return index


def _write_class(
    stream: IO[bytes], codes: Codes, index: Any, vectors: FloatArray, rows: slice
) -> IntArray:
    """Append a class's lists, made by an empty inverted file; how many exemplars each got."""
    import faiss

    centroids = index.referenced_objects[0].reconstruct_n(0, index.nlist)
    for first in range(rows.start, rows.stop, ROWS_AT_ONCE):
        ids = np.arange(first, min(first + ROWS_AT_ONCE, rows.stop), dtype=np.int64)
        block = padded(vectors[ids[0] : ids[-1] + 1], index.d)
        cell = _nearest_centroid(block, centroids)
        index.add_core(len(ids), *(faiss.swig_ptr(array) for array in (block, ids, cell)), None)
    sizes = np.array([index.invlists.list_size(c) for c in range(len(centroids))])
    lists = faiss.IndexIVFPQFastScan(index) if _product(codes) else index
    width = code_bytes(codes, vectors.shape[1])
    for c, (size, places) in enumerate(
        zip(sizes.tolist(), _capacities(codes, sizes).tolist(), strict=True)
    ):
        if size == 0:
            continue
        packed = np.zeros(places * width, dtype=np.uint8)
        held = (places if _product(codes) else size) * width  # behind it lies memory of others
        packed[:held] = faiss.rev_swig_ptr(lists.invlists.get_codes(c), held)
        ids = np.full(places, -1, dtype=np.int64)
        ids[:size] = faiss.rev_swig_ptr(index.invlists.get_ids(c), size)
        stream.write(packed.tobytes())
        stream.write(ids.tobytes())
    return sizes


def searcher(codes: Codes, layout: Layout, path: Path) -> Any:
    """FAISS's inverted file over the lists of a file, which it maps.

    Raises
    ------
    MissingDependencyError
        If FAISS is not installed.
    """
    with needing("faiss", "An index that was divided into cells"):
        import faiss

    d = layout.centroids.shape[1]
    width = code_bytes(codes, d)
    capacities = _capacities(codes, layout.sizes)
    bytes_of = capacities * (width + 8)
    offsets = np.concatenate([[0], np.cumsum(bytes_of)])
    if not path.is_file() or path.stat().st_size != offsets[-1]:
        raise damaged(path.parent, f"{LISTS} does not have its {offsets[-1]} bytes.")
    lists = faiss.OnDiskInvertedLists()
    lists.filename, lists.read_only = str(path), True
    lists.nlist, lists.code_size, lists.totsize = len(layout.sizes), width, int(offsets[-1])
    lists.lists.resize(len(layout.sizes))
    table = np.stack([layout.sizes, capacities, offsets[:-1]], axis=1).astype(np.uint64)
    faiss.memcpy(lists.lists.data(), faiss.swig_ptr(table), table.nbytes)
    lists.do_mmap()
    index = _inverted_file(codes, layout.centroids, layout.trained)
    if _product(codes):
        index = faiss.IndexIVFPQFastScan(index)
    index.replace_invlists(lists, False)
    index.ntotal = int(layout.sizes.sum())
    return index, lists


def damaged(folder: Path, cause: str) -> IndexFormatError:
    """What is raised for cells that cannot be used."""
    return IndexFormatError(
        f"The cells of {folder} are damaged.",
        cause=cause,
        fix="Run `nativeear index optimize` again.",
    )
