"""The page: what the parts of a report are, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment, Remark
from nativeear.scoring.grading import quality_of
from nativeear.service.report.clips import data_uri, levelled, native_clips
from nativeear.service.report.document import document, write_document
from nativeear.service.report.markup import Markup, element, joined
from nativeear.service.report.prosody import fluency_section, prosody_section
from nativeear.service.report.scale import LEARNER
from nativeear.service.report.timeline import timeline
from nativeear.service.report.words import MAX_DETAILED, by_need, panels, sentence
from nativeear.speech.alignment import SILENCE
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError

MAX_REMARKS = 3
MAX_PLACES = 4


def write_report(path: str | Path, assessment: Assessment, audio: Audio, index: PhoneIndex) -> None:
    """Write one assessment as one HTML file that needs nothing else, and replace it whole.

    Parameters
    ----------
    path
        The file; it is written beside and renamed, so that no half of it is ever seen.
    assessment
        The result.
    audio
        The recording that it is about.
    index
        The index that it was made with; its clips are put into the file.

    Raises
    ------
    InputError
        If the file cannot be written, or the index is not that of the assessment.
    """
    write_document(path, render_page(assessment, audio, index))


def render_page(assessment: Assessment, audio: Audio, index: PhoneIndex) -> str:
    """The report as HTML. No script or style but its own can run in it, by its own policy."""
    if index.name != assessment.index:
        raise InputError(
            f"The assessment was made with the index {assessment.index}, not with {index.name}.",
            fix="Give the report the index of the assessment.",
        )
    return document(
        f"{assessment.id or 'Recording'} · pronunciation",
        _body(assessment, audio, index),
        script="report.js",
    )


def _body(assessment: Assessment, audio: Audio, index: PhoneIndex) -> Markup:
    def ipa(phone: str) -> str:
        return "silence" if phone == SILENCE else index.inventory.ipa(phone)

    phones = assessment.phones
    wanted = by_need(assessment)[:MAX_DETAILED]
    clips = native_clips((e.exemplar for place in wanted for e in phones[place].evidence), index)
    sounds = {clip.id: clip.source for clip in clips.values()}
    return joined(
        element("header", *_headline(assessment)),
        _remarks(assessment),
        _explanation(assessment),
        element(
            "section",
            element("h2", "Words"),
            element("p", "Choose a word to see and hear its sounds.", class_="hint"),
            _shortened(len(phones)),
            sentence(assessment),
            panels(assessment, clips, ipa),
        ),
        element(
            "section",
            element("h2", "Recording"),
            element("p", "Choose a sound or a word to hear it.", class_="hint"),
            element(
                "audio",
                id=LEARNER,
                controls=True,
                preload="auto",
                src=data_uri(Audio(levelled(audio.samples), audio.sample_rate)),
                aria_label="The learner’s recording",
            ),
            timeline(assessment, audio, ipa),
        ),
        _confusions(assessment),
        _insertions(assessment, ipa),
        fluency_section(assessment.fluency) if assessment.fluency else None,
        prosody_section(assessment.prosody, assessment.duration_s) if assessment.prosody else None,
        element("p", id="status", role="status", class_="status"),
        *(element("audio", id=name, preload="none", src=src) for name, src in sounds.items()),
    )


def _headline(assessment: Assessment) -> list[Markup]:
    scores = (
        element(
            "div",
            element("dt", name.capitalize()),
            element("dd", "not measured" if value is None else f"{value:.0f}"),
            class_=quality_of(value),
        )
        for name, value in assessment.score.model_dump().items()
    )
    level = assessment.level
    return [
        element("h1", assessment.id or "Recording"),
        element("dl", *scores, class_="scores"),
        element("p", f"{level.scale} {level.band} ({level.probability:.0%})")
        if level
        else Markup(),
        element(
            "p",
            f"Scores from 0 to 100, {assessment.calibration}, against the native speech of "
            f"{assessment.index} ({assessment.language}), heard by {assessment.encoder}. "
            f"{assessment.duration_s:.1f} s.",
            class_="made",
        ),
        element(
            "ul",
            *(element("li", element("b", "Note: "), words) for words in assessment.warnings),
            class_="warnings",
        )
        if assessment.warnings
        else Markup(),
    ]


def _remarks(assessment: Assessment) -> Markup | None:
    """What to work on, most important first, and where to find it."""
    if not assessment.remarks:
        return None
    items = (_remark(remark, assessment) for remark in assessment.remarks[:MAX_REMARKS])
    return element(
        "section",
        element("h2", "Most worth practising"),
        element("ol", *items, class_="remarks"),
    )


def _remark(remark: Remark, assessment: Assessment) -> Markup:
    numbers = dict.fromkeys(word for word, _ in remark.places)
    shown = (
        element(
            "button",
            f"Show “{assessment.words[number].word}”",
            type="button",
            class_="show",
            data_word=f"word-{number}",
        )
        for number in list(numbers)[:MAX_PLACES]
    )
    pairs = ", ".join(f"{meant} – {other}" for meant, other in remark.minimal_pairs)
    return element(
        "li",
        element("p", remark.text),
        element("p", remark.l1_note, class_="note") if remark.l1_note else None,
        element("p", "To practise: ", element("b", pairs)) if pairs else None,
        element("p", *shown),
    )


def _explanation(assessment: Assessment) -> Markup | None:
    if not assessment.explanation:
        return None
    return element(
        "section",
        element("h2", "In other words"),
        element("p", "Written by a language model, from the numbers alone.", class_="hint"),
        element("p", assessment.explanation, class_="explanation"),
    )


def _shortened(n_phones: int) -> Markup | None:
    if n_phones <= MAX_DETAILED:
        return None
    return element(
        "p",
        f"The recording is long: the evidence is shown for the {MAX_DETAILED} sounds that need "
        "most work.",
        class_="hint",
    )


def _confusions(assessment: Assessment) -> Markup | None:
    """What was meant and what was heard instead, the most frequent first."""
    found: dict[tuple[str, str], list[str]] = {}
    for word in assessment.words:
        for phone in word.phones:
            if not phone.needs_work or word.omitted:
                continue  # that a word was left out is said where the words stand
            other = next((s.ipa for s in phone.sounds_like if s.phone != phone.phone), None)
            if phone.verdict == "deleted":
                found.setdefault((phone.ipa, "not heard"), []).append(word.word)
            elif other is not None:
                found.setdefault((phone.ipa, other), []).append(word.word)
    if not found:
        return None
    rows = (
        element(
            "tr",
            element("td", meant, class_="ipa"),
            element("td", heard, class_=None if heard == "not heard" else "ipa"),
            element("td", str(len(words)), class_="number"),
            element("td", ", ".join(dict.fromkeys(words)), lang=assessment.language),
        )
        for (meant, heard), words in sorted(found.items(), key=lambda item: -len(item[1]))
    )
    head = (element("th", name, scope="col") for name in ("Meant", "Most like", "Times", "In"))
    return element(
        "section",
        element("h2", "Confusions"),
        element(
            "table",
            element("thead", element("tr", *head)),
            element("tbody", *rows),
            class_="ruled confusions",
        ),
    )


def _insertions(assessment: Assessment, ipa: Callable[[str], str]) -> Markup | None:
    if not assessment.insertions:
        return None
    items = (
        element(
            "li",
            element("span", ipa(extra.phone), class_="ipa"),
            f" after “{assessment.words[extra.after_word_index].word}”"
            if extra.after_word_index >= 0
            else " before the first word",
            f", {extra.start_s:.2f}–{extra.end_s:.2f} s. ",
            extra.feedback,
        )
        for extra in assessment.insertions
    )
    return element(
        "section", element("h2", "Sounds that do not belong there"), element("ul", *items)
    )
