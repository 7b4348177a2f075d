"""Parts of NativeEar that need what may not be installed, and what is said where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nativeear.speech.errors import MissingDependencyError

_PACKAGE = __name__.partition(".")[0]  # `nativeear`, or `nativeear_client`
_DISTRIBUTION = _PACKAGE.replace("_", "-")


@contextmanager
def needing(extra: str | None, what: str) -> Iterator[None]:
    """Inside, a library that cannot be imported is an error that names the extra that brings it.

    Parameters
    ----------
    extra
        Of `pyproject.toml`, such as `torch`; None for what NativeEar itself depends on, which who
        only asks a service may do without.
    what
        What needs it, as a sentence begins: `The service`.

    Raises
    ------
    MissingDependencyError
        With the command that installs it.
    """
    try:
        yield
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", _PACKAGE}:
            raise
        named = "nativeear" if extra is None else f"'{_DISTRIBUTION}[{extra}]'"
        fix = f"pip install {named}"
        brings = f"`{fix}`" if extra is None else f"the extra [{extra}]"
        raise MissingDependencyError(
            f"{what} needs {missing}, which {brings} brings.",
            cause="" if isinstance(error, ModuleNotFoundError) else str(error),
            fix=fix,
        ) from error
