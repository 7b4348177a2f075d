"""The tables of an audit's page: phones, where they were said, sentences, and what to record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from nativeear.indexer.audit.against import AgainstReport, LineCoverage
from nativeear.indexer.audit.coverage import SILENCE_CLASS, PhoneCoverage
from nativeear.indexer.audit.report import AuditReport, PhoneAudit
from nativeear.indexer.audit.script import Script
from nativeear.service.report.audit_plots import Ipa
from nativeear.service.report.markup import Markup, element, joined

SHOWN = 8
"""Rows that are shown before the others, which have to be asked for."""

MOST_CONTEXTS = 4
"""Contexts of a sentence that are named as lacking; those of phones that are not judged are not."""

MOST_LINES = 500
"""Sentences of a text that are listed."""

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column: its head, what is in it, and whether that is a number, text, or a phone's name."""

    title: str
    cell: Callable[[Row], str]
    kind: str = "number"


def phones_table(report: AuditReport, ipa: Ipa) -> Markup:
    """How well each phone that is held is heard, the least trusted first."""
    found = {phone.phone: phone for phone in report.phones}

    def of(value: Callable[[PhoneAudit], str]) -> Callable[[PhoneCoverage], str]:
        return lambda held: value(found[held.phone]) if held.phone in found else ""

    return table(
        (
            Column("Phone", lambda held: held.ipa, "ipa"),
            Column("", lambda held: "" if held.judged else "not judged", "text"),
            Column("Trust", lambda held: f"{held.trust:.2f}"),
            Column("Misheard", of(lambda phone: f"{phone.expected.error:.1%}")),
            Column("Flagged", of(lambda phone: f"{phone.expected.false_rejections:.1%}")),
            Column("Taken for", of(lambda phone: _taken_for(phone, ipa)), "ipa"),
            Column("Exemplars", lambda held: f"{held.exemplars:,}"),
            Column("Speakers", lambda held: f"{held.speakers:,}"),
            Column(
                "Unseen contexts", lambda held: "" if held.unseen is None else f"{len(held.unseen)}"
            ),
        ),
        sorted(_held(report), key=lambda p: (p.trust, p.phone)),
        "phones",
    )


def places_table(report: AuditReport) -> Markup:
    """Where in words each phone was said, and by whom: the places add up to the exemplars."""
    return table(
        (
            Column("Phone", lambda held: held.ipa, "ipa"),
            Column("First in a word", lambda held: _count(held.positions.initial)),
            Column("Within", lambda held: _count(held.positions.medial)),
            Column("Last", lambda held: _count(held.positions.final)),
            Column("The whole word", lambda held: _count(held.positions.single)),
            Column("Not known", lambda held: _count(_unplaced(held))),
            Column("All exemplars", lambda held: f"{held.exemplars:,}"),
            Column("Minutes", lambda held: f"{held.minutes:.1f}"),
            Column("Stressed", _stressed),
            Column("Of women", lambda held: _of_sex(held, "f")),
            Column("Of men", lambda held: _of_sex(held, "m")),
        ),
        _held(report),
        "phones",
    )


def lines_table(found: AgainstReport, ipa: Ipa) -> Markup:
    """What can be done with each sentence or word, the least first."""
    worst = sorted(found.lines, key=lambda line: (line.judged_share or 0.0, line.trust or 0.0))
    name = "Sentence" if found.kind == "text" else "Word"
    return table(
        (
            Column(name, lambda line: line.text, "told"),
            Column("Judged", lambda line: _share(line.judged_share)),
            Column("Trust", lambda line: "" if line.trust is None else f"{line.trust:.2f}"),
            Column("Lacks", lambda line: _lacks(line, ipa), "ipa told"),
        ),
        worst[:MOST_LINES],
        "sentences" if found.kind == "text" else "words",
    )


def script_list(script: Script) -> Markup:
    """What natives should say next, and how often."""
    items = [
        element(
            "li",
            line.text,
            element("b", f" × {line.times}"),
            element("small", f" +{line.fills}, {line.left:,} left"),
        )
        for line in script.lines
    ]
    first = element("ol", *items[:SHOWN], class_="script")
    rest = element("ol", *items[SHOWN:], class_="script", start=SHOWN + 1)
    return joined(first, _more(len(items) - SHOWN, "lines", rest))


def table(columns: Sequence[Column[Row]], rows: Sequence[Row], what: str) -> Markup:
    """The first rows, and the others when they are asked for; columns without a cell are left out.

    Parameters
    ----------
    columns
        The first names the row.
    rows
        What they are of, what matters most first.
    what
        The rows by their name.
    """
    cells = [[column.cell(row) for column in columns] for row in rows]
    filled = [at for at in range(len(columns)) if any(row[at] for row in cells)]

    def part(chosen: Sequence[Sequence[str]]) -> Markup:
        head = (element("th", columns[at].title, scope="col", class_=_of(at)) for at in filled)
        return element(
            "div",
            element(
                "table",
                element("thead", element("tr", *head)),
                element(
                    "tbody",
                    *(
                        element("tr", *(element("td", row[at], class_=_of(at)) for at in filled))
                        for row in chosen
                    ),
                ),
                class_="ruled",
            ),
            class_="scroller",
            tabindex="0",
        )

    def _of(at: int) -> str:
        return columns[at].kind

    return joined(part(cells[:SHOWN]), _more(len(cells) - SHOWN, what, part(cells[SHOWN:])))


def _more(number: int, what: str, content: Markup) -> Markup | None:
    if number <= 0:
        return None
    return element("details", element("summary", f"{number:,} more {what}"), content, class_="more")


def _held(report: AuditReport) -> list[PhoneCoverage]:
    return [phone for phone in report.coverage.phones if phone.exemplars]


def _taken_for(phone: PhoneAudit, ipa: Ipa) -> str:
    return ", ".join(f"{ipa(other.phone)}\u00a0{other.share:.0%}" for other in phone.taken_for)


def _unplaced(held: PhoneCoverage) -> int:
    place = held.positions
    return held.exemplars - (place.initial + place.medial + place.final + place.single)


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _stressed(held: PhoneCoverage) -> str:
    known = held.stressed + held.unstressed
    return f"{held.stressed / known:.0%}" if known else ""


def _of_sex(held: PhoneCoverage, sex: str) -> str:
    return _count(sum(part.exemplars for part in held.by_sex if part.sex == sex))


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
