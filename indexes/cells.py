"""Approximate search: every class of an index is divided into cells, and few cells are asked.

An inverted file (Jégou et al., 2011) whose lists never hold two phones: k-means runs inside each
class. So the nearest exemplars of one phone are found without reading those of the others, a
search for some phones reads nothing else, and training and filling cost a class's share of what
they cost over all exemplars. What a cell lists are codes of its exemplars, searched by FAISS; the
cosines of what was found are computed from the exact vectors.

Two files hold it. `cells.safetensors`: centroids, sizes of the lists, what the codes were trained
to. `cells.lists`: the lists as FAISS maps them from a disk, codes before rows; read with mmap, so
that processes share its pages. FAISS's own reader never sees either.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from indexes.manifest import Codes
from indexes.similarity import FloatArray, IntArray, largest, nearest_of_pairs
from speech.errors import IndexFormatError

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

CANDIDATES: dict[Codes, tuple[int, int]] = {
    "fp16": (20, 128),
    "sq8": (32, 128),
    "pq4": (128, 256),
    "pq2": (96, 128),
}
"""How many exemplars of a near phone are taken from codes, and how many of a query's nearest are
compared with their exact vectors: the coarser the codes, the more. Those beyond are of phones that
resemble it little: what their codes say of them is near enough."""

QUERIES_AT_ONCE = 64
"""Queries of one block: so the exact vectors of what is found need bounded memory."""

ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Probing:
    """How many cells a query asks.

    Attributes
    ----------
    nearest
        Cells nearest to it, of whatever class.
    each
        Cells of every class at least.
    """

    nearest: int
    each: int = 1


@dataclass(frozen=True, eq=False)
class Shortlists:
    """The nearest exemplars of one class for one query, R times.

    Attributes
    ----------
    query, phone
        int64 `[R]`: which query, and which class.
    rows
        int64 `[R, k]`, nearest first; -1 where fewer were found.
    similarities
        float32 `[R, k]`, cosines, exact for a query's nearest (`CANDIDATES`); -inf where `rows` is
        -1.
    """

    query: IntArray
    phone: IntArray
    rows: IntArray
    similarities: FloatArray

    def by_class(self, queries: int, classes: int, top_m: int) -> FloatArray:
        """Mean of the `top_m` nearest of every class, float32 `[N, P]`; NaN where none is."""
        best = self.similarities[:, :top_m]
        found = np.isfinite(best)
        count = found.sum(axis=1)
        total = np.where(found, best, 0.0).sum(axis=1)
        similar = np.full((queries, classes), np.nan, dtype=np.float32)
        similar[self.query, self.phone] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return similar

    def without(self, own: IntArray) -> Shortlists:
        """The same without each query's own row, int64 `[N]`: natives leave themselves out."""
        left = self.rows != own[self.query, None]
        rows = np.where(left, self.rows, -1)
        similar = np.where(left, self.similarities, -np.inf)
        return Shortlists(self.query, self.phone, *_nearest_first(rows, similar, rows.shape[1]))

    def nearest(self, queries: int, k: int) -> tuple[IntArray, FloatArray]:
        """The k nearest of all classes asked: rows and similarities `[N, k]`, as in the lists."""
        found = self.rows >= 0
        query = np.repeat(self.query, found.sum(axis=1))
        return nearest_of_pairs(
            query, self.rows[found], self.similarities[found], queries=queries, k=k
        )


def _nearest_first(rows: IntArray, similar: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """The k nearest of lists `[R, w]`, nearest first: `[R, k]`."""
    if similar.shape[1] > k:
        best = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        rows = np.take_along_axis(rows, best, axis=1)
        similar = np.take_along_axis(similar, best, axis=1)
    order = np.argsort(-similar, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(similar, order, axis=1)


class Cells:
    """Cells of an index, open for reading. Safe to share between threads.

    Parameters
    ----------
    folder
        Where `write_cells` wrote them.
    codes
        How they keep vectors.
    vectors
        Exact unit vectors, float32 `[n, d]`, ordered by class.
    bounds
        int64 `[P + 1]`: class p holds the rows `bounds[p]:bounds[p + 1]`.
    probing
        How many cells a query asks, if it does not say.

    Raises
    ------
    IndexFormatError
        If the files are not those of such vectors.
    """

    def __init__(
        self, folder: Path, codes: Codes, vectors: FloatArray, bounds: IntArray, probing: Probing
    ) -> None:
        self._folder = folder
        self._depth, self._exact = CANDIDATES[codes]
        self._vectors = vectors
        self._bounds = bounds
        self.probing = probing
        layout = _Layout.load(folder / LAYOUT, codes, vectors.shape[1], bounds)
        self._centroids = layout.centroids
        self._of_class = layout.of_class
        self._class = np.repeat(np.arange(len(bounds) - 1), np.diff(layout.of_class))
        self._index = _searcher(codes, layout, folder / LISTS)

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(self._centroids)

    def shortlists(
        self,
        queries: FloatArray,
        k: int,
        *,
        wanted: NDArray[np.bool_] | None = None,
        probing: Probing | None = None,
    ) -> Shortlists:
        """The k nearest exemplars of every class wanted, of those in the cells asked.

        Parameters
        ----------
        queries
            Unit vectors, float32 `[N, d]`.
        k
            Exemplars per class.
        wanted
            bool `[N, P]`, classes that may answer each query; all if None.
        probing
            How many cells are asked.

        Returns
        -------
        Shortlists
            In the order of the queries, and of the classes of each.

        Raises
        ------
        IndexFormatError
            If a list names an exemplar of another class.
        """
        blocks = []
        for first in range(0, max(1, len(queries)), QUERIES_AT_ONCE):
            block = slice(first, first + QUERIES_AT_ONCE)
            part = None if wanted is None else wanted[block]
            found = self._block(queries[block], k, part, probing or self.probing)
            blocks.append(dataclasses.replace(found, query=found.query + first))
        return Shortlists(
            *(
                np.concatenate([getattr(block, field.name) for block in blocks])
                for field in dataclasses.fields(Shortlists)
            )
        )

    def _block(
        self,
        queries: FloatArray,
        k: int,
        wanted: NDArray[np.bool_] | None,
        probing: Probing,
    ) -> Shortlists:
        affinity = queries @ self._centroids.T
        query, phone, lists, near = self._probed(affinity, wanted, probing)
        rows = np.full((len(query), k), -1, dtype=np.int64)
        similar = np.full((len(query), k), -np.inf, dtype=np.float32)
        for chosen, depth in ((near, max(k, self._depth)), (~near, k)):
            if chosen.any():
                asking, asked = query[chosen], lists[chosen]
                asked = np.ascontiguousarray(asked[:, (asked >= 0).any(axis=0)])
                how_near = np.take_along_axis(affinity[asking], np.maximum(asked, 0), axis=1)
                found = _search(self._index, queries[asking], depth, asked, how_near)
                self._check(phone[chosen], found[0])
                if chosen is near:
                    self._make_exact(queries, asking, *found)
                rows[chosen], similar[chosen] = _nearest_first(*found, k)
        return Shortlists(query, phone, rows, similar)

    def _check(self, phone: IntArray, rows: IntArray) -> None:
        """Refuse rows `[R, k]` that are not of the classes `[R]`."""
        first = np.where(rows == -1, self._bounds[phone, None], rows)
        last = first.max(axis=1)
        first = first.min(axis=1)
        if (first < self._bounds[phone]).any() or (last > self._bounds[phone + 1] - 1).any():
            raise _damaged(self._folder, "A cell names exemplars of another phone.")

    def _make_exact(
        self, queries: FloatArray, query: IntArray, rows: IntArray, similar: FloatArray
    ) -> None:
        """Put exact cosines in the place of those by codes for a query's nearest."""
        begins = np.append(np.flatnonzero(np.diff(query, prepend=-1)), len(query))
        for start, end in pairwise(begins.tolist()):
            own, near = rows[start:end], similar[start:end]
            listed = own >= 0
            if not listed.any():
                continue
            best = listed & (near >= _kth_largest(near[listed][None], self._exact))
            near[best] = self._vectors[own[best]] @ queries[query[start]]

    def _probed(
        self, affinity: FloatArray, wanted: NDArray[np.bool_] | None, probing: Probing
    ) -> tuple[IntArray, IntArray, IntArray, NDArray[np.bool_]]:
        """Queries, classes `[R]`, the cells that they ask `[R, w]`, and which are near `[R]`.

        A class asks those of its cells that are among the query's nearest, which make it near, and
        its own nearest. Where it asks fewer than others the cells are filled up with -1.
        """
        allowed = None
        if wanted is not None:
            allowed = np.repeat(wanted, np.diff(self._of_class), axis=1)
            affinity = np.where(allowed, affinity, -np.inf)
        among_nearest = affinity >= _kth_largest(affinity, probing.nearest)
        chosen = among_nearest.copy()
        for start, end in pairwise(self._of_class.tolist()):
            if end > start and probing.each:
                own = affinity[:, start:end]
                chosen[:, start:end] |= own >= _kth_largest(own, probing.each)
        if allowed is not None:
            chosen &= allowed
        asking, cell = np.divmod(np.flatnonzero(chosen), self.cells)  # faster than two dimensions
        begins = np.flatnonzero(np.diff(asking * len(self._bounds) + self._class[cell], prepend=-1))
        sizes = np.diff(begins, append=len(cell))
        pair = np.repeat(np.arange(len(begins)), sizes)
        lists = np.full((len(begins), int(sizes.max(initial=0))), -1, dtype=np.int64)
        lists[pair, np.arange(len(cell)) - begins[pair]] = cell
        near = np.zeros(len(begins), dtype=bool)
        near[pair[among_nearest[asking, cell]]] = True
        return asking[begins], self._class[cell[begins]], lists, near


@dataclass(frozen=True, eq=False)
class Division:
    """Classes divided into cells.

    Attributes
    ----------
    centroids
        Unit vectors, float32 `[C, d]`, ordered by class.
    of_class
        int64 `[P + 1]`: class p has the cells `of_class[p]:of_class[p + 1]`.
    """

    centroids: FloatArray
    of_class: IntArray


def divide(vectors: FloatArray, bounds: IntArray, *, seed: int = 0) -> Division:
    """k-means inside each class, by cosine; reads the vectors class by class."""
    import faiss

    counts = np.diff(bounds)
    share = CELLS_OF_ROOT * np.sqrt(bounds[-1]) * counts / max(1, bounds[-1])
    wanted = np.minimum(np.maximum(np.round(share).astype(np.int64), 1), counts)
    found = []
    for (first, end), k in zip(pairwise(bounds.tolist()), wanted.tolist(), strict=True):
        if k == 0:
            continue
        kmeans = faiss.Kmeans(
            vectors.shape[1], k, niter=10, seed=seed, spherical=True, min_points_per_centroid=1
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
    *,
    seed: int = 0,
) -> int:
    """Write cells; reads the vectors class by class.

    Parameters
    ----------
    folder
        Where `cells.safetensors` and `cells.lists` are written.
    codes
        How the lists keep vectors.
    vectors, bounds
        As in `Cells`.
    division
        Of the same vectors, from `divide`.
    seed
        Seeds the draw that codes are trained on.

    Returns
    -------
    int
        Bytes of both files.
    """
    centroids, of_class = division.centroids, division.of_class
    trained = _trained(codes, vectors, bounds, division, seed)
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
class _Layout(Division):
    """What `cells.safetensors` holds.

    Attributes
    ----------
    sizes
        int64 `[C]`, exemplars of each cell.
    trained
        float32: codebooks of `pq4` and `pq2`, ranges of `sq8`, empty for `fp16`.
    """

    sizes: IntArray
    trained: FloatArray

    @classmethod
    def load(cls, path: Path, codes: Codes, d: int, bounds: IntArray) -> _Layout:
        try:
            layout = cls(**load_file(path))
        except Exception as error:  # safetensors raises its own kinds for what is damaged
            raise _damaged(path.parent, f"{LAYOUT} cannot be read: {error}") from error
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
            raise _damaged(path.parent, f"{LAYOUT} does not divide these exemplars.")
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


def _padded(vectors: FloatArray, d: int) -> FloatArray:
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


def _trained(
    codes: Codes, vectors: FloatArray, bounds: IntArray, division: Division, seed: int
) -> FloatArray:
    """What the codes are trained to, on some exemplars' residuals."""
    if codes == "fp16":
        return np.zeros(0, dtype=np.float32)
    rows = np.sort(
        np.random.default_rng(seed).permutation(int(bounds[-1]))[:TRAINED_ON].astype(np.int64)
    )
    sample = np.array(vectors[rows])
    phone = np.searchsorted(bounds, rows, side="right") - 1
    for p in np.unique(phone):
        own = division.centroids[slice(*division.of_class[p : p + 2])]
        chosen = phone == p
        sample[chosen] -= own[_nearest_centroid(sample[chosen], own)]
    d = _dims(codes, vectors.shape[1])
    sample = _padded(sample, d)
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
    quantiser.add(_padded(centroids, d))
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
        block = _padded(vectors[ids[0] : ids[-1] + 1], index.d)
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
        packed = faiss.rev_swig_ptr(lists.invlists.get_codes(c), places * width)
        ids = np.full(places, -1, dtype=np.int64)
        ids[:size] = faiss.rev_swig_ptr(index.invlists.get_ids(c), size)
        stream.write(packed.tobytes())
        stream.write(ids.tobytes())
    return sizes


def _searcher(codes: Codes, layout: _Layout, path: Path) -> Any:
    """FAISS's inverted file over the lists of a file, which it maps."""
    import faiss

    d = layout.centroids.shape[1]
    width = code_bytes(codes, d)
    capacities = _capacities(codes, layout.sizes)
    bytes_of = capacities * (width + 8)
    offsets = np.concatenate([[0], np.cumsum(bytes_of)])
    if not path.is_file() or path.stat().st_size != offsets[-1]:
        raise _damaged(path.parent, f"{LISTS} does not have its {offsets[-1]} bytes.")
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


def _search(
    searcher: Any, queries: FloatArray, k: int, lists: IntArray, affinity: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Rows `[R, k]` nearest by their codes in the lists `[R, w]`, -1 where none is; how near."""
    import faiss

    index, _ = searcher
    asked = _padded(queries, index.d)
    near = np.ascontiguousarray(affinity, dtype=np.float32)
    rows = np.empty((len(asked), k), dtype=np.int64)
    similar = np.empty((len(asked), k), dtype=np.float32)
    # The method of the same name without `_c` would set `nprobe`, which all threads share.
    index.search_preassigned_c(
        len(asked),
        faiss.swig_ptr(asked),
        k,
        faiss.swig_ptr(lists),
        faiss.swig_ptr(near),
        faiss.swig_ptr(similar),
        faiss.swig_ptr(rows),
        False,
        faiss.SearchParametersIVF(nprobe=lists.shape[1]),
    )
    return rows, np.where(rows >= 0, similar, -np.inf)


def _damaged(folder: Path, cause: str) -> IndexFormatError:
    return IndexFormatError(
        f"The cells of {folder} are damaged.",
        cause=cause,
        fix="Run `nativeear index optimize` again.",
    )


def _kth_largest(values: FloatArray, k: int) -> FloatArray:
    """The k-th largest of every row, or the smallest where it has fewer: `[N, 1]`."""
    least: FloatArray = largest(values, min(k, values.shape[1])).min(axis=1, keepdims=True)
    return least
