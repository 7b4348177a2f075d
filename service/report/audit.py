"""The page of an audit: what an index holds, how well it hears, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from indexer.audit.against import AgainstReport, LineCoverage
from indexer.audit.coverage import SILENCE_CLASS, PhoneCoverage
from indexer.audit.exemplar_map import ExemplarMap, exemplar_map
from indexer.audit.report import AuditReport, PhoneAudit
from indexes.phone_index import PhoneIndex
from service.report.audit_plots import (
    Ipa,
    confusion_map,
    coverage_map,
    exemplar_plot,
    learning_plot,
)
from service.report.clips import native_clips
from service.report.document import STYLE, document, write_document
from service.report.markup import Markup, element, joined
from speech.alignment import SILENCE
from speech.inventory import LETTER, VOWEL_KINDS

CLIPS_PER_PHONE = 3
LEAST_IN_A_MAP = 3
MOST_LINES = 500
"""Sentences of a text that are listed."""


def write_audit_page(path: str | Path, report: AuditReport, index: PhoneIndex) -> None:
    """Write an audit as one HTML file that needs nothing else, and replace it whole.

    Parameters
    ----------
    path
        The file.
    report
        The audit.
    index
        The index that it is of; words of its natives are put into the file, if it keeps them.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    write_document(path, render_audit(report, index))


def render_audit(report: AuditReport, index: PhoneIndex) -> str:
    """The audit as HTML."""
    maps = {title: exemplar_map(index, phones) for title, phones in _groups(index).items()}
    clips = native_clips(_in_turn(maps.values(), index), index)

    def ipa(phone: str) -> str:
        if phone == SILENCE:
            return "silence"
        return index.inventory.ipa(phone) if phone in index.inventory else phone

    sounds = {clip.id: clip.source for clip in clips.values()}
    body = joined(
        _headline(report),
        _against(report.against, ipa) if report.against else None,
        _section(
            "Phones",
            "Least trusted first. Trust is a lower bound of the share of unheard natives that are "
            "nearest to their own phone; below it, an assessment calls the phone uncertain.",
            _phones(report, ipa),
        ),
        _section(
            "Contexts",
            "Phones by the class before, as named above, and after, by its first letter; # is "
            "silence. A red frame: others of its kind occur there, and it does not.",
            coverage_map(report.coverage),
        ),
        _section(
            "Confusions",
            f"Natives, each asked without its {report.left_out}, by their phone (row) and what "
            "they were nearest to (column). The shade goes with the square root of the share.",
            confusion_map(report.confusions, ipa),
        ),
        _curves(report, ipa),
        *(
            element(
                "section",
                element("h2", f"Map of the {title}"),
                element(
                    "p",
                    f"The plane that separates them most: {laid.explained:.0%} of what lies "
                    "between their means."
                    + (" Choose a point with a ring to hear its word." if clips else ""),
                    class_="hint",
                ),
                _keys(index, laid),
                exemplar_plot(laid, clips, index, ipa),
            )
            for title, laid in maps.items()
        ),
        element("p", id="status", role="status", class_="status"),
        *(element("audio", id=name, preload="none", src=src) for name, src in sounds.items()),
    )
    title = f"{report.coverage.index} · audit"
    return document(title, body, script="audit.js", styles=(STYLE, "audit.css"))


def _groups(index: PhoneIndex) -> dict[str, list[str]]:
    """Phones that are held, in groups that share a map: vowels would hide behind consonants."""
    groups: dict[str, list[str]] = {}
    for phone in index.inventory:
        if phone.symbol in index.classes:
            title = "letters" if phone.kind == LETTER else "consonants"
            groups.setdefault("vowels" if phone.kind in VOWEL_KINDS else title, []).append(
                phone.symbol
            )
    if min(map(len, groups.values())) < LEAST_IN_A_MAP:
        groups = {"phones": [phone for phones in groups.values() for phone in phones]}
    return {title: phones for title, phones in groups.items() if len(phones) >= LEAST_IN_A_MAP}


def _in_turn(maps: Iterable[ExemplarMap], index: PhoneIndex) -> Iterator[int]:
    """Exemplars that can be heard: one of every phone, then a second of each, and so on."""
    by_phone: dict[str, list[int]] = {}
    drawn = [row for laid in maps for row in laid.rows[index.playable[laid.rows]].tolist()]
    for row in drawn:
        own = by_phone.setdefault(index.exemplar(row).phone, [])
        if len(own) < CLIPS_PER_PHONE:
            own.append(row)
    for rows in zip_longest(*by_phone.values()):
        yield from (row for row in rows if row is not None)


def _headline(report: AuditReport) -> Markup:
    held, shape = report.coverage, report.geometry
    figures = (
        ("Phones judged", f"{held.judged_share:.0%}"),
        ("Natives heard right", f"{report.accuracy:.1%}"),
        ("Phones held", f"{held.exemplars - held.silences:,}"),
        ("Silences", f"{held.silences:,}"),
        ("Speakers", f"{held.speakers:,}"),
        ("Minutes", f"{held.minutes:.0f}"),
    )
    dimension = (
        "not known" if shape.intrinsic_dimension is None else f"{shape.intrinsic_dimension:.1f}"
    )
    return element(
        "header",
        element("h1", f"Audit of {held.index}"),
        element(
            "dl",
            *(
                element("div", element("dt", name), element("dd", value), class_="unmeasured")
                for name, value in figures
            ),
            class_="scores audit",
        ),
        element(
            "p",
            f"{held.language}, version {held.revision}. Intrinsic dimension {dimension} of "
            f"{shape.dimensions}; hubness {shape.hubness:.2f}, {shape.hubs:.1%} hubs, "
            f"{shape.orphans:.1%} of the exemplars nobody’s neighbour.",
            class_="made",
        ),
    )


def _section(title: str, hint: str, content: Markup) -> Markup:
    return element(
        "section",
        element("h2", title),
        element("p", hint, class_="hint"),
        element("div", content, class_="scroller"),
    )


def _phones(report: AuditReport, ipa: Ipa) -> Markup:
    found = {phone.phone: phone for phone in report.phones}
    ordered = sorted(report.coverage.phones, key=lambda p: (p.trust, p.phone))
    return _table(
        (
            "",
            "Exemplars",
            "Speakers",
            "Minutes",
            "Women / men",
            "Initial",
            "Medial",
            "Final",
            "Stressed",
            "Unseen contexts",
            "Trust",
            "Misheard",
            "Flagged",
            "Taken for",
        ),
        (_phone_row(phone, found.get(phone.phone), ipa) for phone in ordered),
    )


def _phone_row(held: PhoneCoverage, found: PhoneAudit | None, ipa: Ipa) -> tuple[str, ...]:
    known = held.stressed + held.unstressed
    exemplars = {part.sex: part.exemplars for part in held.by_sex if part.sex is not None}
    expected = (
        ("", "", "")
        if found is None
        else (
            f"{found.expected.error:.1%}",
            f"{found.expected.false_rejections:.1%}",
            ", ".join(f"{ipa(c.phone)} {c.share:.0%}" for c in found.taken_for),
        )
    )
    return (
        held.ipa + ("" if held.judged else " – not judged"),
        f"{held.exemplars:,}",
        f"{held.speakers:,}",
        f"{held.minutes:.1f}",
        " / ".join(str(exemplars.get(sex, 0)) for sex in ("f", "m")) if exemplars else "",
        f"{held.positions.initial:,}",
        f"{held.positions.medial:,}",
        f"{held.positions.final:,}",
        f"{held.stressed / known:.0%}" if known else "",
        "" if held.unseen is None else f"{len(held.unseen)}",
        f"{held.trust:.2f}",
        *expected,
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Markup:
    """The first and the last column are text, those between them numbers."""

    def cells(tag: str, values: tuple[str, ...]) -> Iterator[Markup]:
        for at, value in enumerate(values):
            number = 0 < at < len(values) - 1
            yield element(tag, value, class_="number" if number else "ipa")

    return element(
        "table",
        element("thead", element("tr", *cells("th", head))),
        element("tbody", *(element("tr", *cells("td", row)) for row in rows)),
        class_="ruled",
    )


def _curves(report: AuditReport, ipa: Ipa) -> Markup:
    def gain(phone: PhoneAudit) -> float:
        return phone.curve.gain or 0.0

    told = [("all", report.curve)]
    told += [(ipa(p.phone), p.curve) for p in sorted(report.phones, key=gain, reverse=True)]
    hint = (
        "Share misheard, in percent, by the exemplars of the phone, with ever more of the "
        "utterances; the line goes on to twice as many. Most to gain first."
    )
    if not report.refitted:
        hint += (
            " The index keeps no embeddings: its transform was fitted on all of them each time, "
            "which makes the curves flatter than they should be."
        )
    return element(
        "section",
        element("h2", "What more speech would be worth"),
        element("p", hint, class_="hint"),
        element(
            "ul",
            *(
                element(
                    "li",
                    element(
                        "p",
                        element("b", name, class_="ipa"),
                        f" {curve.change} points" if curve.change else "",
                    ),
                    learning_plot(curve),
                )
                for name, curve in told
                if curve.exemplars
            ),
            class_="curves",
        ),
    )


def _keys(index: PhoneIndex, laid: ExemplarMap) -> Markup:
    kinds = dict.fromkeys(phone.kind for phone in index.inventory)
    shown = {index.inventory.phone(phone).kind for phone in laid.centres}
    return element(
        "ul",
        *(
            element(
                "li",
                element(
                    "svg",
                    element("circle", cx=5, cy=5, r=5, class_=f"kind-{at}"),
                    viewBox="0 0 10 10",
                    aria_hidden="true",
                ),
                kind,
            )
            for at, kind in enumerate(kinds)
            if kind in shown
        ),
        class_="keys",
    )


def _against(found: AgainstReport, ipa: Ipa) -> Markup:
    lacks = [
        f"{what}: {' '.join(ipa(phone) for phone in phones)}."
        for what, phones in (("Missing", found.missing), ("Not judged", found.uncertain))
        if phones
    ]
    worst = sorted(found.lines, key=lambda line: (line.judged_share or 0.0, line.trust or 0.0))
    script = found.script
    return element(
        "section",
        element("h2", f"Against {found.source}"),
        element("p", f"{found.judged_share:.1%} of its phones can be judged. ", " ".join(lacks)),
        element(
            "div",
            _table(
                ("Sentence" if found.kind == "text" else "Word", "Judged", "Trust", "Lacks"),
                (_line_row(line, ipa) for line in worst[:MOST_LINES]),
            ),
            class_="scroller",
        )
        if worst
        else None,
        element("h3", "To record next") if script.lines else None,
        element(
            "p",
            f"{script.gaps:,} exemplars are missing. Each line closes more gaps for its length "
            "than any that is left.",
            class_="hint",
        )
        if script.lines
        else None,
        element(
            "ol",
            *(
                element("li", line.text, element("small", f" +{line.fills}, {line.left:,} left"))
                for line in script.lines
            ),
            class_="script",
        )
        if script.lines
        else None,
    )


def _line_row(line: LineCoverage, ipa: Ipa) -> tuple[str, ...]:
    if line.problem:
        return line.text, "", "", line.problem

    def edge(context: str) -> str:
        return "#" if context == SILENCE_CLASS else context

    lacks = [ipa(phone) for phone in line.uncertain]
    lacks += [f"{edge(t.before)} – {ipa(t.phone)} – {edge(t.after)}" for t in line.thin]
    return (
        line.text,
        f"{line.judged_share or 0.0:.0%}",
        f"{line.trust or 0.0:.2f}",
        ", ".join(lacks),
    )
