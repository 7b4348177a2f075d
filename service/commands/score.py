"""`nativeear score`: recordings that somebody has aligned, phone by phone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import SOME_FAILED, print_json
from nativeear.service.commands.options import (
    AsJson,
    CalibrationName,
    EncoderOfIndex,
    FalseRejections,
    IndexName,
    Language,
)
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.service.score.run import ScoringReport

NAMED = 5
"""Problems and labels that are named before the rest is counted."""


def score(
    *,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Recordings, with TextGrids, gentle's JSON or CTM files."
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for TextGrids, tables and the summary.")
    ],
    index: IndexName = None,
    lang: Language = None,
    align: Annotated[
        str,
        typer.Option(
            metavar="theirs|own",
            help="Go by the phones and boundaries of the alignments, or lay those of their words.",
        ),
    ] = "theirs",
    alignments: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the alignments lie, if not beside the recordings."),
    ] = None,
    notation: Annotated[
        str,
        typer.Option(
            metavar="auto|arpabet|mfa|ipa|sampa|espeak",
            help="How the phones are written; auto looks at them.",
        ),
    ] = "auto",
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="Own readings of labels: label,phones; - is no phone."
        ),
    ] = None,
    encoder: EncoderOfIndex = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one for each core by default.")
    ] = None,
    calibration: CalibrationName = "auto",
    false_rejections: FalseRejections = 0.04,
    as_json: AsJson = False,
) -> None:
    """Score every phone of a folder that an aligner has been through, and list the worst first.

    Interrupted, the same command goes on where it was. Recordings that cannot be scored are listed;
    the exit code is then 1.
    """
    from nativeear.service.commands.progress import ProgressReport
    from nativeear.service.index_choice import choose_index
    from nativeear.service.score.run import ScoringRequest, score_folder

    if align not in ("theirs", "own"):
        raise InputError(f"There is no --align {align}.", fix="Write theirs or own.")
    request = ScoringRequest(
        folder=folder,
        out=out,
        index=choose_index(index, lang),
        alignments=alignments,
        align="own" if align == "own" else "theirs",
        notation=notation,
        labels=labels,
        encoder=encoder,
        calibration=calibration,
        false_rejections=false_rejections,
        workers=workers or _cores(),
    )
    with ProgressReport() as progress:
        report = score_folder(request, progress)
    if as_json:
        print_json(report)
    else:
        _print(report)
    _tell(report)
    if report.failed:
        raise typer.Exit(SOME_FAILED)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # neither on macOS nor on Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _print(report: ScoringReport) -> None:
    from nativeear.service.tables import Column, Listing, console

    scored = report.recordings - report.failed
    share = f", {report.flagged / report.phones:.1%} flagged" if report.phones else ""
    kept = f" ({report.kept:,} by an earlier run)" if report.kept else ""
    print(f"{scored:,} recordings{kept}, {report.phones:,} phones{share}: {report.out}")
    if report.worst:
        worst = Listing(
            (Column("worst first", "name"), Column("score", "number"), Column("worst word"))
        )
        for identity, mark, word in report.worst:
            worst.add(identity, f"{mark:.0f}", word)
        console().print(worst)
    doubted = [(name, doubt) for name, doubt in report.doubted if doubt > 0][:NAMED]
    if doubted:
        table = Listing((Column("boundaries doubted most", "name"), Column("doubt", "number")))
        for name, doubt in doubted:
            table.add(name, f"{doubt:.0%}")
        console().print(table)


def _tell(report: ScoringReport) -> None:
    """Say what could not be read, each in a line with what to do."""
    if report.unknown:
        named = ", ".join(f"{label} ({n:,})" for label, n in list(report.unknown.items())[:NAMED])
        more = f" and {len(report.unknown) - NAMED} more" if len(report.unknown) > NAMED else ""
        print(
            f"Not judged, for no phone of the index is known by these labels: {named}{more}. Give "
            "--labels a table label,phones that says which they are.",
            file=sys.stderr,
        )
    if report.without_audio:
        lone = len(report.without_audio)
        print(
            f"{lone:,} alignment{'s have' if lone > 1 else ' has'} no recording of the same name,"
            f" such as {report.without_audio[0]}.",
            file=sys.stderr,
        )
    for identity, problem in report.problems[:NAMED]:
        print(f"{identity}: {problem}", file=sys.stderr)
    if report.failed > NAMED:
        print(f"{report.failed - NAMED:,} more have problems: utterances.csv", file=sys.stderr)
