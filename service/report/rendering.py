"""Templates made into pages: each one HTML file that needs nothing else, under its own policy."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nativeear.scoring.grading import quality_of
from nativeear.scoring.verdicts import BESIDE_MEANINGS, BESIDE_SYMBOLS, MEANINGS, SYMBOLS
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **context: object) -> str:
    """A page by its template in `service/templates`; whatever is put into it is escaped."""
    return _environment().get_template(template).render(context)


def write_page(path: str | Path, page: str) -> None:
    """Write a page beside its file and rename it, so that no half of it is ever seen.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        beside.write_bytes(page.encode("utf-8"))
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(
            f"The report cannot be written to {path}.",
            cause=str(error),
            fix="Give a file in a folder that you may write to.",
        ) from error


@cache
def _environment() -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("nativeear.service"),
                PackageLoader("nativeear.service", "page"),  # whose colours reports share
            ]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {"formatted": format, "number": _number, "csp_hash": _csp_hash}
    made.globals |= {
        "quality_of": quality_of,
        "BESIDE_MEANINGS": BESIDE_MEANINGS,
        "BESIDE_SYMBOLS": BESIDE_SYMBOLS,
        "SYMBOLS": SYMBOLS,
        "MEANINGS": MEANINGS,
    }
    return made


def _number(value: float) -> str:
    """A coordinate, with at most three decimals."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _csp_hash(text: str) -> str:
    """SHA-256 of an inline script or style, as a Content Security Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
