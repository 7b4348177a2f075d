"""The command line: `nativeear`.

Every command prints its result on stdout, its progress on stderr, and ends with 0 (done), 1 (a
part failed, the rest is done) or 2 (bad input). Nothing heavy is imported before a command runs,
so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands import bands, encoders, index, inventory, keys, people
from nativeear.service.commands.align import align
from nativeear.service.commands.assess import assess
from nativeear.service.commands.backup import backup, restore
from nativeear.service.commands.compare import compare
from nativeear.service.commands.evaluate import evaluate
from nativeear.service.commands.guard import SOME_FAILED, GuardedCommand, end_unwritten, print_json
from nativeear.service.commands.mcp import mcp
from nativeear.service.commands.plot import plot
from nativeear.service.commands.score import score
from nativeear.service.commands.serve import serve
from nativeear.service.commands.web_demo import web_demo
from nativeear.service.commands.web_pack import web_pack

app = typer.Typer(
    name="nativeear",
    help="Hear a learner against native speech, phone by phone.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help needs no rich and takes half the time
    pretty_exceptions_enable=False,
)
app.command(cls=GuardedCommand)(assess)
app.command(cls=GuardedCommand)(align)
app.command(cls=GuardedCommand)(score)
app.command(cls=GuardedCommand)(compare)
app.command("eval", cls=GuardedCommand)(evaluate)
app.command(cls=GuardedCommand)(plot)
app.command(cls=GuardedCommand)(serve)
app.command(cls=GuardedCommand)(mcp)
app.command("web-pack", cls=GuardedCommand)(web_pack)
app.command("web-demo", cls=GuardedCommand)(web_demo)
app.command(cls=GuardedCommand)(backup)
app.command(cls=GuardedCommand)(restore)
app.add_typer(index.app)
app.add_typer(encoders.app)
app.add_typer(bands.app)
app.add_typer(inventory.app)
app.add_typer(keys.app)
app.add_typer(people.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        from nativeear.service.version import RELEASE

        installed = f"nativeear {RELEASE}"
        print(installed if RELEASE else "nativeear, from a source folder that is not installed")
        raise typer.Exit


@app.callback()
def nativeear(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Hear a learner against native speech, phone by phone."""


@app.command(cls=GuardedCommand)
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say what is installed, what is missing, and the command that brings it.

    The exit code is 1 if something required is missing.
    """
    from dataclasses import asdict

    from nativeear.service.doctor import examine, print_report

    report = examine()
    if as_json:
        print_json({"ok": report.ok, "checks": [asdict(check) for check in report.checks]})
    else:
        from nativeear.service.tables import console

        print_report(report, console())
    if not report.ok:
        raise typer.Exit(SOME_FAILED)


@app.command(cls=GuardedCommand)
def demo(
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the two recordings there, for listening."),
    ] = None,
) -> None:
    """Hear a native prompt, and the same prompt with one phone replaced."""
    from nativeear.service.demo import run_demo
    from nativeear.service.tables import console

    run_demo(console(), keep)


def main() -> None:
    """Run the command line; the console script `nativeear`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # IPA in a terminal without Unicode
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:  # closed by the caller
                sys.stdout.flush()
    except OSError as error:
        end_unwritten(error)


if __name__ == "__main__":
    main()
