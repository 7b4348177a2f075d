"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.service.language_use import TextJudge
    from nativeear.service.second_ear import Judge

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
Index = Annotated[str, typer.Argument(metavar="NAME|DIR", help="An index.")]

# Which native speech, and how it is read.
Corpora = Annotated[
    list[str],
    typer.Option(
        metavar="DIR|MANIFEST",
        help="Native speech: a folder, a CSV of audio and text, or asterisk:LANG; repeatable.",
    ),
]
CorpusLanguage = Annotated[str, typer.Option(metavar="TAG", help="Its language, as in en-US.")]
Reader = Annotated[str, typer.Option(help="How the corpus is read; auto looks at it.")]
Licence = Annotated[
    str | None, typer.Option(help="Licence of corpora that do not state their own.")
]
Layer = Annotated[
    int | None, typer.Option(help="Layer of a neural encoder; its own best by default.")
]
PronunciationSource = Annotated[
    str | None,
    typer.Option(help="Where pronunciations come from: cmudict, espeak or graphemes."),
]
Lexicon = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Pronunciations that go before all others: a word and its phones."
    ),
]

# Which reference a learner is held against, and how it grades.
Language = Annotated[str | None, typer.Option(metavar="TAG", help="Language, as in en or en-US.")]
IndexName = Annotated[
    str | None, typer.Option(metavar="NAME|DIR", help="The native reference; en-US by default.")
]
EncoderOfIndex = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="NAME|DIR",
        help="The index's encoder, or where its model lies, if it is not found by itself.",
    ),
]
CalibrationName = Annotated[
    str,
    typer.Option(
        metavar="auto|expert|training-free",
        help="Grade as experts would, or by native speech alone; auto takes the first where it "
        "was fitted for the index.",
    ),
]
FalseRejections = Annotated[
    float, typer.Option(metavar="SHARE", help="Share of native phones that may be flagged.")
]

JudgeUrl = Annotated[
    str | None,
    typer.Option(
        "--judge",
        metavar="URL",
        help="Also ask a model that hears audio: SENDS THE RECORDING and its text to this chat "
        "endpoint; its key, if any, stands in NATIVEEAR_JUDGE_API_KEY.",
    ),
]
JudgeModel = Annotated[
    str | None, typer.Option("--judge-model", metavar="NAME", help="The model to ask for there.")
]

LanguageUseUrl = Annotated[
    str | None,
    typer.Option(
        "--language-use",
        metavar="URL",
        help="Of free speech, also ask a language model for grammar, vocabulary and relevance: "
        "SENDS THE RECOGNISED WORDS, never the recording, to this chat endpoint; its key, if any, "
        "stands in NATIVEEAR_LANGUAGE_USE_API_KEY.",
    ),
]
LanguageUseModel = Annotated[
    str | None,
    typer.Option("--language-use-model", metavar="NAME", help="The model to ask for there."),
]


def judge_of(url: str | None, model: str | None) -> Judge | None:
    """The second ear that was asked for."""
    if url is None and model is None:
        return None
    if url is None:
        raise InputError("--judge-model needs --judge.", fix="Give the address of the endpoint.")
    from nativeear.service.explain import DEFAULT_MODEL
    from nativeear.service.second_ear import Judge

    return Judge(url, model or DEFAULT_MODEL)


def text_judge_of(url: str | None, model: str | None) -> TextJudge | None:
    """The language model that was asked for."""
    if url is None and model is None:
        return None
    if url is None:
        raise InputError(
            "--language-use-model needs --language-use.", fix="Give the address of the endpoint."
        )
    from nativeear.service.explain import DEFAULT_MODEL
    from nativeear.service.language_use import TextJudge

    return TextJudge(url, model or DEFAULT_MODEL)
