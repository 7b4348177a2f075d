"""The page of an audit: what an index holds, how well it hears, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from nativeear.indexer.audit.exemplar_map import ExemplarMap, exemplar_map
from nativeear.indexer.audit.learning import LearningCurve
from nativeear.indexer.audit.report import AuditReport, PhoneAudit
from nativeear.indexes.native_margins import MIN_SPEAKERS
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.reliability import MIN_COVERAGE, MIN_RELIABILITY
from nativeear.service.audit_summary import (
    rated_speakers,
    sexes_sentence,
    since_sentence,
    vocabulary_sentence,
)
from nativeear.service.report.audit_plots import (
    Ipa,
    confusion_map,
    coverage_map,
    exemplar_plot,
    learning_plot,
)
from nativeear.service.report.audit_tables import (
    levels_table,
    lines_table,
    phones_table,
    places_table,
    since_table,
    voices_table,
)
from nativeear.service.report.clips import native_clips
from nativeear.service.report.rendering import render, write_page
from nativeear.speech.alignment import SILENCE
from nativeear.speech.phones import LETTER, VOWEL_KINDS

CLIPS_PER_PHONE = 3
LEAST_IN_A_MAP = 3

MOST_NAMED = 5
"""Phones that are named as the most misheard."""


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
    write_page(path, render_audit(report, index))


def render_audit(report: AuditReport, index: PhoneIndex) -> str:
    """The audit as HTML."""
    maps = {title: exemplar_map(index, phones) for title, phones in _groups(index).items()}
    suspects = [*report.suspects.outliers, *report.suspects.hubs]
    clips = native_clips(
        [*(each.exemplar for each in suspects), *_in_turn(maps.values(), index)], index
    )

    def ipa(phone: str) -> str:
        if phone == SILENCE:
            return "silence"
        return index.inventory.ipa(phone) if phone in index.inventory else phone

    return render(
        "audit.html",
        report=report,
        held=report.coverage,
        ipa=ipa,
        least_reliability=MIN_RELIABILITY,
        min_coverage=MIN_COVERAGE,
        min_speakers=MIN_SPEAKERS,
        sexes=sexes_sentence(report.coverage),
        rated=rated_speakers(index),
        few_voices=[p.phone for p in report.coverage.phones if 0 < p.speakers < MIN_SPEAKERS],
        worst=_worst(report),
        phones=phones_table(report, ipa),
        places=places_table(report),
        voices=voices_table(report),
        since=since_table(report.since, ipa) if report.since else None,
        since_told=since_sentence(report.since) if report.since else "",
        clip_of={row: clip.id for row, clip in clips.items()},
        lines=lines_table(report.against, ipa) if report.against else None,
        levels=levels_table(report.against) if report.against else None,
        words=vocabulary_sentence(report.record_next),
        coverage=coverage_map(report.coverage),
        confusions=confusion_map(report.confusions, ipa),
        curves=[(name, curve.change, learning_plot(curve)) for name, curve in _curves(report, ipa)],
        maps=[
            (title, drawn, _kinds(index, drawn), exemplar_plot(drawn, clips, index, ipa))
            for title, drawn in maps.items()
        ],
        sounds={clip.id: clip.source for clip in clips.values()},
    )


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
    for row in (row for each in maps for row in each.rows[index.playable[each.rows]].tolist()):
        own = by_phone.setdefault(index.exemplar(row).phone, [])
        if len(own) < CLIPS_PER_PHONE:
            own.append(row)
    for rows in zip_longest(*by_phone.values()):
        yield from (row for row in rows if row is not None)


def _worst(report: AuditReport) -> list[PhoneAudit]:
    """Phones that are judged, the most misheard first."""
    judged = {phone.phone for phone in report.coverage.phones if phone.judged}
    found = sorted(report.phones, key=lambda p: (-p.expected.error, p.phone))
    return [phone for phone in found if phone.phone in judged][:MOST_NAMED]


def _curves(report: AuditReport, ipa: Ipa) -> Iterator[tuple[str, LearningCurve]]:
    """That of all phones, and then those with the most to gain first."""
    if report.curve.exemplars:
        yield "all", report.curve
    for phone in sorted(report.phones, key=lambda p: p.curve.gain or 0.0, reverse=True):
        if phone.curve.exemplars:
            yield ipa(phone.phone), phone.curve


def _kinds(index: PhoneIndex, drawn: ExemplarMap) -> list[tuple[int, str]]:
    """The kinds of phones in a map, with the number of their colour."""
    shown = {index.inventory.phone(phone).kind for phone in drawn.centres}
    kinds = dict.fromkeys(phone.kind for phone in index.inventory)
    return [(number, kind) for number, kind in enumerate(kinds) if kind in shown]
