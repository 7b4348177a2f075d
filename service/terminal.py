"""One assessment for a person's eyes: words and their sounds, coloured and marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from nativeear.scoring.assessment import (
    Accent,
    Assessment,
    ExemplarEvidence,
    Insertion,
    PhoneAssessment,
    Remark,
    WordAssessment,
)
from nativeear.scoring.grading import quality_of
from nativeear.scoring.language_use import LanguageUse
from nativeear.scoring.legend import legend
from nativeear.scoring.second_ear import SecondEar
from nativeear.scoring.verdicts import BESIDE_SYMBOLS, MEANINGS, SYMBOLS
from nativeear.service.tables import Column, Listing

MAX_PROBLEMS = 12
MAX_EVIDENCE_WORDS = 3

_STYLES = {"good": "cyan", "fair": "yellow", "poor": "bold red", "unmeasured": "dim"}


def render(assessment: Assessment) -> RenderableType:
    """Show an assessment as a table of words, the sounds to work on, and the warnings.

    The colours are cyan, yellow and red: they stay apart for colour-blind eyes, and marks say the
    same. Consoles that are not terminals leave the colours out.
    """
    if assessment.of_another_text:
        return _of_another_text(assessment)
    parts: list[RenderableType] = [_headline(assessment), "", _word_table(assessment)]
    if marks := [Text(f"{mark} {meaning}", "dim") for mark, meaning in legend(assessment)]:
        parts.append(Padding(Columns(marks, padding=(0, 2)), (1, 0, 0, 1)))
    if assessment.remarks:
        parts.append(Text("\nWork on this first", style="bold"))
        parts += [_indented(_remark(remark)) for remark in assessment.remarks]
    problems = sorted(_problems(assessment), key=lambda found: found[1].score or 0.0)
    if problems:
        parts.append(Text("\nSounds to work on", style="bold"))
        parts += [_indented(_advice(word, phone)) for word, phone in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        parts.append(_indented(Text(f"… and {len(problems) - MAX_PROBLEMS} more: see --json")))
    if assessment.insertions:
        parts.append(Text("\nSounds that do not belong there", style="bold"))
        parts += [_indented(_extra(assessment, extra)) for extra in assessment.insertions]
    if assessment.explanation:
        parts += [Text("\nIn the words of the language model", style="bold")]
        parts.append(_indented(Text(assessment.explanation)))
    if assessment.second_ear:
        parts += _second_ear(assessment.second_ear)
    if assessment.language_use:
        parts += _language_use(assessment.language_use)
    return Group(*parts, *_notes(assessment.warnings))


def _second_ear(heard: SecondEar) -> list[RenderableType]:
    """What another model said: never among ours."""
    scores = {**heard.score.model_dump(), **{f"“{one.word}”": one.score for one in heard.words}}
    told = [f"{name} {score:.0f}" for name, score in scores.items() if score is not None]
    lines = [Text(", ".join(told) or "no scores"), *(Text(remark) for remark in heard.remarks)]
    title = Text.assemble(("\nA second ear", "bold"), f" ({heard.model})")
    return [title, *(_indented(line) for line in lines)]


def _language_use(told: LanguageUse) -> list[RenderableType]:
    """What a language model said of the recognised words."""
    scores = told.model_dump(include={"grammar", "vocabulary", "relevance"})
    named = [f"{name} {score:.0f}" for name, score in scores.items() if score is not None]
    lines = [", ".join(named) or "no scores"]
    for one in told.corrections:
        lines.append(f"“{one.said}” → “{one.better}”" + (f": {one.why}" if one.why else ""))
    title = Text.assemble(
        ("\nUse of language", "bold"), f" (by {told.model}, from the recognised words alone)"
    )
    return [title, *(_indented(Text(line)) for line in (*lines, *told.remarks))]


def _of_another_text(assessment: Assessment) -> RenderableType:
    """What is told where nothing was judged: that, and the words, without scores or marks."""
    told, *warnings = assessment.warnings
    text = " ".join(word.word for word in assessment.words)
    return Group(
        Text(assessment.id or "Assessment", style="bold"),
        Text(told),
        Text.assemble(("The text: ", "dim"), text),
        Text(_details(assessment), style="dim"),
        *_notes(warnings),
    )


def _notes(warnings: Sequence[str]) -> list[RenderableType]:
    notes = [Text.assemble(("Note: ", "bold"), words) for words in warnings]
    return ["", *notes] if notes else []


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2))


def _headline(assessment: Assessment) -> Text:
    measured = [
        (name, value) for name, value in assessment.score.model_dump().items() if value is not None
    ]
    line = Text(assessment.id or "Assessment", style="bold")
    for name, value in measured:
        line.append(f"   {name} ", style="default not bold")
        line.append(f"{value:.0f}", style=_style(value))
    if not measured:
        line.append("   no score could be measured", style="default not bold")
    if level := assessment.level:
        line.append(f"\n{level.scale} {level.band} ({level.probability:.0%})", "not bold")
    return line.append(f"\n{_details(assessment)}", style="dim not bold")


def _details(assessment: Assessment) -> str:
    """What the recording was heard against, and how."""
    details = (
        f"against {assessment.index} ({assessment.language}) · {assessment.encoder} · "
        f"{assessment.calibration} scores, 0–100 · {assessment.duration_s:.1f} s"
    )
    rejections = assessment.false_rejections
    lines = (
        details,
        rejections.sentence if rejections else "",
        _accent(assessment.accent) if assessment.accent else "",
    )
    return "\n".join(filter(None, lines))


def _accent(accent: Accent) -> str:
    """Which accent's natives are nearest, and how near all of them are."""
    if len(accent.candidates) == 1:
        return f"{accent.chosen} is the only index of its language: no accents were compared"
    near = ", ".join(
        f"{c.language} {'–' if c.nearness is None else f'{c.nearness:.2f}'}"
        for c in accent.candidates
    )
    doubt = "" if accent.sure else ", but not surely"
    return f"nearest to the natives of {accent.chosen}{doubt} (nearness: {near})"


def _word_table(assessment: Assessment) -> Listing:
    table = Listing((Column("score", "number"), Column("word", "name"), Column("sounds")))

    def add_extra(after: int) -> None:
        for event in assessment.reading.added(after) if assessment.reading else ():
            table.add(Text(""), Text(f"+ {event.heard}", "italic"), Text(""))

    add_extra(-1)
    for i, word in enumerate(assessment.words):
        score = Text("–" if word.score is None else f"{word.score:.0f}", _style(word.score))
        name = Text(word.word, style="strike" if word.omitted else "")
        for event in assessment.reading.again(i) if assessment.reading else ():
            name.append(f" {BESIDE_SYMBOLS[event.kind]}", style="dim")
        sounds = Text("left out", "dim")
        if not word.omitted:
            sounds = Text("  ").join(
                Text(phone.ipa + SYMBOLS[phone.verdict], _style(phone.score))
                for phone in word.phones
            )
        table.add(score, name, sounds)
        add_extra(i)
    return table


def _remark(remark: Remark) -> Text:
    line = Text(remark.text)
    if remark.l1_note:
        line.append(f" {remark.l1_note}")
    if remark.minimal_pairs:
        pairs = ", ".join(f"{ours} – {theirs}" for ours, theirs in remark.minimal_pairs)
        line.append(f" Practise: {pairs}.", style="dim")
    return line


def _problems(assessment: Assessment) -> Iterator[tuple[WordAssessment, PhoneAssessment]]:
    for word in assessment.words:
        for phone in word.phones:
            if phone.needs_work and not word.omitted:
                yield word, phone


def _advice(word: WordAssessment, phone: PhoneAssessment) -> Text:
    line = Text.assemble((f"{phone.ipa}{SYMBOLS[phone.verdict]}", "bold"), f" in “{word.word}”")
    if phone.score is not None:
        line.append("  ").append(f"{phone.score:.0f}", style=_style(phone.score))
    line.append(f"  {MEANINGS[phone.verdict]}")
    heard = next((sound for sound in phone.sounds_like if sound.phone != phone.phone), None)
    if heard is not None and phone.verdict != "deleted":
        line.append(f", most like {heard.ipa} ({heard.probability:.0%})")
        if said := _native_words(phone.evidence, heard.phone):
            line.append(f", as in native {said}")
    if meant := _native_words(phone.evidence, phone.phone):
        line.append(f"; natives say {phone.ipa} in {meant}")
    return line


def _extra(assessment: Assessment, extra: Insertion) -> Text:
    place = (
        f"after “{assessment.words[extra.after_word_index].word}”"
        if extra.after_word_index >= 0
        else "before the first word"
    )
    ipa = {phone.phone: phone.ipa for phone in assessment.phones}  # an insertion has none itself
    ipa |= {heard.phone: heard.ipa for phone in assessment.phones for heard in phone.sounds_like}
    return Text(
        f"{ipa.get(extra.phone, extra.phone)} {place} ({extra.start_s:.2f}–{extra.end_s:.2f} s)"
    )


def _native_words(evidence: tuple[ExemplarEvidence, ...], phone: str) -> str:
    words = dict.fromkeys(item.word for item in evidence if item.phone == phone and item.word)
    return ", ".join(f"“{word}”" for word in list(words)[:MAX_EVIDENCE_WORDS])


def _style(score: float | None) -> str:
    return _STYLES[quality_of(score)]
