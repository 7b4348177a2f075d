"""An evaluation for a person's eyes: counts, measures with their intervals, and the parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group as Stack
from rich.console import RenderableType
from rich.text import Text

from nativeear.scoring.evaluation.bootstrap import Measure
from nativeear.scoring.evaluation.measures import Counts, Evaluation, Group
from nativeear.scoring.evaluation.report import EvaluationReport
from nativeear.service.tables import Column, Listing

NAMES = {
    "false_rejection_rate": "FRR: false rejections, of right phones",
    "false_acceptance_rate": "FAR: false acceptances, of wrong phones",
    "precision": "precision of rejections",
    "recall": "recall of rejections",
    "f1": "F1 of rejections",
    "roc_auc": "ROC-AUC of the score",
    "roc_auc_probability": "ROC-AUC of the probability",
    "phone_pcc": "phone PCC, score against experts",
    "calibration_error": "expected calibration error",
    "diagnosis_error_rate": "wrong diagnoses, of true rejections",
    "deletion_precision": "precision of deletions",
    "deletion_recall": "recall of deletions",
    "deletion_f1": "F1 of deletions",
    "insertion_precision": "precision of insertions",
    "insertion_recall": "recall of insertions",
    "insertion_f1": "F1 of insertions",
    "uncertain_share": "phones not judged",
    "word_pcc": "word PCC",
    "sentence_accuracy_pcc": "sentence PCC, accuracy",
    "sentence_completeness_pcc": "sentence PCC, completeness",
    "sentence_fluency_pcc": "sentence PCC, fluency",
    "sentence_prosodic_pcc": "sentence PCC, prosody",
    "sentence_total_pcc": "sentence PCC, total",
    "paired_roc_auc": "ROC-AUC, error against the same place untouched",
    "neighbours_flagged": "neighbours of errors flagged",
    "neighbours_flagged_untouched": "the same places flagged without the error",
    "spill": "spill: the difference",
}
"""Every measure in words, in the order of the table."""

PART_NAMES = {
    "annotated": "Annotated speech",
    "untouched": "Natives as they are",
    "any": "Simulated errors: any other phone",
    "near": "Simulated errors: a near phone",
}

MAX_REASONS = 5
WORST = 8


def render(report: EvaluationReport) -> RenderableType:
    """Show a report as tables; the JSON has more."""
    parts: list[RenderableType] = [*_headline(report)]
    for name, evaluation in report.parts.items():
        parts += ["", _measures(PART_NAMES[name], evaluation)]
        for title, groups in (
            ("age", evaluation.by_age),
            ("gender", evaluation.by_gender),
            ("first language", evaluation.by_l1),
        ):
            if len(groups) > 1:
                parts += ["", _groups(title, groups)]
    if len(report.parts) == 1:
        (only,) = report.parts.values()
        by_phone = sorted(only.by_phone, key=_false_rejections, reverse=True)
        parts += ["", Text("Phones most often falsely rejected", style="bold")]
        parts.append(_groups("phone", by_phone[:WORST]))
    return Stack(*parts, *_reasons(report))


def _headline(report: EvaluationReport) -> Iterator[RenderableType]:
    material, system = report.material, report.system
    rejects = "the verdicts"
    if system.detection.threshold is not None:
        sign = "≥" if system.detection.by == "probability" else "<"
        rejects = f"{system.detection.by} {sign} {system.detection.threshold:g}"
    yield Text(f"{material.name}, {material.split}", style="bold")
    yield Text(
        f"against {system.index} ({system.language}) · {system.encoder} · {system.calibration} · "
        f"rejected by {rejects} · seed {system.seed}",
        style="dim",
    )
    if material.speakers_in_index:
        silent = "do not answer" if system.exclude_own else "answer"
        yield Text(
            f"The index holds exemplars of {material.speakers_in_index} of these speakers; "
            f"their own {silent}.",
            style="dim",
        )
    for note in report.notes:
        yield Text(note, style="dim")


def _measures(title: str, evaluation: Evaluation) -> Listing:
    counts = evaluation.counts
    table = Listing(
        (
            Column("", "name"),
            Column("value", "number"),
            Column(f"95 % interval by {evaluation.interval_by}"),
        ),
        title=f"{title}: {evaluation.utterances:,} utterances, {evaluation.speakers:,} speakers, "
        f"{counts.phones:,} phones, {counts.mispronounced:,} of them mispronounced",
        caption=_counts(counts),
    )
    found = evaluation.measures
    for name, words in NAMES.items():
        if name in found and found[name].value is not None:
            table.add(words, _value(found[name]), _interval(found[name]))
    return table


def _counts(counts: Counts) -> str:
    return (
        f"TA {counts.true_acceptances:,}  FR {counts.false_rejections:,}  "
        f"TR {counts.true_rejections:,}  FA {counts.false_acceptances:,}  "
        f"uncertain {counts.uncertain:,}"
    )


def _groups(title: str, groups: Sequence[Group]) -> Listing:
    figures = ("phones", "wrong", "score", "experts", "FRR", "recall", "ROC-AUC", "PCC")
    table = Listing((Column(f"by {title}", "name"), *(Column(each, "number") for each in figures)))
    for group in groups:
        table.add(
            group.name,
            f"{group.counts.phones:,}",
            f"{group.counts.mispronounced:,}",
            "–" if group.mean_score is None else f"{group.mean_score:.1f}",
            "–" if group.mean_expert is None else f"{group.mean_expert:.2f}",
            *(
                _value(group.measures[name])
                for name in ("false_rejection_rate", "recall", "roc_auc", "phone_pcc")
            ),
        )
    return table


def _reasons(report: EvaluationReport) -> Iterator[Text]:
    for what, items in (
        ("Set aside", report.material.set_aside),
        ("Not assessed", report.material.failed),
    ):
        if items:
            yield Text(f"\n{what}: {len(items)}", style="bold")
            yield from (Text(f"  {item.id}: {item.reason}") for item in items[:MAX_REASONS])
            if len(items) > MAX_REASONS:
                yield Text(f"  … and {len(items) - MAX_REASONS} more: see --json")


def _value(measure: Measure) -> str:
    return "–" if measure.value is None else f"{measure.value:.3f}"


def _interval(measure: Measure) -> str:
    if measure.low is None or measure.high is None:
        return ""
    return f"{measure.low:.3f}–{measure.high:.3f}"


def _false_rejections(group: Group) -> int:
    return group.counts.false_rejections
