"""How well the system agrees with the annotators: the measures of pronunciation assessment.

Of the canonical phones that the system judged, with the annotators' verdict and ours: TA are right
phones accepted, FR right phones rejected, TR wrong phones rejected, FA wrong phones accepted.
FRR = FR / (TA + FR), FAR = FA / (FA + TR), precision = TR / (TR + FR), recall = TR / (TR + FA),
F1 is that of rejections, and the diagnosis error rate is the share of wrong diagnoses among the
TR whose perceived phone annotators tell. `uncertain` phones are in none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nativeear.scoring.evaluation.bootstrap import (
    RESAMPLES,
    Measure,
    Statistic,
    calibration_error,
    concordance,
    correlation,
    draw_weights,
    macro_error,
    measure,
    rank_correlation,
    separation,
    share,
)
from nativeear.scoring.evaluation.judgements import (
    ASPECTS,
    BY_VERDICT,
    UNKNOWN,
    BoolArray,
    Detection,
    IntArray,
    Judgements,
    RealArray,
)

BINS = 15
"""Bins of equal width of the reliability diagram and the calibration error."""

AGE_GROUPS = ("child", "teen", "adult")

PHONE_UNIT = 2 / 100
WORD_UNIT = 10 / 100
"""What one of our points is in the experts' units: 0–2 for phones, 0–10 for words and sentences."""

PHONE_CLASSES = (0, 1, 2)
"""Wrong, heavy accent, right: experts' scores rounded."""


@dataclass(frozen=True)
class Counts:
    """Phones by the annotators' verdict and ours."""

    phones: int
    mispronounced: int
    uncertain: int
    true_acceptances: int
    true_rejections: int
    false_acceptances: int
    false_rejections: int


@dataclass(frozen=True)
class Bin:
    """Phones whose stated probability lies in `[low, high)`; means are None where none does."""

    low: float
    high: float
    phones: int
    stated: float | None
    observed: float | None


@dataclass(frozen=True)
class Group:
    """The same measures of a part: one phone, one speaker, one age group."""

    name: str
    counts: Counts
    mean_score: float | None
    mean_expert: float | None
    measures: dict[str, Measure]


@dataclass(frozen=True)
class Confusion:
    """How often a canonical phone was heard by the system as another, or as deleted."""

    canonical: str
    heard: str
    phones: int


@dataclass(frozen=True)
class Evaluation:
    """Everything measured on one set of judgements.

    Attributes
    ----------
    interval_by
        What was resampled for the intervals: `speaker`, or `utterance` for a single speaker.
    """

    utterances: int
    speakers: int
    interval_by: str
    counts: Counts
    measures: dict[str, Measure]
    reliability: tuple[Bin, ...]
    by_age: tuple[Group, ...]
    by_gender: tuple[Group, ...]
    by_l1: tuple[Group, ...]
    by_speaker: tuple[Group, ...]
    by_phone: tuple[Group, ...]
    confusions: tuple[Confusion, ...]


def evaluate(
    judgements: Judgements,
    detection: Detection = BY_VERDICT,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Measure everything.

    Parameters
    ----------
    detection
        What counts as a rejection.
    resamples
        Bootstrap resamples behind each interval.
    seed
        Of the resampling; the same seed gives the same intervals.
    """
    j = judgements
    by_speaker = len(j.speakers) > 1
    unit_of = j.utterance_speaker if by_speaker else np.arange(len(j.utterances))
    unit = unit_of[j.utterance]
    weights = draw_weights(int(unit_of.max()) + 1, resamples, seed)
    rejected = j.rejected(detection)
    whole = _group(
        "", j, rejected, np.ones(len(j.canonical), dtype=bool), unit=unit, weights=weights
    )

    def groups(attribute: str, order: tuple[str, ...] = ()) -> tuple[Group, ...]:
        names = [getattr(speaker, attribute) for speaker in j.speakers]
        present = set(names) - {None}
        chosen = {name: np.array([n == name for n in names])[j.speaker] for name in present}
        return tuple(
            _group(name, j, rejected, chosen[name], unit=unit, weights=weights)
            for name in order or sorted(present)
            if name in present
        )

    return Evaluation(
        utterances=len(j.utterances),
        speakers=len(j.speakers),
        interval_by="speaker" if by_speaker else "utterance",
        counts=whole.counts,
        measures=whole.measures
        | {
            name: measure(statistic, weights)
            for name, statistic in _whole_statistics(j, rejected, unit, unit_of)
        },
        reliability=_reliability(j),
        by_age=groups("age_group", AGE_GROUPS),
        by_gender=groups("gender"),
        by_l1=groups("l1"),
        by_speaker=tuple(
            _speaker(number, j, rejected, resamples, seed) for number in range(len(j.speakers))
        ),
        by_phone=tuple(
            _group(j.symbols[code], j, rejected, j.canonical == code, unit=unit, weights=weights)
            for code in np.unique(j.canonical)
        ),
        confusions=_confusions(j),
    )


def counts_of(judgements: Judgements, chosen: BoolArray) -> Counts:
    """How the verdicts on some phones go with the annotators'; `chosen` is bool `[N]`."""
    return _counts(judgements, judgements.flagged, chosen)


def _phone_statistics(
    j: Judgements, rejected: BoolArray, chosen: BoolArray, unit: IntArray
) -> Iterator[tuple[str, Statistic]]:
    """Measures that make sense of any part of the phones; `chosen` is bool `[N]`."""
    judged = chosen & ~j.uncertain
    unit = unit[judged]
    wrong, out = j.mispronounced[judged], rejected[judged]
    right = ~wrong
    score, expert = j.score[judged], j.expert[judged]
    some = bool(wrong.any())  # of nothing but right phones every rejection is false
    yield "false_rejection_rate", share(right & out, right, unit)
    yield "false_acceptance_rate", share(wrong & ~out, wrong, unit)
    yield "precision", share(wrong & out, out & some, unit)
    yield "recall", share(wrong & out, wrong, unit)
    yield "f1", share(2 * _real(wrong & out), _real(wrong) + _real(out & some), unit)
    yield "roc_auc", separation(wrong, -score, unit)
    yield from _agreement("phone", score, expert, unit, PHONE_UNIT)
    error, classes = np.abs(PHONE_UNIT * score - expert), np.floor(expert + 0.5)
    for each in PHONE_CLASSES:
        own = (classes == each) & ~np.isnan(error)
        yield f"phone_error_{each}", share(np.where(own, error, 0.0), own, unit)


def _agreement(
    what: str, score: RealArray, expert: RealArray, unit: IntArray, scale: float
) -> Iterator[tuple[str, Statistic]]:
    """How our scores go with the experts'; `scale` brings ours into their unit."""
    yield f"{what}_pcc", correlation(score, expert, unit)
    yield f"{what}_spearman", rank_correlation(score, expert, unit)
    yield f"{what}_concordance", concordance(scale * score, expert, unit)
    yield f"{what}_macro_error", macro_error(scale * score, expert, unit)


def _whole_statistics(
    j: Judgements, rejected: BoolArray, unit: IntArray, unit_of: IntArray
) -> Iterator[tuple[str, Statistic]]:
    """Measures of the whole only."""
    judged = ~j.uncertain
    wrong = j.mispronounced
    yield "roc_auc_probability", separation(wrong[judged], j.probability[judged], unit[judged])
    yield (
        "calibration_error",
        calibration_error(wrong[judged], j.probability[judged], unit[judged], bins=BINS),
    )
    diagnosable = wrong & rejected & judged & (j.perceived != UNKNOWN)
    yield (
        "diagnosis_error_rate",
        share(diagnosable & (j.diagnosed != j.perceived), diagnosable, unit),
    )
    known = judged & (~wrong | (j.perceived != UNKNOWN))
    gone = known & (j.perceived == j.deleted)
    predicted_gone = known & (j.predicted == j.deleted) & gone.any()
    yield "deletion_precision", share(gone & predicted_gone, predicted_gone, unit)
    yield "deletion_recall", share(gone & predicted_gone, gone, unit)
    yield (
        "deletion_f1",
        share(2 * _real(gone & predicted_gone), _real(gone) + _real(predicted_gone), unit),
    )
    annotated, reported, right = map(_real, j.insertions.T * j.insertions[:, 0].any())
    yield "insertion_precision", share(right, reported, unit_of)
    yield "insertion_recall", share(right, annotated, unit_of)
    yield "insertion_f1", share(2 * right, annotated + reported, unit_of)
    yield "uncertain_share", share(j.uncertain, np.ones(len(unit)), unit)
    word_unit = unit_of[j.word_utterance]
    yield from _agreement("word", j.word_score, j.word_expert, word_unit, WORD_UNIT)
    for column, aspect in enumerate(ASPECTS):
        ours, theirs = j.sentence_score[:, column], j.sentence_expert[:, column]
        yield from _agreement(f"sentence_{aspect}", ours, theirs, unit_of, WORD_UNIT)


def _speaker(number: int, j: Judgements, rejected: BoolArray, resamples: int, seed: int) -> Group:
    """The measures of one speaker; of one voice utterances are drawn."""
    own = j.utterance_speaker == number
    place = np.cumsum(own) - 1  # of the others' utterances it means nothing, and is not looked at
    return _group(
        j.speakers[number].id,
        j,
        rejected,
        j.speaker == number,
        unit=place[j.utterance],
        weights=draw_weights(int(own.sum()), resamples, seed),
    )


def _group(
    name: str,
    j: Judgements,
    rejected: BoolArray,
    chosen: BoolArray,
    *,
    unit: IntArray,
    weights: RealArray,
) -> Group:
    """The measures of a part, with intervals."""
    return Group(
        name=name,
        counts=_counts(j, rejected, chosen),
        mean_score=_mean(j.score[chosen]),
        mean_expert=_mean(j.expert[chosen]),
        measures={
            what: measure(statistic, weights)
            for what, statistic in _phone_statistics(j, rejected, chosen, unit)
        },
    )


def _counts(j: Judgements, rejected: BoolArray, chosen: BoolArray) -> Counts:
    judged = chosen & ~j.uncertain
    wrong = j.mispronounced

    def count(which: BoolArray) -> int:
        return int(which.sum())

    return Counts(
        phones=count(chosen),
        mispronounced=count(chosen & wrong),
        uncertain=count(chosen & j.uncertain),
        true_acceptances=count(judged & ~wrong & ~rejected),
        true_rejections=count(judged & wrong & rejected),
        false_acceptances=count(judged & wrong & ~rejected),
        false_rejections=count(judged & ~wrong & rejected),
    )


def _reliability(j: Judgements) -> tuple[Bin, ...]:
    """What was stated and what happened in `BINS` bins of equal width."""
    known = ~np.isnan(j.probability)
    stated, happened = j.probability[known], j.mispronounced[known]
    number = np.minimum((stated * BINS).astype(np.int64), BINS - 1)
    bins = []
    for b in range(BINS):
        own = number == b
        bins.append(
            Bin(b / BINS, (b + 1) / BINS, int(own.sum()), _mean(stated[own]), _mean(happened[own]))
        )
    return tuple(bins)


def _confusions(j: Judgements) -> tuple[Confusion, ...]:
    """Pairs of what was meant and what the system heard, the most frequent first."""
    known = j.predicted != UNKNOWN
    names = (*j.symbols, "deleted")
    pairs, counts = np.unique(
        np.stack([j.canonical[known], j.predicted[known]], axis=1), axis=0, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    return tuple(Confusion(names[pairs[i, 0]], names[pairs[i, 1]], int(counts[i])) for i in order)


def _real(values: BoolArray | IntArray) -> RealArray:
    return values.astype(np.float64)


def _mean(values: RealArray | BoolArray) -> float | None:
    known = values[~np.isnan(values.astype(np.float64))]
    return float(known.mean()) if len(known) else None
