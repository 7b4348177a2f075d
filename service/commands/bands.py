"""`nativeear bands`: learn CEFR or IELTS bands from recordings that examiners rated."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.guard import GuardedCommand, command_group, print_json
from nativeear.service.commands.options import (
    AsJson,
    CalibrationName,
    EncoderOfIndex,
    IndexName,
    Language,
)

app = command_group("bands", "Learn CEFR or IELTS bands from rated recordings.")


@app.command(cls=GuardedCommand)
def fit(
    *,
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE.csv",
            help="Rated recordings: columns audio,speaker,band[,text], paths relative to this "
            "file; without a text they are assessed as by --free.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="Where the bands go.")],
    asr: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A recogniser, as for `assess --free`."),
    ] = None,
    lang: Language = None,
    index: IndexName = None,
    encoder: EncoderOfIndex = None,
    calibration: CalibrationName = "auto",
    as_json: AsJson = False,
) -> None:
    """Assess rated recordings and fit their bands to the scores.

    Says how often the band of a speaker who was left out is told, and tells nothing else: how good
    the bands are is for the ratings to say.
    """
    import nativeear
    from nativeear.scoring.proficiency.ratings import read_ratings
    from nativeear.service.band_fit import fit_rated
    from nativeear.service.commands.progress import ProgressReport
    from nativeear.service.index_choice import choose_index
    from nativeear.speech.errors import InputError
    from nativeear.speech.recognisers.whisper import find_recogniser

    rated = read_ratings(data)
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent}.", fix="Make the folder first.")
    recogniser = find_recogniser(asr)
    assessor = nativeear.load(choose_index(index, lang), encoder=encoder, calibration=calibration)
    with ProgressReport() as progress:
        model, unused = fit_rated(rated, assessor, recogniser=recogniser, progress=progress)
    model.save(out)
    for why in unused:
        print(f"Left out: {why}", file=sys.stderr)
    if as_json:
        print_json({"out": out, "left_out": len(unused), **model.model_dump(mode="json")})
        return
    held = model.held_out
    print(
        f"{out}: {model.scale} bands {', '.join(model.bands)} from {model.recordings} recordings "
        f"of {model.speakers} speakers. Speakers left out: {held.exact:.0%} told exactly, "
        f"{held.within_one:.0%} within one band, weighted kappa {held.weighted_kappa:.2f}."
    )
