"""Extension points: encoders, aligners, G2P and corpus readers found through entry points."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from nativeear.speech.errors import InputError


def names(group: str) -> tuple[str, ...]:
    """Names registered in `nativeear.<group>`, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=f"nativeear.{group}")}))


def find(group: str, name: str) -> Callable[..., Any]:
    """Import the object registered as `name` in `nativeear.<group>`.

    Raises
    ------
    InputError
        If nothing is registered under that name; the known names are listed.
    """
    for point in entry_points(group=f"nativeear.{group}"):
        if point.name == name:
            loaded: Callable[..., Any] = point.load()
            return loaded
    raise InputError(
        f"There is no {group} entry called {name!r}.",
        cause=f"Registered: {', '.join(names(group)) or 'none'}.",
        fix=f"Choose one of these, or register yours in the entry point group nativeear.{group}.",
    )
