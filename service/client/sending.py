"""What is sent: recordings and forms."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import inf
from pathlib import Path
from time import monotonic

from nativeear.speech.errors import AudioError

Recording = str | os.PathLike[str] | bytes
"""A file, or what is in one: any format that the service decodes."""


def fields_of(options: Mapping[str, object]) -> dict[str, object]:
    """Options as the fields of a form."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in options.items()
        if value is not None and name != "idempotency_key"
    }


def bytes_of(given: Recording) -> bytes:
    """What is in a file, or what is given itself."""
    return given if isinstance(given, bytes) else _content(given)


def moment_after(timeout_s: float | None) -> float:
    """When some seconds are over, by `time.monotonic`; None is never."""
    return inf if timeout_s is None else monotonic() + timeout_s


def _content(file: str | os.PathLike[str]) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise AudioError(
            f"The recording {os.fspath(file)} cannot be read.", cause=str(error)
        ) from error
