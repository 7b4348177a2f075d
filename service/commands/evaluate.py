"""`nativeear eval`: how well the assessments agree with people, or catch simulated errors."""

from __future__ import annotations

from enum import Enum
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
    Workers,
    judge_of,
)
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    from nativeear.scoring.evaluation.judgements import Detection


class CorpusChoice(str, Enum):
    """Layouts that can be evaluated on."""

    speechocean762 = "speechocean762"
    l2arctic = "l2arctic"
    isle = "isle"
    cmukids = "cmukids"
    simulated = "simulated"
    manifest = "manifest"


class BaselineChoice(str, Enum):
    """Detectors that can be measured beside ours."""

    recogniser = "recogniser"


class SplitChoice(str, Enum):
    """Parts of a corpus."""

    train = "train"
    test = "test"
    all = "all"


def evaluate(
    *,
    corpus: Annotated[
        CorpusChoice,
        typer.Argument(
            help="Layout of the annotations; simulated takes any native speech.",
            show_default=False,
        ),
    ],
    data: Annotated[
        str,
        typer.Option(
            metavar="DIR|FILE", help="Where the corpus lies; asterisk:LANG for simulated."
        ),
    ],
    split: Annotated[
        SplitChoice | None,
        typer.Option(
            help="Part of the corpus; test by default where one is published. For simulated and "
            "cmukids, test is what the index does not hold.",
            show_default=False,
        ),
    ] = None,
    lang: Language = None,
    index: IndexName = None,
    encoder: EncoderOfIndex = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Take only so many utterances, drawn by --seed.")
    ] = None,
    speakers: Annotated[
        list[str] | None,
        typer.Option(metavar="ID[,ID…]", help="Take only these speakers; repeatable."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Reject at this probability of mispronunciation or above, instead of by verdict.",
        ),
    ] = None,
    threshold_score: Annotated[
        float | None,
        typer.Option(min=0.0, max=100.0, help="Reject below this score, instead of by verdict."),
    ] = None,
    calibration: CalibrationName = "auto",
    false_rejections: FalseRejections = 0.04,
    exclude_own: Annotated[
        bool,
        typer.Option(
            "--exclude-own/--no-exclude-own",
            help="Silence the index's exemplars of the speaker who is judged. Those of the very "
            "utterance never answer.",
        ),
    ] = True,
    judge: JudgeUrl = None,
    judge_model: JudgeModel = None,
    baseline: Annotated[
        BaselineChoice | None,
        typer.Option(
            help="Measure another detector beside ours: recogniser decodes the encoder's phone "
            "head and calls wrong what differs from the canonical phones.",
            show_default=False,
        ),
    ] = None,
    workers: Workers = 1,
    seed: Annotated[
        int, typer.Option(min=0, help="Of --limit, simulated errors and intervals.")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Keep every assessment there, one per line."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take over the assessments that --out has already.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw what was heard for what."),
    ] = None,
    reliability: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw whether the probabilities hold."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well the assessments agree with annotators, with 95 % intervals by speaker.

    With --judge it is the second ear that is measured, on the words and phones that we lay out.
    Utterances that cannot be read or assessed are listed; the exit code is then 1.
    """
    detection = _detection(threshold, threshold_score)
    if resume and out is None:
        raise InputError("--resume needs --out.", fix="Name the file that holds the assessments.")
    pictures = [path for path in (plot, reliability) if path is not None]
    if pictures:
        from nativeear.scoring.evaluation.plots import check_plotting

        check_plotting()
        for path in pictures:
            refuse_missing_folder("plot", path)

    from nativeear.service.commands.progress import ProgressReport
    from nativeear.service.evaluation_corpus import EvaluationRequest
    from nativeear.service.evaluation_run import run_evaluation
    from nativeear.service.index_choice import choose_index

    request = EvaluationRequest(
        kind=corpus.value,
        data=data,
        index=choose_index(index, lang),
        split=split.value if split else None,
        speakers=tuple(name for item in speakers or () for name in item.split(",") if name),
        limit=limit,
        detection=detection,
        encoder=encoder,
        calibration=calibration,
        false_rejections=false_rejections,
        exclude_own=exclude_own,
        judge=judge_of(judge, judge_model),
        baseline=baseline.value if baseline else None,
        workers=workers,
        seed=seed,
        out=out,
        resume=resume,
    )
    with ProgressReport() as progress:
        report = run_evaluation(request, progress)
    if pictures:
        from nativeear.indexes.catalogue import find_index
        from nativeear.indexes.phone_index import PhoneIndex
        from nativeear.scoring.evaluation.plots import plot_confusions, plot_reliability

        *_, drawn = report.parts.values()
        if plot is not None:
            plot_confusions(drawn, PhoneIndex.open(find_index(request.index)).inventory, plot)
        if reliability is not None:
            plot_reliability(drawn, reliability)
    if as_json:
        print_json(report.to_json())
    else:
        from nativeear.service.evaluation_table import render
        from nativeear.service.tables import console

        console().print(render(report))
    if report.material.set_aside or report.material.failed:
        raise typer.Exit(SOME_FAILED)


def _detection(threshold: float | None, threshold_score: float | None) -> Detection:
    from nativeear.scoring.evaluation.judgements import BY_VERDICT, Detection

    if threshold is not None and threshold_score is not None:
        raise InputError(
            "--threshold and --threshold-score exclude each other.", fix="Give one of them."
        )
    if threshold is not None:
        return Detection("probability", threshold)
    if threshold_score is not None:
        return Detection("score", threshold_score)
    return BY_VERDICT
