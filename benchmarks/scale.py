"""Search among millions of exemplars: recall, time and memory.

    python -m benchmarks.scale [--vectors 10000000] [--dims 256] [--kinds synthetic real]
        [--codes pq4] [--peers 1000000] [--folder DIR]

`synthetic` draws 40 phones with 500 clusters each; what is left of a vector has a spectrum that
falls as 1 / i and a norm of 0.7. `real` takes vectors of the shipped index, pads them to so many
dimensions, and adds jitter of norm 0.3 with the same spectrum; with `--dims 39` nothing is padded.
Queries are drawn alike and are not in the pool; the truth is exact search.

Printed are every code that fits into 2 GB and every number of cells asked: `nearest 10` looks for
the ten nearest exemplars whatever their phone; `every phone`, which is what an assessment asks, for
the ten nearest of each, and its recall is that of a query's own phone and its best competitor. Then
two processes search, and tell what memory is their own, what pages of files they have touched, and
how many of these they share. With `--peers`, so many of the vectors are searched by other
structures of FAISS. A batch is 40 queries, in one thread. What lies in `--folder` is taken again:
so the time of a search can be taken when nothing else runs.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks.reporting import memory, options_of, show
from nativeear.indexer.search_trials import (
    ExactResults,
    K,
    LabelledQueries,
    milliseconds,
    search_exactly,
    shared,
    trial_of_cells,
)
from nativeear.indexes.catalogue import DEFAULT_INDEX, find_index
from nativeear.indexes.cell_lists import CODES, LISTS, code_bytes, codes_for, divide, write_cells
from nativeear.indexes.cells import Cells, Probing, Shortlists
from nativeear.indexes.exact_rows import RowsOfFile
from nativeear.indexes.manifest import Codes
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import FloatArray, IntArray

PHONES = 40
CLUSTERS = 500
SPREAD = 0.7
JITTER = 0.3
QUERIES = 320
CHUNK = 1 << 15
MOST_BYTES = 2 * 10**9
TOP_M = 10
NEAREST = (16, 32, 36, 48, 64, 128)

Draw = Callable[[int, int, np.random.Generator], FloatArray]


@dataclass(frozen=True, eq=False)
class Pool:
    """Vectors on disk, ordered by phone, and questions that are not among them."""

    name: str
    folder: Path
    bounds: IntArray
    questions: LabelledQueries

    @cached_property
    def vectors(self) -> FloatArray:
        """float32 `[n, d]`, mapped."""
        return np.load(self.folder / "vectors.npy", mmap_mode="r")  # type: ignore[no-any-return]

    def cells(self, codes: Codes, probing: Probing) -> Cells:
        """Cells that `search_cells` wrote.

        Exact vectors are mapped or read, as an index would have it with `MOST_BYTES`.
        """
        vectors: FloatArray | RowsOfFile = self.vectors
        size = sum(file.stat().st_size for file in (self.folder / codes).iterdir())
        if size + self.vectors.nbytes > MOST_BYTES:
            file = self.folder / "vectors.npy"
            offset = file.stat().st_size - self.vectors.nbytes
            vectors = RowsOfFile(file, offset, self.vectors.shape)
        return Cells(self.folder / codes, codes, vectors, self.bounds, probing)


def falling_noise(dims: int, norm: float, rng: np.random.Generator) -> Callable[..., FloatArray]:
    """Draws noise `[n, dims]` in random directions, of variances that fall as 1 / i."""
    scales = np.arange(1, dims + 1) ** -0.5
    rotation, _ = np.linalg.qr(rng.normal(size=(dims, dims)))
    shape = ((norm * scales / np.linalg.norm(scales))[:, None] * rotation).astype(np.float32)

    def noise(n: int, drawing: np.random.Generator) -> FloatArray:
        drawn: FloatArray = drawing.standard_normal((n, dims), dtype=np.float32) @ shape
        return drawn

    return noise


def synthetic(dims: int) -> tuple[IntArray, Draw]:
    """Weights of the phones, and what draws exemplars of one."""
    rng = np.random.default_rng(1)
    means = rng.normal(size=(PHONES, dims)) / np.sqrt(dims)
    clusters = 0.5 * rng.normal(size=(PHONES, CLUSTERS, dims)) / np.sqrt(dims)
    centres = (means[:, None] + clusters).astype(np.float32)
    noise = falling_noise(dims, SPREAD, rng)

    def draw(phone: int, n: int, drawing: np.random.Generator) -> FloatArray:
        return unit(centres[phone, drawing.integers(0, CLUSTERS, n)] + noise(n, drawing))

    return rng.integers(1, 10, PHONES).astype(np.int64), draw


def real(dims: int) -> tuple[IntArray, Draw]:
    """The same from the shipped index: its phones, its vectors with jitter."""
    index = PhoneIndex.open(find_index(DEFAULT_INDEX))
    noise = falling_noise(dims, JITTER, np.random.default_rng(1))

    def draw(phone: int, n: int, drawing: np.random.Generator) -> FloatArray:
        vectors = noise(n, drawing)
        rows = drawing.integers(index.bounds[phone], index.bounds[phone + 1], size=n)
        vectors[:, : index.vectors.shape[1]] += index.vectors[rows]
        return unit(vectors)

    return np.diff(index.bounds), draw


KINDS = {"synthetic": synthetic, "real": real}


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors of length 1."""
    scaled: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def make(kind: str, n: int, dims: int, folder: Path) -> Pool:
    """Draw a pool into a file, and questions."""
    weights, draw = KINDS[kind](dims)
    ends = np.round(np.cumsum(weights) * n / weights.sum()).astype(np.int64)
    bounds = np.concatenate([[0], ends])
    drawing = np.random.default_rng(2)
    phone = drawing.choice(len(weights), QUERIES, p=weights / weights.sum()).astype(np.int64)
    asked = np.concatenate([draw(p, 1, drawing) for p in phone.tolist()])
    pool = Pool(kind, folder, bounds, LabelledQueries(asked, phone, np.full(QUERIES, -1)))
    if (folder / "vectors.npy").exists():
        return pool
    vectors = np.lib.format.open_memmap(
        folder / "half.npy", mode="w+", dtype=np.float32, shape=(n, dims)
    )
    for first in track(range(0, n, CHUNK), f"Drawing {kind} vectors"):
        edges = np.unique(np.clip(bounds, first, min(first + CHUNK, n)))
        for start, end in pairwise(edges.tolist()):
            own = int(np.searchsorted(bounds, start, side="right")) - 1
            vectors[start:end] = draw(own, end - start, drawing)
    vectors.flush()
    (folder / "half.npy").rename(folder / "vectors.npy")
    return pool


def exactly(pool: Pool) -> ExactResults:
    """What exact search finds; kept beside the vectors."""
    file = pool.folder / "truth.npz"
    if not file.exists():
        truth = search_exactly(pool.vectors, pool.bounds, pool.questions)
        np.savez(file, milliseconds=truth.milliseconds, **vars(truth.found))
    with np.load(file) as kept:
        found = Shortlists(*(kept[name] for name in Shortlists.__dataclass_fields__))
        return ExactResults(pool.questions, found, float(kept["milliseconds"]))


def search_cells(pool: Pool, truth: ExactResults, wanted: list[Codes]) -> Iterator[tuple[str, ...]]:
    """The cells of an index: every code and number of cells that fits; rows of the table."""
    division = None
    n, d = pool.vectors.shape
    for codes in codes_for(d):
        if codes not in wanted or n * (code_bytes(codes, d) + 8) > MOST_BYTES:
            continue
        folder = pool.folder / codes
        if not folder.is_dir():
            half = pool.folder / "half"
            half.mkdir(exist_ok=True)
            started = time.perf_counter()
            division = division or divide(pool.vectors, pool.bounds)
            write_cells(half, codes, pool.vectors, pool.bounds, division)
            half.rename(folder)
            print(f"{codes} in {time.perf_counter() - started:.0f} s")
        size = sum(file.stat().st_size for file in folder.iterdir())
        for nearest in NEAREST:
            for asks, each in (("nearest 10", 0), ("every phone", max(1, nearest // 16))):
                probing = Probing(nearest, each)
                trial = trial_of_cells(
                    pool.cells(codes, probing), codes, probing, truth, top_m=TOP_M, bytes_=size
                )
                recall = trial.phone_recall if each else trial.recall
                figures = (f"{recall:.3f}", f"{trial.milliseconds:.1f}", f"{size / 1e6:,.0f}")
                yield f"{codes}, {nearest} + {each} cells", asks, *figures


PEERS = {
    "HNSW32,Flat": ("efSearch", (32, 64, 128, 256, 512)),
    "IVF{lists},Flat": ("nprobe", (4, 16, 64, 256)),
    "IVF{lists},SQ8": ("nprobe", (4, 16, 64, 256)),
    "IVF{lists},PQ{half}x4fs": ("nprobe", (16, 64, 256)),
    "IVF{lists},PQ{half}x4fs,RFlat": ("nprobe", (16, 64, 256)),
    "IVF{lists},RaBitQfs": ("nprobe", (16, 64, 256)),
}


def search_peers(pool: Pool, most: int) -> None:
    """Structures of FAISS that know nothing of phones, over a part of the pool."""
    import faiss

    chosen = np.sort(np.random.default_rng(3).permutation(len(pool.vectors))[:most])
    vectors = np.ascontiguousarray(pool.vectors[chosen])
    bounds = np.searchsorted(chosen, pool.bounds).astype(np.int64)
    truth = search_exactly(vectors, bounds, pool.questions)
    exact = truth.found.nearest(QUERIES, K)[0]
    lists = 2 ** round(np.log2(2 * np.sqrt(most)))
    exact_mb = f"{vectors.nbytes / 1e6:,.0f}"
    rows = [("exact", "", exact_mb, "1.000", f"{truth.milliseconds:.1f}")]
    for name, (parameter, values) in PEERS.items():
        if vectors.shape[1] % 2 and "{half}" in name:
            continue  # pairs of dimensions
        started = time.perf_counter()
        described = name.format(half=vectors.shape[1] // 2, lists=lists)
        index = faiss.index_factory(vectors.shape[1], described, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors[:: max(1, most // (1 << 17))])
        index.add(vectors)
        built = time.perf_counter() - started
        size = faiss.serialize_index(index).nbytes / 1e6
        if described.endswith("RFlat"):
            index.k_factor = 10
        for value in values:
            faiss.ParameterSpace().set_index_parameter(index, parameter, value)
            found = index.search(pool.questions.vectors, K)[1]
            spent = milliseconds(lambda batch: index.search(batch, K), pool.questions.batches())  # noqa: B023
            figures = (
                f"{built:.0f}",
                f"{size:,.0f}",
                f"{shared(exact, found):.3f}",
                f"{spent:.1f}",
            )
            rows.append((f"{described}, {parameter} {value}", *figures))
    header = ("structure", "build s", "MB", "recall@10", "ms")
    show(f"{most:,} of them, {pool.name}", header, rows)


def search_and_wait(pool: Pool, codes: Codes, nearest: int, ready: Any, go: Any) -> None:
    """In a process of its own: search, and say what is in memory."""
    cells = pool.cells(codes, Probing(nearest, 0))
    for batch in pool.questions.batches():
        cells.shortlists(batch, K)
    held = memory()
    ready.put((os.getpid(), held["RssAnon"], held["RssFile"]))
    go.wait()


def measure_memory(pool: Pool, codes: Codes, nearest: int) -> None:
    """Two processes search the same cells: what each holds, and what of it they share."""
    context = multiprocessing.get_context("spawn")
    ready, go = context.Queue(), context.Event()
    fresh = replace(pool)  # without the vectors that are open here
    workers = [
        context.Process(target=search_and_wait, args=(fresh, codes, nearest, ready, go))
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    told = [ready.get() for _ in workers]
    rows = []
    for number, (pid, own, of_files) in enumerate(told, start=1):
        mapped = [*resident_pages(pid, LISTS), *resident_pages(pid, "vectors.npy")]
        rows.append((number, *(f"{size:,.0f}" for size in (own, of_files, *mapped))))
    go.set()
    for worker in workers:
        worker.join()
    title = f"Two processes ask {nearest} cells of {codes}, {pool.name}"
    show(title, ("process", "own MB", "of files", "lists", "shared", "vectors", "shared"), rows)


def resident_pages(pid: int, file: str) -> tuple[float, float]:
    """MB of a mapped file that a process has in memory, and of them what others have, too."""
    whole = common = 0
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        name, _, rest = line.partition(" ")
        if not name.endswith(":"):
            inside = line.endswith(file)
        elif inside and name == "Rss:":
            whole += int(rest.split()[0])
        elif inside and name.startswith("Shared_"):
            common += int(rest.split()[0])
    return whole / 1e3, common / 1e3


def main() -> None:
    """Draw the pools, search them, print."""
    parser = options_of(__doc__)
    parser.add_argument("--vectors", type=int, default=10**7)
    parser.add_argument("--dims", type=int, default=256)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--codes", nargs="+", choices=CODES, default=list(CODES))
    parser.add_argument("--peers", type=int, default=0, help="Vectors that FAISS's others search.")
    parser.add_argument(
        "--folder", type=Path, help="Where pools are kept; what lies there is taken again."
    )
    given = parser.parse_args()
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as temporary:
            folder = (given.folder or Path(temporary)) / f"{kind}-{given.vectors}-{given.dims}"
            folder.mkdir(parents=True, exist_ok=True)
            pool = make(kind, given.vectors, given.dims, folder)
            truth = exactly(pool)
            exact = f"{pool.vectors.nbytes / 1e6:,.0f}"
            first = ("exact", "all", "1.000", f"{truth.milliseconds:,.0f}", exact)
            rows = [first, *search_cells(pool, truth, given.codes)]
            title = f"{given.vectors:,} × {given.dims}, {kind}"
            show(title, ("structure", "asks", "recall@10", "ms", "MB"), rows)
            smallest = [codes for codes in codes_for(given.dims) if codes in given.codes][-1]
            measure_memory(pool, smallest, 64)
            if given.peers:
                search_peers(pool, min(given.peers, given.vectors))


if __name__ == "__main__":
    main()
