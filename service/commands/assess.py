"""`nativeear assess`: one recording, or a manifest of many."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.service.commands.guard import SOME_FAILED, print_json, refuse_missing_folder
from nativeear.service.commands.options import (
    AsJson,
    CalibrationName,
    EncoderOfIndex,
    FalseRejections,
    IndexName,
    JudgeModel,
    JudgeUrl,
    Language,
    LanguageUseModel,
    LanguageUseUrl,
    judge_of,
    text_judge_of,
)
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.scoring.assessment import Assessment
    from nativeear.scoring.assessor import Assessor
    from nativeear.service.batch import BatchReport
    from nativeear.service.language_use import TextJudge
    from nativeear.service.second_ear import Judge
    from nativeear.speech.audio import Audio


def assess(
    *,
    audio: Annotated[
        Path | None, typer.Argument(metavar="AUDIO", help="The recording.", show_default=False)
    ] = None,
    text: Annotated[str | None, typer.Option(help="What was meant to be said.")] = None,
    phones: Annotated[
        str | None,
        typer.Option(
            help="The phones that were meant, ARPAbet or IPA, ' | ' between words; with --text "
            "they belong to its words."
        ),
    ] = None,
    text_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A UTF-8 file that holds the text.")
    ] = None,
    free: Annotated[
        bool, typer.Option("--free", help="No text is known: assess what is heard.")
    ] = False,
    asr: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="With --free: a faster-whisper model that writes down the words; "
            "NATIVEEAR_ASR by default. Without any, the encoder's own phones are taken.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Assess many: columns id,audio,text[,phones], paths relative to this file.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Where the results of --manifest go."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes for --manifest; 1 by default.")
    ] = None,
    lang: Language = None,
    index: IndexName = None,
    encoder: EncoderOfIndex = None,
    accent: Annotated[
        str | None,
        typer.Option(
            metavar="auto",
            help="With --lang: judge by the nearest of all indexes of that language, and tell how "
            "near each is.",
        ),
    ] = None,
    textgrid: Annotated[
        Path | None,
        typer.Option(metavar="OUT.TextGrid", help="Also write words, phones and scores there."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="REPORT.html", help="Also write a page to read and listen to."),
    ] = None,
    l1: Annotated[
        str | None,
        typer.Option(
            metavar="TAG",
            help="The learner's first language, as in zh, for notes on sounds that it lacks; or "
            "F.csv:TAG of an imported table.",
        ),
    ] = None,
    advice_language: Annotated[
        str | None,
        typer.Option(
            metavar="TAG",
            help="The language that advice is given in, whatever is spoken: de, en, es, fr, it, "
            "ru or zh; English by default.",
        ),
    ] = None,
    bands: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="Also give a level, by `nativeear bands fit`."),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Also have a chat endpoint tell the result, never the recording, in prose; its "
            "key, if any, stands in NATIVEEAR_EXPLAIN_API_KEY.",
        ),
    ] = None,
    explain_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model to ask for there.")
    ] = None,
    judge: JudgeUrl = None,
    judge_model: JudgeModel = None,
    language_use: LanguageUseUrl = None,
    language_use_model: LanguageUseModel = None,
    topic: Annotated[
        str | None,
        typer.Option(help="With --language-use: what was to be spoken of, for relevance."),
    ] = None,
    calibration: CalibrationName = "auto",
    false_rejections: FalseRejections = 0.04,
    as_json: AsJson = False,
) -> None:
    """Hear a recording against native speech, phone by phone.

    AUDIO with --text, --phones, --text-file or --free gives one result; --manifest with --out
    gives many. Where a row of the manifest fails, its error stands in the output and the exit code
    is 1.
    """
    import nativeear
    from nativeear.scoring.feedback.translation import with_advice_in
    from nativeear.scoring.proficiency.model import BandModel
    from nativeear.service.index_choice import choose_index
    from nativeear.speech.audio import Audio

    _refuse_unknown(l1, advice_language, explain, explain_model)
    second = judge_of(judge, judge_model)
    reader = _reader_of(language_use, language_use_model, topic, free=free)
    if accent is not None:
        _refuse_accent(accent, lang)
        others = {"--index": index, "--encoder": encoder, "--free": free or None, "--bands": bands}
        _refuse(others, "and --accent exclude each other")
    if manifest is not None:
        said = {"AUDIO": audio, "--text": text, "--phones": phones, "--text-file": text_file}
        heard = {"--free": free or None, "--asr": asr, "--bands": bands, "--accent": accent}
        told = {"--textgrid": textgrid, "--html": html, "--explain": explain, "--judge": judge}
        _refuse(
            {**said, **heard, **told, "--advice-language": advice_language},
            "goes with a single recording, not with --manifest",
        )
        if out is None:
            raise InputError("--manifest needs --out.", fix="Name the file for the results.")
        from nativeear.service.batch import assess_manifest

        batch = partial(assess_manifest, index=choose_index(index, lang), encoder=encoder, l1=l1)
        graded = partial(batch, calibration=calibration, false_rejections=false_rejections)
        _run_batch(partial(graded, manifest, out, workers=workers or 1), as_json=as_json)
        return

    _refuse({"--out": out, "--workers": workers}, "goes with --manifest only")
    if audio is None:
        raise InputError(
            "There is nothing to assess.", fix="Give a recording, or --manifest with --out."
        )
    text = _text_of(text, text_file, phones, free=free, asr=asr)
    refuse_missing_folder("TextGrid", textgrid, audio, text_file, html)
    refuse_missing_folder("report", html, audio, text_file)
    levels = BandModel.load(bands) if bands is not None else None
    recording = Audio.load(audio)  # refused, if at all, before anything slow is loaded
    if accent is not None:
        accents = nativeear.load_accents(
            lang or "", calibration=calibration, false_rejections=false_rejections
        )
        result = accents.assess(recording, text, phones=phones, id=audio.stem, l1=l1)
        assessor = accents.assessor_of(result)
    else:
        load = partial(nativeear.load, choose_index(index, lang), encoder=encoder)
        assessor = load(calibration=calibration, false_rejections=false_rejections)
        if levels:
            levels.check_index(assessor.index)
        result = (
            _assess_free(assessor, recording, asr, id=audio.stem, l1=l1)
            if free
            else assessor.assess(recording, text, phones=phones, id=audio.stem, l1=l1)
        )
    result = levels.with_level(result) if levels else result
    result = _heard_and_read(result, recording, second, reader, topic)
    if explain is not None:
        result = _explained(result, explain, explain_model)
    _write(
        result, recording, assessor, textgrid=textgrid, html=html, advice_language=advice_language
    )
    if advice_language is not None:
        result = with_advice_in(result, advice_language, assessor.index.inventory)
    _print(result, as_json=as_json)


def _reader_of(
    url: str | None, model: str | None, topic: str | None, *, free: bool
) -> TextJudge | None:
    """The language model that is to read what was recognised."""
    if url is None:
        _refuse({"--topic": topic}, "goes with --language-use only")
    if not free:
        _refuse({"--language-use": url}, "goes with --free only")
    return text_judge_of(url, model)


def _heard_and_read(
    result: Assessment,
    recording: Audio,
    second: Judge | None,
    reader: TextJudge | None,
    topic: str | None,
) -> Assessment:
    """The result with what other models say of the recording, and of its words."""
    from nativeear.service.language_use import with_language_use
    from nativeear.service.second_ear import with_second_ear

    if second is not None:
        result = with_second_ear(result, recording, second)
    if reader is not None:
        result = with_language_use(result, reader, (topic or "").strip() or None)
    return result


def _explained(result: Assessment, url: str, model: str | None) -> Assessment:
    from nativeear.service.explain import DEFAULT_MODEL, with_explanation

    return with_explanation(result, url, model=model or DEFAULT_MODEL)


def _print(result: Assessment, *, as_json: bool) -> None:
    if as_json:
        print_json(result.model_dump_json(indent=2))
    else:
        from nativeear.service.tables import console
        from nativeear.service.terminal import render

        console().print(render(result))


def _write(
    result: Assessment,
    recording: Audio,
    assessor: Assessor,
    *,
    textgrid: Path | None,
    html: Path | None,
    advice_language: str | None,
) -> None:
    """Write the files that were asked for beside the result."""
    if textgrid is not None:
        from nativeear.service.result_textgrid import to_textgrid

        to_textgrid(result).save(textgrid)
    if html is not None:
        from nativeear.scoring.feedback.sentences import ENGLISH
        from nativeear.service.report.page import write_report

        write_report(
            html, result, recording, assessor.index, advice_language=advice_language or ENGLISH
        )


def _refuse_accent(accent: str, lang: str | None) -> None:
    if accent != "auto":
        raise InputError(
            f"There is no accent {accent!r} to ask for.",
            fix="Write --accent auto, or name the accent's index with --index.",
        )
    if lang is None:
        raise InputError(
            "--accent needs a language.", fix="Give --lang, as in --lang en --accent auto."
        )


def _assess_free(
    assessor: Assessor, recording: Audio, asr: Path | None, *, id: str, l1: str | None
) -> Assessment:
    """Assess what is heard, by words if there is a recogniser."""
    from nativeear.speech.recognisers.whisper import HOW_TO_GET, find_recogniser

    recogniser = find_recogniser(asr)
    if recogniser is None:
        print(f"The words are not recognised: for that, {HOW_TO_GET}.", file=sys.stderr)
    return assessor.assess_free(recording, recogniser=recogniser, id=id, l1=l1)


def _run_batch(batch: Callable[..., BatchReport], *, as_json: bool) -> None:
    """Assess a manifest and say what came of it; exit 1 if a row failed."""
    from nativeear.service.commands.progress import ProgressReport

    with ProgressReport() as progress:
        report = batch(progress=progress)
    assessed = report.rows - report.failed
    print(f"{assessed} assessed, {report.failed} failed: {report.out}", file=sys.stderr)
    if report.unused_columns:
        print(f"Columns without a use: {', '.join(report.unused_columns)}", file=sys.stderr)
    if as_json:
        print_json({**asdict(report), "assessed": assessed})
    if report.failed:
        raise typer.Exit(SOME_FAILED)


def _refuse_unknown(
    l1: str | None, advice_language: str | None, explain: str | None, explain_model: str | None
) -> None:
    """Refuse what is known to be wrong before anything slow is done."""
    from nativeear.scoring.feedback.translation import check_advice_language
    from nativeear.service.explain import check_endpoint
    from nativeear.speech.first_languages import first_language

    if explain is None:
        _refuse({"--explain-model": explain_model}, "goes with --explain only")
    else:
        check_endpoint(explain)
    if l1 is not None:
        first_language(l1)
    if advice_language is not None:
        check_advice_language(advice_language)


def _text_of(
    text: str | None, text_file: Path | None, phones: str | None, *, free: bool, asr: Path | None
) -> str | None:
    """What was meant to be said; None where phones alone tell, or no one knows."""
    if free:
        given = {"--text": text, "--text-file": text_file, "--phones": phones}
        _refuse(given, "and --free exclude each other")
        return None
    _refuse({"--asr": asr}, "goes with --free only")
    if text_file is not None:
        _refuse({"--text": text}, "and --text-file exclude each other")
        text = _read_text(text_file)
    if not (text or "").strip() and not (phones or "").strip():
        raise InputError(
            "There is neither a text nor phones to assess against.",
            fix="Give --text, --text-file or --phones, or --free where no text is known.",
        )
    return text


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The text file {path} cannot be read.", cause=str(error), fix="Give a file in UTF-8."
        ) from error


def _refuse(options: Mapping[str, object], why: str) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{given[0]} {why}.", fix="See `nativeear assess --help`.")
