"""The head of an audit's page: may the index be used, for whom, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from nativeear.indexer.audit.report import AuditReport
from nativeear.indexes.natives import MIN_SPEAKERS
from nativeear.service.audit_summary import sexes_told
from nativeear.service.report.audit_plots import Ipa
from nativeear.service.report.markup import Markup, element

MOST_NAMED = 5
"""Phones that are named as the most misheard."""


def headline(report: AuditReport, ipa: Ipa) -> Markup:
    """The questions that people come with, answered in a sentence or two, and the figures."""
    held = report.coverage
    figures = (
        ("Phones judged", f"{held.judged_share:.0%}"),
        ("Natives heard right", f"{report.accuracy:.1%}"),
        ("Phones held", f"{held.exemplars - held.silences:,}"),
        ("Silences", f"{held.silences:,}"),
        ("Speakers", f"{held.speakers:,}"),
        ("Minutes", f"{held.minutes:.0f}"),
    )
    answers = (
        ("May I use it?", [_use(report)]),
        ("For whom?", list(_whom(report, ipa))),
        ("What is missing?", list(_missing(report, ipa))),
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
            "dl",
            *(
                element("div", element("dt", question), *(element("dd", each) for each in told))
                for question, told in answers
            ),
            class_="answers",
        ),
        element("p", _shape(report), class_="made"),
    )


def _use(report: AuditReport) -> str:
    held = report.coverage
    judged, total = sum(phone.judged for phone in held.phones), len(held.phones)
    if not judged:
        return f"No: it can judge none of the {total} phones of {held.language}."
    scope = "Yes" if judged > total / 2 else "For little"
    return (
        f"{scope}: for {judged} of the {total} phones of {held.language}. Of the phones of natives "
        f"whom it has never heard, {report.accuracy:.1%} should be nearest to their own."
    )


def _whom(report: AuditReport, ipa: Ipa) -> Iterator[str]:
    held = report.coverage
    yield (
        f"Learners of {held.language} who want to sound like these natives: "
        f"{held.speakers:,} speaker{'' if held.speakers == 1 else 's'}{sexes_told(held)}."
    )
    if report.left_out == "utterance":
        yield (
            f"With fewer than {MIN_SPEAKERS} speakers nothing tells how it hears other voices: "
            "its figures are of the same voices in other recordings."
        )
        return
    few = [ipa(p.phone) for p in held.phones if 0 < p.speakers < MIN_SPEAKERS]
    if few:
        yield f"Fewer than {MIN_SPEAKERS} voices stand for {' '.join(few)}."


def _missing(report: AuditReport, ipa: Ipa) -> Iterator[str]:
    held = report.coverage
    if held.missing:
        yield f"It holds no {' '.join(ipa(phone) for phone in held.missing)}."
    if held.uncertain:
        yield f"Held, and not judged: {' '.join(ipa(phone) for phone in held.uncertain)}."
    judged = {phone.phone for phone in held.phones if phone.judged}
    worst = sorted(report.phones, key=lambda p: (-p.expected.error, p.phone))
    named = [
        f"{ipa(phone.phone)} {phone.expected.error:.0%}" for phone in worst if phone.phone in judged
    ]
    if named:
        yield f"Misheard most of what it judges: {', '.join(named[:MOST_NAMED])}."
    gaps = report.record_next.script.gaps
    if report.against is None and gaps:
        yield f"{gaps:,} exemplars would close its gaps: see what to record next."


def _shape(report: AuditReport) -> str:
    held, shape = report.coverage, report.geometry
    dimension = (
        "not known" if shape.intrinsic_dimension is None else f"{shape.intrinsic_dimension:.1f}"
    )
    return (
        f"{held.language}, version {held.revision}. Intrinsic dimension {dimension} of "
        f"{shape.dimensions}; hubness {shape.hubness:.2f}, {shape.hubs:.1%} hubs, "
        f"{shape.orphans:.1%} of the exemplars nobody’s neighbour."
    )
