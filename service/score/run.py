"""A folder scored: in several processes, resumed where it was interrupted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from nativeear.indexer.textgrid_files import textgrid_path
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.index_files import read_manifest
from nativeear.service.result_rows import ResultRows
from nativeear.service.score.rows import ScoredRow
from nativeear.service.score.scorer import Align, Job, ScoringOptions, failed, key_of, loaded
from nativeear.service.score.sources import Source, find_sources
from nativeear.service.score.tables import RowReader, write_tables
from nativeear.service.version import RELEASE
from nativeear.service.workers import Died, in_processes
from nativeear.speech.alignment_files import grid_labels
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.notation import NAMES, read_labels, scheme_of_labels

STAGE = "Scoring"
ROWS = "scores.jsonl"
PARTIAL_GRIDS = ".*.TextGrid.*.partial"

LOOKED_AT = 50
"""Alignments whose labels tell the notation of all."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ScoringRequest:
    """What to score.

    Attributes
    ----------
    folder, alignments
        See `service.score.sources.find_sources`.
    out
        Folder for what comes of it.
    index
        Name or folder of an index.
    align, encoder, calibration, false_rejections
        See `service.score.scorer.ScoringOptions`.
    notation
        `auto`, or one of `speech.notation.NAMES`.
    labels
        A table of own readings, see `speech.notation.read_labels`.
    workers
        Processes. The result does not depend on their number.
    """

    folder: Path
    out: Path
    index: str | Path
    alignments: Path | None = None
    align: Align = "theirs"
    notation: str = "auto"
    labels: Path | None = None
    encoder: str | None = None
    calibration: str = "auto"
    false_rejections: float = 0.04
    workers: int = 1


@dataclass(frozen=True)
class ScoringReport:
    """What came of it.

    Attributes
    ----------
    out
        Folder of the TextGrids, `phones.csv`, `utterances.csv` and `scores.jsonl`.
    recordings, kept, failed
        How many there are, of these were scored by an earlier run, could not be scored.
    phones, flagged, audio_s, seconds
        Phones judged, those not heard as meant, speech in seconds, and the time this run took.
    notation
        The notation that the labels were read by.
    unknown
        Labels that stand for no phone of the index, and how many phones have them.
    without_audio
        Alignments whose recording is missing.
    problems
        Recordings that could not be scored, with what to say of it.
    worst
        The utterances with the lowest scores: id, score, worst word.
    doubted
        Those whose boundaries are doubted most: id, mean doubt.
    """

    out: Path
    recordings: int
    kept: int
    failed: int
    phones: int
    flagged: int
    audio_s: float
    seconds: float
    notation: str | None
    unknown: dict[str, int]
    without_audio: tuple[Path, ...]
    problems: tuple[tuple[str, str], ...]
    worst: tuple[tuple[str, float, str], ...]
    doubted: tuple[tuple[str, float], ...]


def score_folder(request: ScoringRequest, progress: Progress = lambda *_: None) -> ScoringReport:
    """Score every recording of a folder, and list the worst first.

    Each TextGrid is written whole or not at all, and every recording has its line in
    `scores.jsonl.partial` as soon as it is done: after an interruption the same call goes on there.
    What changed meanwhile, or failed, is scored anew.

    Raises
    ------
    NativeEarError
        If the folder holds nothing to score, `out` cannot be written, or the index cannot be
        loaded.
    """
    started = time.monotonic()
    _check_out(request)
    sources = find_sources(request.folder, request.alignments)
    index = find_index(request.index)
    manifest = read_manifest(index)
    options = _options(request, index, PhoneInventory.from_json(manifest.inventory), sources.found)
    told = repr((RELEASE, manifest.seal or manifest.files, replace(options, out=Path())))
    jobs = [
        Job(source, key_of(source, told), textgrid_path(request.out, source.id))
        for source in sources.found
    ]
    with ResultRows(request.out / ROWS, "nativeear score", resume=True) as rows:
        for left in request.out.rglob(PARTIAL_GRIDS):
            left.unlink()  # of a run that was killed while it wrote
        done = {job.key for job in jobs if job.key in rows and job.grid.is_file()}
        todo = [job for job in jobs if job.key not in done]
        for job in jobs:
            if job.key in done:
                rows.take(job.key)
        progress(STAGE, len(done), len(jobs))
        with closing(_scored(todo, options, request.workers)) as scored:
            for number, row in enumerate(scored, len(done) + 1):
                rows.write(row.model_dump_json())
                progress(STAGE, number, len(jobs))
    summary = write_tables(RowReader(request.out / ROWS), request.out)
    return ScoringReport(
        out=request.out,
        recordings=len(jobs),
        kept=len(done),
        seconds=time.monotonic() - started,
        notation=next((name for name, each in NAMES.items() if each == options.scheme), None),
        without_audio=sources.without_audio,
        **vars(summary),
    )


def _scored(
    jobs: Sequence[Job], options: ScoringOptions, workers: int
) -> Generator[ScoredRow, None, None]:
    with closing(in_processes(partial(loaded, options), jobs, workers)) as answers:
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, Died):
                yield failed(job, answer.error("recording", "Score it alone, and report it."))
            else:
                yield answer


def _check_out(request: ScoringRequest) -> None:
    out, folder = request.out.resolve(), request.folder.resolve()
    for taken in (folder, *([request.alignments.resolve()] if request.alignments else ())):
        if out == taken or out.is_relative_to(taken):
            raise InputError(
                f"The scores cannot be written into {taken}.",
                cause="Its own TextGrids would be overwritten, or taken for those of recordings.",
                fix="Give an --out beside it.",
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {request.out} cannot be made.", cause=str(error), fix="Give another --out."
        ) from error


def _options(
    request: ScoringRequest, index: Path, inventory: PhoneInventory, sources: Sequence[Source]
) -> ScoringOptions:
    scheme = None
    if request.align == "theirs":
        if request.notation != "auto" and request.notation not in NAMES:
            raise InputError(
                f"There is no notation {request.notation!r}.", fix=f"Known: {', '.join(NAMES)}."
            )
        scheme = NAMES.get(request.notation) or _scheme_of(sources, inventory)
    return ScoringOptions(
        index=index,
        out=request.out,
        align=request.align,
        scheme=scheme,
        own_labels=read_labels(request.labels, inventory) if request.labels else {},
        encoder=request.encoder,
        calibration=request.calibration,
        false_rejections=request.false_rejections,
    )


def _scheme_of(sources: Sequence[Source], inventory: PhoneInventory) -> str | None:
    """The notation of some of the alignments, evenly drawn: all are taken to be of one aligner."""
    aligned = [source for source in sources if source.is_aligned]
    labels: Counter[str] = Counter()
    for source in aligned[:: max(1, len(aligned) // LOOKED_AT)]:
        try:
            grid = source.grid()
            labels.update(grid_labels(grid, source.id) if grid else ())
        except InputError:
            continue  # told when it is scored
    return scheme_of_labels(labels, inventory)
