"""Failures in the shape of the JSON contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nativeear.speech.errors import NativeEarError

T = TypeVar("T")


class InternalError(NativeEarError):
    """A fault of the program itself, told in the same shape as a fault of the input."""

    code = "internal-error"

    @classmethod
    def of(cls, error: BaseException) -> InternalError:
        """Tell an unexpected exception in one sentence."""
        return cls(
            f"Internal error {type(error).__name__}.",
            cause=" ".join(str(error).split()),
            fix="Run with NATIVEEAR_DEBUG=1 for the traceback, and report it.",
        )


def error_object(error: NativeEarError) -> dict[str, str]:
    """Return the value of `"error"` in JSON."""
    return {
        "code": error.code,
        "message": error.message,
        "cause": error.cause,
        "fix": error.fix,
    }


def attempt(work: Callable[[], T]) -> T | NativeEarError:
    """What comes of work, or why nothing does: one broken recording must not cost the others."""
    try:
        return work()
    except NativeEarError as error:
        return error
    except Exception as error:
        return InternalError.of(error)
