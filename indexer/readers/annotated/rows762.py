"""speechocean762 as rows of Hugging Face: Parquet files that hold the recordings, too.

The columns are those of the data set `mispeech/speechocean762`: `accuracy`, `completeness`,
`fluency`, `prosodic`, `total`, `text`, `words` (as in `scores.json`), `speaker`, `gender`, `age`
and `audio`, a struct of `bytes` and `path`. Files are called `SPLIT-….parquet`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nativeear.indexer.annotated_corpus import (
    AnnotatedCorpus,
    AnnotatedUtterance,
    SentenceScores,
    Speaker,
    as_age,
)
from nativeear.indexer.corpus import SetAside, sex_of
from nativeear.indexer.readers.annotated.scored import SCORE_NAMES, number, scored_words
from nativeear.speech.errors import CorpusError

NAME = "speechocean762"
L1 = "zh"
COLUMNS = ("audio", "speaker", "text", "words")
RECORDINGS = "recordings"
"""Folder beside the Parquet files that their recordings are written into, once."""


def parquet_files(data: Path) -> tuple[Path, ...]:
    """The Parquet files of a data set's folder, or the one that is named; none if there is none."""
    if data.suffix == ".parquet":
        return (data,) if data.is_file() else ()
    folders = (data, data / "data")
    return tuple(file for folder in folders for file in sorted(folder.glob("*.parquet")))


def read(data: Path, split: str | None = None) -> AnnotatedCorpus:
    """Read the rows; the recordings are written beside them first, for they are assessed as files.

    Parameters
    ----------
    data
        One Parquet file, or the folder that holds them or `data/` with them.
    split
        `train`, `test` (the default) or `all`; a single file is taken whole.

    Raises
    ------
    CorpusError
        If no file is of this split or has these columns, or the recordings cannot be written.
        Single broken rows are set aside instead.
    """
    found = parquet_files(data)
    split = "all" if data.suffix == ".parquet" else split or "test"
    chosen = [file for file in found if split == "all" or file.name.startswith(f"{split}-")]
    if not chosen:
        raise CorpusError(
            f"speechocean762 has no part {split} at {data}.",
            cause=f"Parquet files there: {', '.join(file.name for file in found) or 'none'}.",
            fix="Name the folder that holds train-….parquet and test-….parquet, or one file.",
        )
    utterances: list[AnnotatedUtterance] = []
    set_aside: list[SetAside] = []
    for file in chosen:
        for place, row in enumerate(_rows(file)):
            audio = row["audio"] or {}
            name = Path(audio.get("path") or "").name
            identity = Path(name).stem or f"{file.stem}-{place}"
            try:
                if not audio.get("bytes"):
                    raise ValueError("its row holds no recording.")
                utterances.append(
                    AnnotatedUtterance(
                        id=identity,
                        speaker=Speaker(
                            str(row["speaker"]),
                            as_age(row.get("age")),
                            sex_of(row.get("gender")),
                            L1,
                        ),
                        audio=_written(file.parent / RECORDINGS, identity, name, audio["bytes"]),
                        text=str(row["text"] or ""),
                        words=scored_words(row),
                        sentence=SentenceScores(**{n: number(row, n) for n in SCORE_NAMES}),
                    )
                )
            except ValueError as error:
                set_aside.append(SetAside(identity, str(error)))
    return AnnotatedCorpus(NAME, tuple(utterances), tuple(set_aside), split)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    """One row after the other; a file holds half a gigabyte of recordings."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        missing = [name for name in COLUMNS if name not in table.schema_arrow.names]
        if missing:
            raise CorpusError(
                f"{file} does not hold speechocean762.",
                cause=f"It lacks the columns {', '.join(missing)}.",
            )
        for batch in table.iter_batches(batch_size=32):
            yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{file} cannot be read.", cause=str(error)) from error


def _written(folder: Path, identity: str, name: str, recording: bytes) -> Path:
    path = folder / f"{identity}{Path(name).suffix or '.wav'}"
    try:
        if not path.is_file() or path.stat().st_size != len(recording):
            folder.mkdir(exist_ok=True)
            path.write_bytes(recording)
    except OSError as error:
        raise CorpusError(
            f"The recording {identity} cannot be written to {folder}.",
            cause=str(error),
            fix="Copy the Parquet files to a folder that can be written to.",
        ) from error
    return path
