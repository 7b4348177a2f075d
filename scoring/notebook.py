"""A result as notebooks show it: one piece of HTML that needs nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.grading import Quality, quality_of
from nativeear.scoring.legend import legend
from nativeear.scoring.verdicts import BESIDE_SYMBOLS, MEANINGS, SYMBOLS

TINTS: dict[Quality, dict[str, str]] = {
    "good": {"text": "#00535e", "fill": "#d3f1f5", "border": "#0093a5"},
    "fair": {"text": "#5c4300", "fill": "#ffedb0", "border": "#c79200"},
    "poor": {"text": "#8c1717", "fill": "#ffdcd8", "border": "#cf3030"},
    "unmeasured": {"text": "#444444", "fill": "#eeeeee", "border": "#888888"},
}
"""They stay apart for colour-blind eyes, on any page."""


def as_html(assessment: Assessment) -> str:
    """The scores, the words in colours with the sounds under each, remarks and warnings.

    Whatever comes from texts and labels is escaped. Symbols say what colours say.
    """
    return _template().render(result=assessment, legend=legend(assessment))


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "BESIDE_SYMBOLS": BESIDE_SYMBOLS,
        "MEANINGS": MEANINGS,
        "SYMBOLS": SYMBOLS,
        "TINTS": TINTS,
        "quality_of": quality_of,
    }
    return environment.get_template("notebook.html")
