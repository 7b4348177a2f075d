"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
Index = Annotated[str, typer.Argument(metavar="NAME|DIR", help="An index.")]

# Which native speech, and how it is read.
Corpora = Annotated[
    list[str],
    typer.Option(
        metavar="DIR|MANIFEST",
        help="Native speech: a folder, a CSV of audio and text, or asterisk:LANG; repeatable.",
    ),
]
CorpusLanguage = Annotated[str, typer.Option(metavar="TAG", help="Its language, as in en-US.")]
Reader = Annotated[str, typer.Option(help="How the corpus is read; auto looks at it.")]
Licence = Annotated[
    str | None, typer.Option(help="Licence of corpora that do not state their own.")
]
Layer = Annotated[
    int | None, typer.Option(help="Layer of a neural encoder; its own best by default.")
]
PronunciationSource = Annotated[
    str | None,
    typer.Option(help="Where pronunciations come from: cmudict, espeak or graphemes."),
]
Lexicon = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Pronunciations that go before all others: a word and its phones."
    ),
]

# Which reference a learner is held against, and how it grades.
Language = Annotated[str | None, typer.Option(metavar="TAG", help="Language, as in en or en-US.")]
IndexName = Annotated[
    str | None, typer.Option(metavar="NAME|DIR", help="The native reference; en-US by default.")
]
EncoderOfIndex = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="NAME|DIR",
        help="The index's encoder, or where its model lies, if it is not found by itself.",
    ),
]
CalibrationName = Annotated[
    str,
    typer.Option(
        metavar="auto|expert|training-free",
        help="Grade as experts would, or by native speech alone; auto takes the first where it "
        "was fitted for the index.",
    ),
]
FalseRejections = Annotated[
    float, typer.Option(metavar="SHARE", help="Share of native phones that may be flagged.")
]
