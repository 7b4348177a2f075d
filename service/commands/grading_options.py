"""Options of the commands that grade: which reference, and how."""

from __future__ import annotations

from typing import Annotated

import typer

Language = Annotated[str | None, typer.Option(metavar="TAG", help="Language, as in en or en-US.")]
IndexName = Annotated[
    str | None, typer.Option(metavar="NAME|DIR", help="The native reference; en-US by default.")
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
