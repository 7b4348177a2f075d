"""What merging shards takes: memory and time, by their size.

    python -m benchmarks.merging [--exemplars 100000 200000 400000]

Shards are made of the shipped index: its phones, again and again under the names of other speakers,
with jitter, and with embeddings that its transform leads back to. Two of equal size are merged by
`nativeear index merge` in a process of its own. `own` is the most memory that it ever had of its
own; `resident` counts pages of files, too, which the system takes back when it needs room.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from nativeear.indexer.assembly import Settings, refit
from nativeear.indexer.pool import Rows, Source
from nativeear.indexes.catalogue import DEFAULT_INDEX, find_index
from nativeear.indexes.exemplar import SCHEMA
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.prosody import SCHEMA as PROSODY
from nativeear.indexes.publishing import publish, staged
from nativeear.indexes.similarity import FloatArray
from nativeear.indexes.utterances import utterances_of

JITTER = 0.05
BLOCK = 4096
POLL_S = 0.02


def renamed(table: pa.Table, columns: tuple[str, ...], number: int) -> pa.Table:
    """A table whose speakers and utterances have other names."""
    for name in columns:
        at = table.schema.get_field_index(name)
        column = table.column(name).combine_chunks()
        names = [f"{value}-{number}" for value in column.dictionary.to_pylist()]
        copied = pa.DictionaryArray.from_arrays(column.indices, pa.array(names))
        table = table.set_column(at, table.schema.field(at), copied)
    return table


def shard(index: PhoneIndex, out: Path, exemplars: int, number: int) -> None:
    """Publish a shard of about so many exemplars."""
    copies = range(number, number + max(1, round(exemplars / len(index.vectors))))
    phones, utterances = (
        pa.concat_tables([renamed(table, ("speaker", "utterance"), copy) for copy in copies])
        for table in (index.table.cast(SCHEMA), utterances_of(index))
    )
    back: FloatArray = np.linalg.pinv(index.transform.matrix).astype(np.float32)

    def rows() -> Iterator[Rows]:
        drawing = np.random.default_rng(number)
        for _ in copies:
            for first in range(0, len(index.vectors), BLOCK):
                vectors = index.vectors[first : first + BLOCK]
                noise = JITTER * drawing.standard_normal(vectors.shape, dtype=np.float32)
                yield ((vectors + noise) @ back + index.transform.mean).astype(np.float16)

    manifest = index.manifest
    settings = Settings(
        name=out.name,
        language=manifest.language,
        inventory=manifest.inventory,
        encoder=manifest.encoder,
        pooling=manifest.pooling,
        aligner=manifest.aligner,
        g2p=manifest.g2p,
        min_rating=manifest.min_rating,
        clips=None,
        command="python -m benchmarks.merging",
    )
    licences = {corpus.name: corpus.licence for corpus in manifest.corpora}
    source = Source(phones, utterances, PROSODY.empty_table(), licences, rows)
    with staged(out) as stage:
        publish(stage, out, refit(stage, [source], settings, embeddings=True))


def memory(process: int) -> tuple[float, float]:
    """MB of its own, and resident, of a process."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0, 0.0
    pages = {line.split(":")[0]: int(line.split()[1]) for line in status if line.endswith("kB")}
    return pages.get("RssAnon", 0) / 1e3, pages.get("VmHWM", 0) / 1e3


def main() -> None:
    """Merge shards of growing size, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--exemplars", type=int, nargs="+", default=[100_000, 200_000, 400_000])
    index = PhoneIndex.open(find_index(DEFAULT_INDEX))
    table = Table("exemplars merged", "vectors MB", "embeddings MB", "own MB", "resident MB", "s")
    for exemplars in parser.parse_args().exemplars:
        with tempfile.TemporaryDirectory() as folder:
            one, other, both = (Path(folder) / name for name in ("one", "other", "both"))
            shard(index, one, exemplars // 2, 1)
            shard(index, other, exemplars // 2, 1000)
            started = time.perf_counter()
            with subprocess.Popen(
                [sys.executable, "-m", "nativeear", "index", "merge", one, other, "--out", both],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as merging:
                most = (0.0, 0.0)
                while merging.poll() is None:
                    most = tuple(map(max, most, memory(merging.pid)))  # type: ignore[assignment]
                    time.sleep(POLL_S)
            seconds = time.perf_counter() - started
            merged = PhoneIndex.open(both)
            n = merged.manifest.counts.exemplars
            embeddings = n * merged.manifest.encoder.dim * 2
            figures = (
                n * merged.manifest.transform.dim * 4 / 1e6,
                embeddings / 1e6,
                *most,
                seconds,
            )
            table.add_row(f"{n:,}", *(f"{figure:,.0f}" for figure in figures))
    Console().print(table)


if __name__ == "__main__":
    main()
