"""Waveform and spectrogram with the words and sounds that were found in them, as SVG."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from nativeear.scoring.assessment import Assessment, Insertion, PhoneAssessment, WordAssessment
from nativeear.scoring.grading import quality_of
from nativeear.scoring.verdicts import MEANINGS
from nativeear.service.report.clips import MARGIN_S
from nativeear.service.report.markup import Markup, element, joined
from nativeear.service.report.scale import LEARNER, marked, play_list
from nativeear.service.report.spectrogram import TOP_HZ, hop_of, outline, spectrogram_png
from nativeear.speech.audio import Audio

PIXELS_PER_S = 250.0
"""A column of 4 ms is a pixel; a sound of 80 ms has room for its label."""

PRINTED_S = 20.0
"""Longer pictures would be unreadable on paper, and are left out there."""

_WAVE_TOP, _WAVE_HEIGHT = 0.0, 64.0
_PICTURE_TOP, _PICTURE_HEIGHT = 64.0, 176.0
_PHONE_TOP, _TIER_HEIGHT = 240.0, 28.0
_WORD_TOP = 268.0
_TIME_TOP, _HEIGHT = 296.0, 316.0
_AXIS_WIDTH = 46.0


def timeline(assessment: Assessment, audio: Audio, ipa: Callable[[str], str]) -> Markup:
    """Draw the recording; a click on a sound or word plays it, a line shows what is playing."""
    width = audio.duration_s * PIXELS_PER_S
    drawing = element(
        "svg",
        _waveform(audio),
        _spectrogram(audio),
        *_boundaries(assessment),
        *_ticks(audio.duration_s),
        *(_word(word, assessment.language) for word in assessment.words),
        *(_phone(word, phone) for word in assessment.words for phone in word.phones),
        *(_insertion(extra, ipa) for extra in assessment.insertions),
        element("line", id="cursor", y1=0.0, y2=_TIME_TOP, class_="idle"),
        viewBox=f"0 0 {width:.0f} {_HEIGHT:.0f}",
        width=width,
        height=_HEIGHT,
        class_="drawing",
        role="group",
    )
    scroller = element(
        "div",
        drawing,
        id="timeline",
        class_="scroller",
        tabindex="0",
        role="group",
        aria_label="Recording with its words and sounds; arrow keys go from sound to sound",
        data_pixels_per_s=PIXELS_PER_S,
    )
    class_ = "timeline" if audio.duration_s <= PRINTED_S else "timeline long"
    return element("div", _axis(), scroller, class_=class_)


def _x(at_s: float) -> float:
    return at_s * PIXELS_PER_S


def _waveform(audio: Audio) -> Markup:
    low, high = outline(audio)
    peak = max(float(-low.min()), float(high.max()), 1e-9)
    middle, reach = _WAVE_TOP + _WAVE_HEIGHT / 2, _WAVE_HEIGHT / 2 - 2
    step = _x(hop_of(audio) / audio.sample_rate)
    there = [f"{i * step:.1f},{middle - reach * y / peak:.1f}" for i, y in enumerate(high)]
    back = [f"{i * step:.1f},{middle - reach * y / peak + 0.5:.1f}" for i, y in enumerate(low)]
    return element("polygon", points=" ".join(there + back[::-1]), class_="wave")


def _spectrogram(audio: Audio) -> Markup:
    encoded = base64.b64encode(spectrogram_png(audio)).decode("ascii")
    hop = hop_of(audio)
    columns = -(-len(audio.samples) // hop)
    return element(
        "image",
        href=f"data:image/png;base64,{encoded}",
        y=_PICTURE_TOP,
        width=_x(columns * hop / audio.sample_rate),
        height=_PICTURE_HEIGHT,
        preserveAspectRatio="none",
        class_="spectrogram",
    )


def _axis() -> Markup:
    """Frequencies beside the spectrogram; they stay when it scrolls."""
    labels = [
        joined(
            element("line", x1=_AXIS_WIDTH - 5, x2=_AXIS_WIDTH, y1=y, y2=y, class_="tick"),
            element("text", f"{khz}", x=_AXIS_WIDTH - 8, y=y + 4, text_anchor="end"),
        )
        for khz in range(0, TOP_HZ // 1000 + 1, 2)
        for y in (_PICTURE_TOP + _PICTURE_HEIGHT * (1 - 1000 * khz / TOP_HZ),)
        if khz < TOP_HZ // 1000
    ]
    names = (("kHz", _PICTURE_TOP + 12), ("sounds", _PHONE_TOP + 18), ("words", _WORD_TOP + 18))
    return element(
        "svg",
        *labels,
        *(element("text", name, x=_AXIS_WIDTH - 8, y=y, text_anchor="end") for name, y in names),
        element("text", "s", x=_AXIS_WIDTH - 8, y=_TIME_TOP + 15, text_anchor="end"),
        viewBox=f"0 0 {_AXIS_WIDTH:.0f} {_HEIGHT:.0f}",
        width=_AXIS_WIDTH,
        height=_HEIGHT,
        class_="axis",
        aria_hidden="true",
    )


def _ticks(duration_s: float) -> Iterator[Markup]:
    for half in range(int(2 * duration_s) + 1):
        x = _x(half / 2)
        yield element("line", x1=x, x2=x, y1=_TIME_TOP, y2=_TIME_TOP + 4, class_="tick")
        yield element("text", f"{half / 2:g}", x=x + 3, y=_TIME_TOP + 15, class_="time")


def _boundaries(assessment: Assessment) -> Iterator[Markup]:
    """Lines where sounds begin and end, stronger ones where words do."""
    for parts, class_ in ((assessment.phones, "edge"), (assessment.words, "edge strong")):
        edges = {at for part in parts for at in (part.start_s, part.end_s) if at is not None}
        for x in sorted({round(_x(at), 1) for at in edges}):
            yield element("line", x1=x, x2=x, y1=0.0, y2=_PHONE_TOP, class_=class_)


def _word(word: WordAssessment, language: str) -> Markup | None:
    if word.start_s is None or word.end_s is None:
        return None
    score = "not measured" if word.score is None else f"score {word.score:.0f}"
    return _box(
        word.start_s,
        word.end_s,
        word.word,
        f"{word.word}, {score}",
        class_=f"sound {quality_of(word.score)}",
        top=_WORD_TOP,
        lang=language,
    )


def _phone(word: WordAssessment, phone: PhoneAssessment) -> Markup | None:
    if phone.start_s is None or phone.end_s is None:
        return None
    return _box(
        phone.start_s,
        phone.end_s,
        marked(phone),
        f"{phone.ipa} in {word.word}, {MEANINGS[phone.verdict]}",
        class_=f"sound {quality_of(phone.score)}",
        top=_PHONE_TOP,
        reach=_PHONE_TOP,
    )


def _insertion(extra: Insertion, ipa: Callable[[str], str]) -> Markup:
    return _box(
        extra.start_s,
        extra.end_s,
        f"+{ipa(extra.phone)}",
        f"{ipa(extra.phone)}, which does not belong there",
        class_="sound extra",
        top=_PHONE_TOP,
    )


def _box(
    start_s: float,
    end_s: float,
    label: str,
    spoken: str,
    *,
    class_: str,
    top: float,
    reach: float = 0.0,
    lang: str | None = None,
) -> Markup:
    """A stretch of a tier that plays; `reach` pixels above it play as well."""
    x, width = _x(start_s), _x(end_s - start_s)
    above = element("rect", x=x, y=top - reach, width=width, height=reach, class_="above")
    return element(
        "g",
        element("title", f"{spoken} ({start_s:.2f}–{end_s:.2f} s)"),
        above if reach else None,
        element("rect", x=x, y=top, width=width, height=_TIER_HEIGHT, class_="box"),
        element("text", label, x=x + width / 2, y=top + 19, text_anchor="middle", lang=lang),
        class_=class_,
        role="button",
        tabindex="-1",
        aria_label=spoken,
        data_play=play_list((LEARNER, max(0.0, start_s - MARGIN_S), end_s + MARGIN_S)),
    )
