"""The report of one assessment: what is put into its template."""

from __future__ import annotations

from pathlib import Path

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.feedback.sentences import ENGLISH
from nativeear.scoring.feedback.translation import with_advice_in
from nativeear.scoring.legend import legend
from nativeear.service.report import words
from nativeear.service.report.clips import data_uri, levelled, native_clips
from nativeear.service.report.prosody import measures
from nativeear.service.report.rendering import render, write_page
from nativeear.service.report.timeline import timeline
from nativeear.speech.alignment import SILENCE
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError

MAX_REMARKS = 3
MAX_PLACES = 4


def write_report(
    path: str | Path,
    assessment: Assessment,
    audio: Audio,
    index: PhoneIndex,
    *,
    advice_language: str = ENGLISH,
) -> None:
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
    advice_language
        What its advice is told in (de, en, es, fr, it, ru, zh); the rest is English.

    Raises
    ------
    InputError
        If the file cannot be written, the index is not that of the assessment, or no advice is
        given in the language.
    """
    write_page(path, render_page(assessment, audio, index, advice_language=advice_language))


def render_page(
    assessment: Assessment, audio: Audio, index: PhoneIndex, *, advice_language: str = ENGLISH
) -> str:
    """The report as HTML. No script or style but its own can run in it, by its own policy."""
    if index.name != assessment.index:
        raise InputError(
            f"The assessment was made with the index {assessment.index}, not with {index.name}.",
            fix="Give the report the index of the assessment.",
        )

    if advice_language != ENGLISH:
        assessment = with_advice_in(assessment, advice_language, index.inventory)

    def ipa(phone: str) -> str:
        return "silence" if phone == SILENCE else index.inventory.ipa(phone)

    phones = assessment.phones
    wanted = words.by_need(assessment)[: words.MAX_DETAILED]
    clips = native_clips((e.exemplar for place in wanted for e in phones[place].evidence), index)
    return render(
        "report.html",
        result=assessment,
        advice_language=advice_language,
        ipa=ipa,
        max_remarks=MAX_REMARKS,
        max_places=MAX_PLACES,
        shortened_to=words.MAX_DETAILED if len(phones) > words.MAX_DETAILED else None,
        again=words.again,
        legend=legend,
        spoken=words.spoken,
        symbols=words.symbols,
        note=words.note,
        panels=words.panels(assessment, clips),
        recording=data_uri(Audio(levelled(audio.samples), audio.sample_rate)),
        timeline=timeline(assessment, audio, ipa),
        confusions=_confusions(assessment),
        measures=list(measures(assessment)),
        sounds={clip.id: clip.source for clip in clips.values()},
    )


def _confusions(assessment: Assessment) -> list[tuple[str, str | None, list[str]]]:
    """What was meant, what was heard instead (None: nothing) and in which words; frequent first."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for word in assessment.words:
        for phone in word.phones:
            if not phone.needs_work or word.omitted:
                continue  # that a word was left out is said where the words stand
            other = next((s.ipa for s in phone.sounds_like if s.phone != phone.phone), None)
            if phone.verdict == "deleted":
                found.setdefault((phone.ipa, None), []).append(word.word)
            elif other is not None:
                found.setdefault((phone.ipa, other), []).append(word.word)
    return [
        (meant, heard, said)
        for (meant, heard), said in sorted(found.items(), key=lambda item: -len(item[1]))
    ]
