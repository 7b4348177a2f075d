"""`nativeear align`: TextGrids of a native corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import SOME_FAILED, print_json
from nativeear.service.commands.index.printing import print_set_aside
from nativeear.service.commands.options import (
    AsJson,
    Corpora,
    CorpusLanguage,
    Layer,
    Lexicon,
    PronunciationSource,
    Reader,
    Workers,
)

if TYPE_CHECKING:
    from nativeear.indexer.aligning import AligningReport


def align(
    *,
    corpus: Corpora,
    lang: CorpusLanguage,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder of the TextGrids, sub-folders as in the ids."),
    ],
    aligner: Annotated[
        str, typer.Option(help="auto, or one of: ctc, flatstart, mfa, pocketsphinx, textgrid.")
    ] = "auto",
    encoder: Annotated[
        str, typer.Option(metavar="NAME|PATH|HUB_ID", help="For aligners that need one.")
    ] = "default",
    layer: Layer = None,
    g2p: PronunciationSource = None,
    lexicon: Lexicon = None,
    reader: Reader = "auto",
    workers: Workers = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the TextGrids that are there already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Align native speech: one TextGrid per utterance, with words, phones and confidence.

    Utterances that cannot be aligned are set aside and listed; the exit code is then 1, or 2 if
    none could be aligned.
    """
    from nativeear.indexer.aligning import AligningRequest, align_corpora
    from nativeear.service.commands.progress import ProgressReport

    request = AligningRequest(
        corpora=tuple(corpus),
        language=lang,
        out=out,
        aligner=aligner,
        encoder=encoder,
        layer=layer,
        g2p=g2p,
        lexicon=lexicon,
        reader=reader,
        workers=workers,
        resume=resume,
    )
    with ProgressReport() as progress:
        report = align_corpora(request, progress)
    if as_json:
        print_json(report)
    else:
        _print(report)
    if report.set_aside:
        raise typer.Exit(SOME_FAILED)


def _print(report: AligningReport) -> None:
    kept = f", {report.kept:,} kept" if report.kept else ""
    print(f"{report.aligned:,} aligned{kept} in {report.seconds:.0f} s: {report.out}")
    print_set_aside(report.set_aside, "--json")
