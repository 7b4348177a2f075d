"""What `nativeear index audit` says of an index."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from nativeear.indexer.audit.against import AgainstReport
from nativeear.indexer.audit.coverage import SILENCE_CLASS, CoverageReport
from nativeear.indexer.audit.needs import MIN_CONTEXT
from nativeear.indexer.audit.report import AuditReport
from nativeear.indexer.audit.script import Script
from nativeear.indexer.audit.since import Since
from nativeear.indexer.audit.vocabulary import RecordNext
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.index_size import size_in_words
from nativeear.service.tables import Column, Listing

MOST_LINES = 20
"""Sentences of a text that are shown, those that can be judged least first, and lines to record."""

SHOWN_CONFUSIONS = 2


def print_audit(report: AuditReport, console: Console) -> None:
    """Print what it holds and expects, phone by phone, and what would help."""
    held, shape = report.coverage, report.geometry
    console.print(
        Text(
            f"{held.index} ({held.language}): {size_in_words(held.exemplars, held.silences)}, "
            f"{held.minutes:.1f} minutes, "
            f"speakers: {held.speakers:,}{sexes_sentence(held)}. "
            f"Of natives that it never heard, {report.accuracy:.1%} should be nearest to their "
            f"own phone (each asked without its {report.left_out})."
        )
    )
    console.print(_phones(report))
    ipa = {p.phone: p.ipa for p in held.phones}
    for what, phones in (("Missing", held.missing), ("Not judged", held.uncertain)):
        if phones:
            console.print(Text(f"{what}: {' '.join(ipa[p] for p in phones)}"))
    console.print(Text(_worth(report, ipa)))
    dimension = (
        "unknown" if shape.intrinsic_dimension is None else f"{shape.intrinsic_dimension:.1f}"
    )
    console.print(
        Text(
            f"Space: intrinsic dimension {dimension} of {shape.dimensions}, hubness "
            f"{shape.hubness:.2f}, {shape.hubs:.1%} hubs, {shape.orphans:.1%} nobody's neighbour."
        )
    )
    if report.since is not None:
        _print_since(report.since, ipa, console)
    if report.against is not None:
        _print_against(report.against, ipa, console)
    else:
        needs = report.record_next
        _print_script(needs.script, f" {vocabulary_sentence(needs)}", console)


def since_sentence(since: Since) -> str:
    """What has become better or worse on the whole."""
    judged, right = since.judged_share, since.accuracy
    return (
        f"Since {since.index}, version {since.revision}: phones judged {judged[0]:.1%}, now "
        f"{judged[1]:.1%}; natives heard right {right[0]:.1%}, now {right[1]:.1%}; "
        f"{len(since.phones)} phones have changed."
    )


def _print_since(since: Since, ipa: dict[str, str], console: Console) -> None:
    """What has changed since an earlier audit, phone by phone."""
    console.print()
    console.print(Text(since_sentence(since)), style="bold")
    titles = ("held", "before", "reliability", "before", "error", "before")
    table = Listing((Column("phone", "name"), *(Column(title, "number") for title in titles)))
    for each in since.phones[:MOST_LINES]:
        errors = ["" if error is None else f"{error:.1%}" for error in each.error]
        table.add(
            ipa.get(each.phone, each.phone) + ("" if each.judged[1] else "?"),
            f"{each.exemplars[1]:,}",
            f"{each.exemplars[0]:,}",
            f"{each.reliability[1]:.2f}",
            f"{each.reliability[0]:.2f}",
            errors[1],
            errors[0],
        )
    if since.phones:
        console.print(table)


def vocabulary_sentence(needs: RecordNext) -> str:
    """Which words tell it, and how many of their phones in context are thin."""
    return (
        f"By {needs.words:,} words ({needs.source}): of their {needs.contexts:,} phones in "
        f"context, {needs.thin_contexts:,} have fewer than {MIN_CONTEXT} exemplars."
    )


def rated_speakers(index: PhoneIndex) -> int:
    """Speakers of whom the index holds rated speech alone: flawless phones, perhaps of learners."""
    if not index.native_utterances:
        return 0  # it is older than what tells them apart
    said, names = index.utterances
    native = np.array([name in index.native_utterances for name in names])[said]
    speaker, _ = index.speakers
    return len(np.unique(speaker)) - len(np.unique(speaker[native]))


def sexes_sentence(held: CoverageReport) -> str:
    """How much women and men said, as ` (women 12, 3.1 min; …)`; '' where no corpus states it."""
    if all(part.sex is None for part in held.by_sex):
        return ""
    named = {"f": "women", "m": "men", None: "not stated"}
    parts = (
        f"{named[part.sex]} {part.speakers:,}, {part.minutes:.1f} min of phones"
        for part in held.by_sex
    )
    return f" ({'; '.join(parts)})"


def _phones(report: AuditReport) -> Listing:
    """A row per phone that is held, the least reliable first."""
    held = {p.phone: p for p in report.coverage.phones}
    figures = ("held", "reliability", "error", "flagged")
    table = Listing(
        (
            Column("phone", "name"),
            *(Column(figure, "number") for figure in figures),
            Column("taken for"),
            *(Column(figure, "number") for figure in ("at 2×", "speakers", "unseen")),
        )
    )
    for phone in sorted(report.phones, key=lambda p: (held[p.phone].reliability, p.phone)):
        own = held[phone.phone]
        taken = " ".join(
            f"{held[c.phone].ipa if c.phone in held else 'silence'} {c.share:.0%}"
            for c in phone.taken_for[:SHOWN_CONFUSIONS]
        )
        table.add(
            own.ipa + ("" if own.judged else "?"),
            f"{own.exemplars:,}",
            f"{own.reliability:.2f}",
            f"{phone.expected.error:.1%}",
            f"{phone.expected.false_rejections:.1%}",
            taken,
            phone.curve.change,
            f"{own.speakers:,}",
            "" if own.unseen is None else str(len(own.unseen)),
        )
    return table


def _worth(report: AuditReport, ipa: dict[str, str]) -> str:
    """What more speech would be worth."""
    curve = report.curve
    if curve.gain is None or curve.doubled is None or curve.gain_error is None:
        return "There is too little speech to tell what more of it would be worth."
    text = (
        f"With twice the speech (2×): error {curve.doubled:.1%}, {100 * curve.gain:.1f} ± "
        f"{100 * curve.gain_error:.1f} points less than today."
    )
    if report.most_to_gain:
        text += f" Most to gain: {' '.join(ipa[p] for p in report.most_to_gain[:8])}."
    if not report.refitted:
        text += " (The index keeps no embeddings: its transform was not fitted anew with less.)"
    return text


def _print_against(found: AgainstReport, ipa: dict[str, str], console: Console) -> None:
    console.print()
    console.print(
        Text(f"{found.source}: {found.judged_share:.1%} of its phones can be judged."), style="bold"
    )
    for what, phones in (("Missing", found.missing), ("Not judged", found.uncertain)):
        if phones:
            console.print(Text(f"{what}: {' '.join(ipa.get(p, p) for p in phones)}"))
    if found.contexts:
        console.print(
            Text(f"Of {found.contexts} phones in context, {found.thin_contexts} are thin.")
        )
    if found.levels:
        _print_levels(found, console)
    if found.lines:
        _print_lines(found, ipa, console)
    if found.kind != "inventory":
        _print_script(found.script, "", console)


def _print_script(script: Script, by: str, console: Console) -> None:
    """What natives should say, and how often."""
    if not script.lines:
        console.print("Nothing has to be recorded for it.")
        return
    console.print()
    title = f"To record next, by several natives: {script.gaps:,} exemplars are missing.{by}"
    console.print(Text(title), style="bold")
    for number, line in enumerate(script.lines[:MOST_LINES], start=1):
        text = f"{number:>3}. {line.text}  × {line.times}  (+{line.fills}, {line.left:,} left)"
        console.print(Text(text))
    rest = len(script.lines) - MOST_LINES
    if rest > 0:
        console.print(f"… and {rest:,} more, which close the rest: see --json", style="dim")


def _print_levels(found: AgainstReport, console: Console) -> None:
    titles = ("words", "judged whole", "of their phones", "contexts", "thin")
    table = Listing((Column("level", "name"), *(Column(title, "number") for title in titles)))
    for each in found.levels:
        table.add(
            each.level,
            f"{each.words:,}",
            f"{each.whole:,}",
            f"{each.judged_share:.1%}",
            f"{each.contexts:,}",
            f"{each.thin_contexts:,}",
        )
    console.print(table)


def _print_lines(found: AgainstReport, ipa: dict[str, str], console: Console) -> None:
    table = Listing(
        (
            Column("judged", "number"),
            Column("reliability", "number"),
            Column("sentence" if found.kind == "text" else "word", "name"),
            Column("not judged, and thin"),
        )
    )
    worst = sorted(
        found.lines, key=lambda line: (line.judged_share or 0.0, line.reliability or 0.0)
    )
    for line in worst[:MOST_LINES]:
        if line.problem:
            table.add("", "", line.text, line.problem)
            continue
        lacks = [ipa[p] for p in line.uncertain]
        lacks += [f"{_edge(each.before)}{ipa[each.phone]}{_edge(each.after)}" for each in line.thin]
        table.add(
            f"{line.judged_share or 0.0:.0%}",
            f"{line.reliability or 0.0:.2f}",
            line.text,
            ", ".join(lacks),
        )
    console.print(table)
    if len(found.lines) > MOST_LINES:
        console.print(f"… and {len(found.lines) - MOST_LINES:,} more: see --json", style="dim")


def _edge(context: str) -> str:
    return "#" if context == SILENCE_CLASS else f"[{context}]"
