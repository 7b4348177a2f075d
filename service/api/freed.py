"""Memory that was freed, given back to the system where glibc would keep it."""

from __future__ import annotations

import ctypes
from typing import Any

_M_ARENA_MAX = -8  # malloc.h


def _library() -> Any:
    try:
        found = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None
    return found if hasattr(found, "malloc_trim") else None


_GLIBC = _library()


def share_one_arena() -> None:
    """Let all threads take memory from one place: what one of them freed, another takes again.

    An inference thread frees most of what it took before it takes more; with places of their own,
    each thread would keep the most that it ever held.
    """
    if _GLIBC is not None:
        _GLIBC.mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give back what is free; takes two milliseconds."""
    if _GLIBC is not None:
        _GLIBC.malloc_trim(0)
