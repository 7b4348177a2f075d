"""What files of recordings are called."""

from __future__ import annotations

_SUFFIXES = {
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/aiff": ".aiff",
    "audio/basic": ".au",
    "audio/mp4": ".m4a",
    "audio/webm": ".webm",
    "audio/aac": ".aac",
}


def suffix_of(media_type: str) -> str:
    """The end of a file's name by its media type; empty where that is not known."""
    return _SUFFIXES.get(media_type, "")
