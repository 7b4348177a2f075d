"""The page of an audit: what an index holds, how well it hears, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from nativeear.indexer.audit.against import AgainstReport
from nativeear.indexer.audit.exemplar_map import ExemplarMap, exemplar_map
from nativeear.indexer.audit.report import AuditReport, PhoneAudit
from nativeear.indexer.audit.script import Script
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.trust import LEAST_TRUST, MIN_COVERAGE
from nativeear.service.audit_summary import words_told
from nativeear.service.report.audit_answers import headline
from nativeear.service.report.audit_plots import (
    Ipa,
    confusion_map,
    coverage_map,
    exemplar_plot,
    learning_plot,
)
from nativeear.service.report.audit_tables import (
    lines_table,
    phones_table,
    places_table,
    script_list,
)
from nativeear.service.report.clips import native_clips
from nativeear.service.report.document import STYLE, document, write_document
from nativeear.service.report.markup import Markup, element, joined
from nativeear.speech.alignment import SILENCE
from nativeear.speech.phones import LETTER, VOWEL_KINDS

CLIPS_PER_PHONE = 3
LEAST_IN_A_MAP = 3


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
        headline(report, ipa),
        _against(report.against, ipa) if report.against else None,
        _section(
            "Phones",
            "Least trusted first. Trust is a lower bound of the share of unheard natives that are "
            f"nearest to their own phone. Below {LEAST_TRUST}, or with fewer than {MIN_COVERAGE} "
            "exemplars, an assessment calls the phone uncertain and does not judge it.",
            phones_table(report, ipa),
        ),
        _record_next(report),
        _folded(
            "Where in words, and by whom",
            "The place in the word is not known where a neighbour was left out of the index. The "
            "places add up to the exemplars.",
            places_table(report),
        ),
        _folded(
            "Contexts",
            "Phones by the class before, as named above, and after, by its first letter; # is "
            "silence. A red frame: words of the language have it there, and the index has not.",
            _scroller(coverage_map(report.coverage)),
        ),
        _folded(
            "Confusions",
            f"Natives, each asked without its {report.left_out}, by their phone (row) and what "
            "they were nearest to (column). The shade goes with the square root of the share.",
            _scroller(confusion_map(report.confusions, ipa)),
        ),
        _curves(report, ipa),
        *(
            _folded(
                f"Map of the {title}",
                f"The plane that separates them most: {laid.explained:.0%} of what lies between "
                "their means." + (" Choose a point with a ring to hear its word." if clips else ""),
                joined(_keys(index, laid), exemplar_plot(laid, clips, index, ipa)),
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


def _section(title: str, hint: str, content: Markup) -> Markup:
    return element(
        "section",
        element("h2", title),
        element("p", hint, class_="hint"),
        content,
    )


def _folded(title: str, hint: str, content: Markup) -> Markup:
    """A section that has to be asked for."""
    return element(
        "section",
        element(
            "details",
            element("summary", element("h2", title)),
            element("p", hint, class_="hint"),
            content,
        ),
    )


def _scroller(content: Markup) -> Markup:
    return element("div", content, class_="scroller", tabindex="0")


def _record_next(report: AuditReport) -> Markup | None:
    found = report.record_next
    if report.against is not None or not found.script.lines:
        return None
    return _section(
        "To record next", f"{words_told(found)} {_gaps(found.script)}", script_list(found.script)
    )


def _gaps(script: Script) -> str:
    return (
        f"{script.gaps:,} exemplars are missing. Each line closes more gaps for its length than "
        "any that is left; said so often, by several natives, they close all."
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
    return _folded(
        "What more speech would be worth",
        hint,
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
    script = found.script
    return element(
        "section",
        element("h2", f"Against {found.source}"),
        element("p", f"{found.judged_share:.1%} of its phones can be judged. ", " ".join(lacks)),
        lines_table(found, ipa) if found.lines else None,
        *(
            (
                element("h3", "To record next"),
                element("p", _gaps(script), class_="hint"),
                script_list(script),
            )
            if script.lines
            else ()
        ),
    )
