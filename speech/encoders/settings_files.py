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
        If it cannot be read, or is no JSON object.
    """
    if not path.is_file():
        return {}
    fix = "Download or save the model again."
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path} cannot be read.", cause=str(error), fix=fix) from error
    if not isinstance(settings, dict):
        raise EncoderError(f"{path} holds no JSON object.", fix=fix)
    return settings
