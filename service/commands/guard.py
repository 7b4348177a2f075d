"""How every command ends: its exit code, and errors as sentences, never as tracebacks."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand

from nativeear.service.failures import InternalError, error_object
from nativeear.speech.errors import InputError, NativeEarError

SOME_FAILED = 1
BAD_INPUT = 2
INTERNAL_ERROR = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130
DEBUG = "NATIVEEAR_DEBUG"
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def print_json(value: Any) -> None:
    """Print a result as JSON on stdout, in UTF-8 whatever the terminal's encoding.

    Parameters
    ----------
    value
        Dataclasses, models, paths, or what is made of them; or JSON already.
    """
    from pydantic_core import to_jsonable_python

    if not isinstance(value, str):
        value = json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=2)
    typer.echo(value.encode())


def command_group(name: str, help: str) -> typer.Typer:
    """Commands under a common name."""
    group = typer.Typer(name=name, help=help, no_args_is_help=True, rich_markup_mode=None)
    group.callback()(lambda: None)  # a group of one command is a group, too
    return group


def refuse_missing_folder(what: str, path: Path | None, *others: Path | None) -> None:
    """Refuse a file that could not be written, before anything slow is done.

    Parameters
    ----------
    what, path
        What is to be written, and where.
    others
        Files that are read, or written besides: what is in them would be lost.
    """
    if path is None:
        return
    if not path.parent.is_dir():
        raise InputError(
            f"The {what} cannot be written to {path}.",
            cause=f"There is no folder {path.parent}.",
            fix="Make the folder first, or give another path.",
        )
    if path.resolve() in {other.resolve() for other in others if other is not None}:
        raise InputError(
            f"The {what} cannot be written to {path}.",
            cause="Another of the files that were named is there.",
            fix="Give another path.",
        )


class GuardedCommand(TyperCommand):
    """A command whose errors reach the person as sentences.

    With `--json` they are an object on stdout, otherwise lines on stderr.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command and translate whatever stops it into an exit code."""
        as_json = bool(ctx.params.get("as_json"))
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise  # typer's own business
        except KeyboardInterrupt:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except NativeEarError as error:
            _report(error, as_json)
            raise typer.Exit(BAD_INPUT) from None
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                _report(_unwritten(error), as_json)
                raise typer.Exit(BAD_INPUT) from None
            if os.environ.get(DEBUG):
                traceback.print_exc()
            _report(InternalError.of(error), as_json)
            raise typer.Exit(INTERNAL_ERROR) from None


def end_unwritten(error: OSError) -> NoReturn:
    """End a process whose stdout takes nothing: on a full disk not even its error as JSON."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the end would try again
    _report(_unwritten(error), as_json=False)
    sys.exit(BAD_INPUT)


def _unwritten(error: OSError) -> InputError:
    return InputError(
        "Not all could be written.",
        cause=f"{error.strerror}: {error.filename}." if error.filename else f"{error.strerror}.",
        fix="Free some space, or write to another place, and give the same command again.",
    )


def _report(error: NativeEarError, as_json: bool) -> None:
    if as_json:
        print_json({"error": error_object(error)})
        return
    for label, text in (("Error", error.message), ("Cause", error.cause), ("Fix", error.fix)):
        if text:
            print(f"{label}: {text}", file=sys.stderr)
