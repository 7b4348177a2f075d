"""Parts of NativeEar that are installed by an extra, and what is said where one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nativeear.speech.errors import MissingDependencyError


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Inside, a library that is not installed is an error that names the extra that brings it.

    Parameters
    ----------
    extra
        Of `pyproject.toml`, such as `torch`.
    what
        What needs it, as a sentence begins: `The service`.

    Raises
    ------
    MissingDependencyError
        With the command that installs the extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "nativeear"}:
            raise
        raise MissingDependencyError(
            f"{what} needs {missing}, which the extra [{extra}] brings.",
            fix=f"pip install 'nativeear[{extra}]'",
        ) from error
