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

_SENTENCE = {
    "accuracy": "accuracy",
    "completeness": "completeness",
    "fluency": "fluency",
    "prosodic": "prosody",
    "total": "total",
}
NAMES = {
    "false_rejection_rate": "FRR: false rejections, of right phones",
    "false_acceptance_rate": "FAR: false acceptances, of wrong phones",
    "precision": "precision of rejections",
    "recall": "recall of rejections",
    "f1": "F1 of rejections",
    "roc_auc": "ROC-AUC of the score",
    "roc_auc_probability": "ROC-AUC of the probability",
    "phone_pcc": "phone PCC, score against experts",
    "phone_spearman": "phone Spearman",
    "phone_concordance": "phone concordance (CCC)",
    "phone_macro_error": "phone error, mean of its classes (0–2)",
    "phone_error_0": "phone error, of wrong ones",
    "phone_error_1": "phone error, of accented ones",
    "phone_error_2": "phone error, of right ones",
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
    "word_spearman": "word Spearman",
    "word_concordance": "word concordance",
    "word_macro_error": "word error, mean of its classes (0–10)",
    **{
        f"sentence_{aspect}_{measure}": f"sentence {words}, {name}"
        for aspect, name in _SENTENCE.items()
        for measure, words in (
            ("pcc", "PCC"),
            ("spearman", "Spearman"),
            ("concordance", "concordance"),
            ("macro_error", "error, mean of classes"),
        )
    },
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
        beside = report.baselines.get(name)
        declined = report.declined.get(name)
        parts += ["", _measures(PART_NAMES[name], evaluation, report.baseline, beside, declined)]
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


def _measures(
    title: str,
    evaluation: Evaluation,
    baseline: str,
    beside: Evaluation | None,
    declined: Counts | None,
) -> Listing:
    """Every measure with its interval, and beside ours a baseline's on the same phones."""
    counts = evaluation.counts
    interval = f"95 % interval by {evaluation.interval_by}"
    theirs = () if beside is None else (Column(baseline, "number"), Column("95 % interval"))
    table = Listing(
        (
            Column("", "name"),
            Column("value" if beside is None else "ours", "number"),
            Column(interval),
            *theirs,
        ),
        title=f"{title}: {evaluation.utterances:,} utterances, {evaluation.speakers:,} speakers, "
        f"{counts.phones:,} phones, {counts.mispronounced:,} of them mispronounced",
        caption=_counts(counts)
        + ("" if beside is None else f"\n{baseline}: {_counts(beside.counts)}")
        + (f"\n{baseline} on uncertain ones: {_counts(declined)}" if declined else ""),
    )
    all_found = [each.measures for each in (evaluation, beside) if each is not None]
    for name, words in NAMES.items():
        found = [measures.get(name, Measure(None)) for measures in all_found]
        if any(each.value is not None for each in found):
            table.add(words, *(text for each in found for text in (_value(each), _interval(each))))
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
