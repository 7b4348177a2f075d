"""A page as one HTML file that needs nothing else: its policy, and how it is written."""

from __future__ import annotations

import base64
import hashlib
import os
from importlib.resources import files
from pathlib import Path
from string import Template

from nativeear.service.report.markup import Markup, joined
from nativeear.speech.errors import InputError

STYLE = "report.css"


def document(title: str, body: Markup, *, script: str, styles: tuple[str, ...] = (STYLE,)) -> str:
    """A whole page. No script or style but its own can run in it, by its own policy.

    Parameters
    ----------
    title
        Its title.
    body
        What is in its main part.
    script, styles
        Names of files beside this one.
    """
    style = "".join(_file(name) for name in styles)
    code = _file(script)
    policy = (
        "default-src 'none'; img-src data:; media-src data:; "
        f"script-src '{_hash(code)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(_file("report.html")).substitute(
        policy=policy, title=joined(title), style=style, script=code, body=body
    )


def write_document(path: str | Path, page: str) -> None:
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


def _file(name: str) -> str:
    text = (files("nativeear.service.report") / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _hash(text: str) -> str:
    """SHA-256 of an inline script or style, as a Content Security Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
