"""`nativeear index audit`: what an index cannot hear, and what to record next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import SOME_FAILED, print_json, refuse_missing_folder
from nativeear.service.commands.options import AsJson, Index
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.indexer.audit.report import AuditReport


def audit(
    name: Index,
    *,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT|LEXICON|WORDS|INVENTORY",
            help="What is to be practised: sentences, a lexicon (.dict), words by level (.csv), "
            "phone labels (.phones, .json), a language of PHOIBLE's table (phoible.csv:eng) or one "
            "whose inventory ships. Prints what a native should record next.",
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIR|AUDIT.json",
            help="An earlier version, another index, or what --json printed of one: tells what has "
            "changed since.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="REPORT.html", help="Write a page with plots.")
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="SHARE",
            help="Exit 1 if a smaller share of the phones (of --against, if given) is judged, or a "
            "smaller share of left-out natives is heard right.",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the audit in the index, as audit.json.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what an index holds, how well it hears, and what it lacks."""
    from nativeear.indexer.audit.report import audit as audit_of
    from nativeear.indexes.catalogue import find_index
    from nativeear.indexes.phone_index import PhoneIndex

    if keep and against is not None:
        raise InputError(
            "What is kept in an index is the audit of the index alone.",
            fix="Leave out --against, or --keep.",
        )
    from nativeear.indexer.audit.earlier import audit_before, since

    if keep and before is not None:
        raise InputError(
            "What is kept in an index is the audit of the index alone.",
            fix="Leave out --before, or --keep.",
        )
    read = [Path(given) for given in (against, before) if given is not None]
    refuse_missing_folder("report", html, *read)
    index = PhoneIndex.open(find_index(name))
    earlier = None if before is None else audit_before(before)
    report = audit_of(index, source=against)
    if earlier is not None:
        report = report.model_copy(update={"since": since(earlier, report)})
    if keep:
        from nativeear.indexer.audit.kept import keep_audit

        keep_audit(index, report)
    if html is not None:
        from nativeear.service.report.audit import write_audit_page

        write_audit_page(html, report, index)
    if as_json:
        print_json(report.model_dump_json(indent=2))
    else:
        from nativeear.service.audit_summary import print_audit
        from nativeear.service.tables import console

        print_audit(report, console())
    if fail_under is not None and not _passes(report, fail_under):
        raise typer.Exit(SOME_FAILED)


def _passes(report: AuditReport, least: float) -> bool:
    """Whether enough phones are judged and enough natives heard right; on stderr, if not."""
    compared = report.against
    judged = report.coverage.judged_share if compared is None else compared.judged_share
    of = "its inventory" if compared is None else compared.source
    short = [
        f"{share:.1%} of {what}"
        for share, what in (
            (judged, f"the phones of {of} are judged"),
            (report.accuracy, "left-out natives are heard right"),
        )
        if share < least
    ]
    if short:
        print(f"Under {least:.1%}: {', and '.join(short)}.", file=sys.stderr)
    return not short
