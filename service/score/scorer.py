"""One recording scored: by the phones that somebody laid on it, or by our own."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nativeear.service.failures import attempt, error_object
from nativeear.service.result_textgrid import SCORE_TIER, VERDICT_TIER, score_tiers, to_textgrid
from nativeear.service.score.rows import Problem, ScoredRow, row_of
from nativeear.service.score.sources import Source
from nativeear.speech.alignment_files import laid_phones, transcript_of
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.notation import Notation
from nativeear.speech.textgrid import TextGrid, Tier

if TYPE_CHECKING:
    from nativeear.scoring.assessor import Assessor

Align = Literal["theirs", "own"]


@dataclass(frozen=True)
class ScoringOptions:
    """How recordings are scored.

    Attributes
    ----------
    index
        Folder of the index.
    out
        Folder of the TextGrids.
    align
        `theirs` goes by the phones and boundaries of the alignments; `own` by their words alone,
        or the transcripts, as `nativeear assess` does.
    scheme, own_labels
        How labels are read, see `speech.notation.Notation`.
    encoder, calibration, false_rejections
        See `nativeear.load`.
    """

    index: Path
    out: Path
    align: Align = "theirs"
    scheme: str | None = None
    own_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    encoder: str | None = None
    calibration: str = "auto"
    false_rejections: float = 0.04


@dataclass(frozen=True)
class Job:
    """A recording to score, and what its row is known by."""

    source: Source
    key: str
    grid: Path


def loaded(options: ScoringOptions) -> Callable[[Job], ScoredRow]:
    """The work of one process."""
    import nativeear  # here: the parent process needs no encoder

    assessor = nativeear.load(
        options.index,
        encoder=options.encoder,
        calibration=options.calibration,
        false_rejections=options.false_rejections,
    )
    return partial(score, assessor, options)


def score(assessor: Assessor, options: ScoringOptions, job: Job) -> ScoredRow:
    """Score one recording and write its TextGrid, whole or not at all."""
    found = attempt(lambda: _scored(assessor, options, job))
    return failed(job, found) if isinstance(found, NativeEarError) else found


def failed(job: Job, error: NativeEarError) -> ScoredRow:
    """The row of a recording that could not be scored; a later run tries it again."""
    problem = Problem(**error_object(error))
    return ScoredRow(key=f"failed {job.key}", id=job.source.id, problem=problem)


def _scored(assessor: Assessor, options: ScoringOptions, job: Job) -> ScoredRow:
    source = job.source
    audio = Audio.load(source.audio)
    given = source.grid()
    unknown: Counter[str] = Counter()
    if options.align == "own":
        text = source.text() or (transcript_of(given, source.id) if given else "")
        if not text:
            raise InputError(
                f"Nothing tells which words are said in {source.id}.",
                fix="Put a transcript (.lab, .txt) beside it, or a tier of words into its grid.",
            )
        result = assessor.assess(audio, text, id=source.id)
        tiers = _own_tiers(to_textgrid(result))
    else:
        if given is None:
            raise InputError(
                f"There is no alignment of {source.id}.",
                cause="Looked for a TextGrid, JSON or CTM of the same name.",
                fix="Align it first, name their folder with --alignments, or use --align own.",
            )
        notation = Notation(assessor.inventory, options.scheme, options.own_labels)
        laid = laid_phones(given, notation, duration_s=audio.duration_s, whence=source.id)
        unknown = laid.unknown
        result = assessor.assess_laid(audio, laid.alignment, id=source.id)
        tiers = score_tiers(result, laid.alignment)
    _write(TextGrid(0.0, audio.duration_s, _beside(given, tiers)), job.grid)
    return row_of(job.key, result, dict(unknown))


def _own_tiers(grid: TextGrid) -> tuple[Tier, ...]:
    """Ours, whose words and phones are named so that they are not taken for theirs."""
    ours = {SCORE_TIER, VERDICT_TIER}
    return tuple(
        tier if tier.name in ours else Tier(f"own {tier.name}", tier.intervals)
        for tier in grid.tiers
    )


def _beside(given: TextGrid | None, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    """Their tiers as they are, and ours behind them."""
    names = {tier.name for tier in tiers}
    theirs = given.tiers if given else ()
    return (*(tier for tier in theirs if tier.name not in names), *tiers)


def _write(grid: TextGrid, path: Path) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")  # `run.PARTIAL_GRIDS`
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        grid.save(beside)
        beside.replace(path)
    except OSError as error:
        raise InputError(
            f"The TextGrid {path} cannot be written.",
            cause=str(error),
            fix="Choose an --out that may be written to.",
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def key_of(source: Source, options: str) -> str:
    """What a row is known by: another when a file of the recording changes, or an option."""
    return hashlib.sha256(repr((options, source.state())).encode()).hexdigest()
