"""JSON settings beside a model's weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nativeear.speech.errors import EncoderError


def read_settings(path: Path) -> dict[str, Any]:
    """Read a JSON file of settings; empty where there is none.

    Raises
    ------
    EncoderError
        If it cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"{path} cannot be read.", cause=str(error)) from error
    return settings
