"""Fingerprints: equal ones promise equal frames."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

_CHUNK_BYTES = 1 << 22


def fingerprint(settings: Mapping[str, object], weights: Iterable[Path] = ()) -> str:
    """Hash whatever decides about frames.

    Parameters
    ----------
    settings
        JSON values; the order of keys does not matter.
    weights
        Files of weights, hashed byte by byte in the order given. Their names and places do not
        count.

    Returns
    -------
    str
        `sha256:` and 64 hexadecimal digits.
    """
    whole = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in weights:
        stat = path.stat()
        whole.update(_digest(path, stat.st_size, stat.st_mtime_ns))
    return f"sha256:{whole.hexdigest()}"


@lru_cache(maxsize=32)
def _digest(path: Path, size: int, mtime_ns: int) -> bytes:
    """Hash one file; size and time are there to notice that it was replaced."""
    del size, mtime_ns
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.digest()
