"""The tables of an audit's page: phones, where they were said, and sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nativeear.indexer.audit.against import AgainstReport, LineCoverage
from nativeear.indexer.audit.coverage import SILENCE_CLASS, PhoneCoverage
from nativeear.indexer.audit.report import AuditReport
from nativeear.indexer.audit.since import Since
from nativeear.service.report.audit_plots import Ipa

MOST_CONTEXTS = 4
"""Contexts of a sentence that are named as lacking; those of phones that are not judged are not."""

MOST_LINES = 500
"""Sentences of a text that are listed."""


@dataclass(frozen=True)
class Column:
    """A column: its head, and whether it holds numbers, text, or phones' names."""

    title: str
    kind: str = "number"


@dataclass(frozen=True)
class Table:
    """Columns that have a cell, rows with what matters most first, and what the rows are."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    what: str

    @classmethod
    def of(cls, columns: Iterable[Column], rows: Iterable[tuple[str, ...]], what: str) -> Table:
        """A table without the columns that nothing is in."""
        columns, rows = tuple(columns), tuple(rows)
        filled = [at for at in range(len(columns)) if any(row[at] for row in rows)]
        return cls(
            tuple(columns[at] for at in filled),
            tuple(tuple(row[at] for at in filled) for row in rows),
            what,
        )


def phones_table(report: AuditReport, ipa: Ipa) -> Table:
    """How well each phone that is held is heard, the least reliable first."""
    heard = {phone.phone: phone for phone in report.phones}
    rows = []
    for held in sorted(_held(report), key=lambda p: (p.reliability, p.phone)):
        own = heard.get(held.phone)
        taken_for = own.taken_for if own else ()
        rows.append(
            (
                held.ipa,
                "" if held.judged else "not judged",
                f"{held.reliability:.2f}",
                f"{own.expected.error:.1%}" if own else "",
                f"{own.expected.false_rejections:.1%}" if own else "",
                ", ".join(f"{ipa(other.phone)}\u00a0{other.share:.0%}" for other in taken_for),
                f"{held.exemplars:,}",
                f"{held.speakers:,}",
                "" if held.unseen is None else f"{len(held.unseen)}",
            )
        )
    columns = (
        Column("Phone", "ipa"),
        Column("", "text"),
        *map(Column, ("Reliability", "Misheard", "Flagged")),
        Column("Taken for", "ipa"),
        *map(Column, ("Exemplars", "Speakers", "Unseen contexts")),
    )
    return Table.of(columns, rows, "phones")


def places_table(report: AuditReport) -> Table:
    """Where in words each phone was said, and by whom: the places add up to the exemplars."""
    rows = []
    for held in _held(report):
        at = held.positions
        places = (at.initial, at.medial, at.final, at.single)
        known = held.stressed + held.unstressed
        rows.append(
            (
                held.ipa,
                *map(_count, (*places, held.exemplars - sum(places))),
                f"{held.exemplars:,}",
                f"{held.minutes:.1f}",
                f"{held.stressed / known:.0%}" if known else "",
                *(_count(sum(p.exemplars for p in held.by_sex if p.sex == sex)) for sex in "fm"),
            )
        )
    named = (
        *("First in a word", "Within", "Last", "The whole word", "Not known", "All exemplars"),
        *("Minutes", "Stressed", "Of women", "Of men"),
    )
    return Table.of((Column("Phone", "ipa"), *map(Column, named)), rows, "phones")


def since_table(since: Since, ipa: Ipa) -> Table:
    """The phones that have changed since an earlier audit."""
    rows = []
    for each in since.phones:
        errors = ["" if error is None else f"{error:.1%}" for error in each.error]
        told = {(True, False): "not judged any more", (False, True): "judged now"}
        rows.append(
            (
                ipa(each.phone),
                told.get(each.judged, ""),
                *(f"{number:,}" for number in each.exemplars),
                *(f"{number:.2f}" for number in each.reliability),
                *errors,
            )
        )
    titles = ("Exemplars before", "now", "Reliability before", "now", "Misheard before", "now")
    columns = (Column("Phone", "ipa"), Column("", "text"), *map(Column, titles))
    return Table.of(columns, rows, "phones")


def voices_table(report: AuditReport) -> Table:
    """What each voice holds, and how it would fare if the index did not know it."""
    sexes = {"f": "woman", "m": "man", None: ""}
    rows = (
        (
            voice.speaker,
            f"{voice.false_rejections:.1%}",
            f"{voice.error:.1%}",
            f"{voice.exemplars:,}",
            f"{voice.minutes:.1f}",
            sexes[voice.sex],
            voice.corpus,
        )
        for voice in report.voices.voices
    )
    columns = (
        Column("Speaker", "text"),
        *map(Column, ("Flagged", "Misheard", "Exemplars", "Minutes")),
        *(Column(title, "text") for title in ("", "Corpus")),
    )
    return Table.of(columns, rows, "voices")


def levels_table(found: AgainstReport) -> Table:
    """What can be done with the words of each level."""
    rows = (
        (
            each.level,
            f"{each.words:,}",
            f"{each.whole:,}",
            f"{each.judged_share:.1%}",
            f"{each.contexts:,}",
            _count(each.thin_contexts),
        )
        for each in found.levels
    )
    titles = ("Words", "Judged whole", "Of their phones", "Contexts", "Thin")
    return Table.of((Column("Level", "text"), *map(Column, titles)), rows, "levels")


def lines_table(found: AgainstReport, ipa: Ipa) -> Table:
    """What can be done with each sentence or word, the least first."""
    worst = sorted(
        found.lines, key=lambda line: (line.judged_share or 0.0, line.reliability or 0.0)
    )
    rows = (
        (
            line.text,
            "" if line.judged_share is None else f"{line.judged_share:.0%}",
            "" if line.reliability is None else f"{line.reliability:.2f}",
            _lacks(line, ipa),
        )
        for line in worst[:MOST_LINES]
    )
    is_text = found.kind == "text"
    columns = (
        Column("Sentence" if is_text else "Word", "told"),
        *map(Column, ("Judged", "Reliability")),
        Column("Lacks", "ipa told"),
    )
    return Table.of(columns, rows, "sentences" if is_text else "words")


def _held(report: AuditReport) -> list[PhoneCoverage]:
    return [phone for phone in report.coverage.phones if phone.exemplars]


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _lacks(line: LineCoverage, ipa: Ipa) -> str:
    if line.problem:
        return line.problem

    def edge(context: str) -> str:
        return "#" if context == SILENCE_CLASS else context

    lacks = [ipa(phone) for phone in line.uncertain]
    thin = [t for t in line.thin if t.phone not in line.uncertain]
    lacks += [f"{edge(t.before)} – {ipa(t.phone)} – {edge(t.after)}" for t in thin[:MOST_CONTEXTS]]
    if len(thin) > MOST_CONTEXTS:
        lacks.append(f"and {len(thin) - MOST_CONTEXTS} more contexts")
    return ", ".join(lacks)
