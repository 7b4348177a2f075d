"""A whole assessment against a large index: time and memory, not of the search alone.

    python -m benchmarks.large_index [--exemplars 1000000] [--memory 2GB] [--folder DIR]

The exemplars of the shipped index are repeated, each time with jitter, until there are so many, and
`nativeear index optimize` divides them for that memory. Then a process of its own opens the index
and assesses the demo's prompt twice. Printed are the seconds of both, the most memory that was the
process's own (sampled every 10 ms), and how much of it was there before the index was opened.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reporting import memory, options_of, show
from benchmarks.scale import JITTER, falling_noise, unit
from benchmarks.speech_data import ROOT
from nativeear.indexer.columns import plain
from nativeear.indexer.optimising import optimise
from nativeear.indexes.catalogue import DEFAULT_INDEX, find_index
from nativeear.indexes.index_files import (
    EXEMPLARS,
    PROSODY,
    TRANSFORM,
    UTTERANCES,
    VECTORS,
    flat_header,
)
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import publish, staged
from nativeear.service.demo import PROMPT

RECALL = 0.95


def enlarge(out: Path, exemplars: int) -> None:
    """Publish the shipped index with its exemplars repeated, each copy with jitter."""
    index = PhoneIndex.open(find_index(DEFAULT_INDEX))
    copies = max(1, round(exemplars / len(index.vectors)))
    noise = falling_noise(index.vectors.shape[1], JITTER, np.random.default_rng(1))
    drawing = np.random.default_rng(2)
    counts = {phone: n * copies for phone, n in index.manifest.counts.phones.items()}
    with staged(out) as stage:
        with (stage / VECTORS).open("wb") as stream:
            stream.write(flat_header(sum(counts.values()), index.vectors.shape[1]))
            for phone in index.classes:
                own = index.vectors[index.rows_of(phone)]
                for copy in range(copies):
                    jittered = own + noise(len(own), drawing) if copy else own
                    stream.write(unit(jittered).astype("<f4").tobytes())
        columns = repeated(pq.read_table(index.path / EXEMPLARS), index, copies)
        pq.write_table(columns, stage / EXEMPLARS)
        for name in (TRANSFORM, UTTERANCES, PROSODY):
            (stage / name).write_bytes((index.path / name).read_bytes())
        manifest = index.manifest
        sizes = manifest.counts.model_copy(
            update={"phones": counts, "exemplars": sum(counts.values())}
        )
        publish(stage, out, manifest.model_copy(update={"counts": sizes, "clips": None}))


def repeated(columns: pa.Table, index: PhoneIndex, copies: int) -> pa.Table:
    """The columns of the exemplars, phone by phone; those of each copy are of other utterances."""
    rows = [np.tile(np.arange(r.start, r.stop), copies) for r in map(index.rows_of, index.classes)]
    sizes = np.diff(index.bounds).tolist()
    copy = np.concatenate([np.repeat(np.arange(copies), size) for size in sizes])
    table = columns.take(np.concatenate(rows))
    field = table.schema.field("utterance")
    names = table.column("utterance").to_pylist()
    names = [f"{name}~{c}" if c else name for name, c in zip(names, copy.tolist(), strict=True)]
    at = table.schema.get_field_index("utterance")
    return plain(table.set_column(at, field, pa.array(names).dictionary_encode().cast(field.type)))


def assess(folder: Path, told: Any) -> None:
    """In a process of its own: open, assess twice, and say what that took."""
    import nativeear

    most, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            most[0] = max(most[0], memory()["RssAnon"])

    recording = nativeear.Audio.load(ROOT / "service" / "data" / PROMPT[0])
    nativeear.load(DEFAULT_INDEX).assess(recording, PROMPT[1])
    before = memory()["RssAnon"]
    threading.Thread(target=watch, daemon=True).start()
    seconds = []
    assessor = nativeear.load(folder)
    for _ in range(2):
        started = time.perf_counter()
        assessor.assess(recording, PROMPT[1])
        seconds.append(time.perf_counter() - started)
    done.set()
    told.put((*seconds, most[0] - before, before))


def main() -> None:
    """Enlarge, optimise, assess, print."""
    parser = options_of(__doc__)
    parser.add_argument("--exemplars", type=int, default=10**6)
    parser.add_argument("--memory", type=float, default=2.0, help="For the search, in GB.")
    parser.add_argument("--folder", type=Path, help="Where the index is kept, and taken again.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.folder or Path(temporary)) / f"large-{given.exemplars}"
        if not folder.exists():
            enlarge(folder, given.exemplars)
            optimise(folder, recall=RECALL, memory_bytes=int(given.memory * 1e9))
        context = multiprocessing.get_context("spawn")
        told = context.Queue()
        process = context.Process(target=assess, args=(folder, told))
        process.start()
        first, second, more, before = told.get()
        process.join()
        search = PhoneIndex.open(folder).manifest.search
        size = (folder / VECTORS).stat().st_size / 1e6
        codes = search.chosen.codes if search and search.chosen.codes else "exact"
        times = (f"{first:.2f}", f"{second:.2f}")
        sizes = (f"{more:,.0f}", f"{before:,.0f}")
        row = (f"{given.exemplars:,}", codes, f"{size:,.0f}", *times, *sizes)
        header = ("exemplars", "codes", "vectors, MB", "first, s", "next, s", "own MB", "before")
        show("", header, [row])


if __name__ == "__main__":
    main()
