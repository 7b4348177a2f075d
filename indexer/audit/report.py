"""The audit of an index: everything that can be said of it without hearing anybody new."""

from __future__ import annotations

import numpy as np

from nativeear.indexer.audit.against import AgainstReport, against
from nativeear.indexer.audit.coverage import AuditModel, CoverageReport, coverage
from nativeear.indexer.audit.expected import FALSE_REJECTIONS, Expectation, expectations
from nativeear.indexer.audit.geometry import Geometry, geometry, neighbourhood
from nativeear.indexer.audit.learning import LearningCurve, learning_curve
from nativeear.indexer.audit.left_out import LeftOut, ask_left_out
from nativeear.indexer.audit.needs import IndexContents
from nativeear.indexer.audit.since import Since
from nativeear.indexer.audit.suspects import Suspects, suspects
from nativeear.indexer.audit.vocabulary import RecordNext, record_next, vocabulary_of
from nativeear.indexer.audit.voices import VoicesAudit, voices
from nativeear.indexes.phone_index import IntArray, PhoneIndex

MOST_CONFUSIONS = 3


class Confusion(AuditModel):
    """Another phone that natives were nearer to, and the share of those who were."""

    phone: str
    share: float


class PhoneAudit(AuditModel):
    """What is to be expected of one phone."""

    phone: str  # the phone
    expected: Expectation  # of natives who were never heard
    taken_for: tuple[Confusion, ...]  # what it is taken for, the most frequent first
    curve: LearningCurve  # what more speech would be worth


class ConfusionMatrix(AuditModel):
    """Left-out natives by their phone (row) and by the class that they were nearest to (column).

    `rows` are the phones of the index, `columns` the same and silence.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class AuditReport(AuditModel):
    """What an index holds, how well it hears, and what it lacks."""

    coverage: CoverageReport  # what it holds
    # Share of natives who were never heard that should be nearest to their own phone, phones
    # weighed by their exemplars.
    accuracy: float
    allowed_false_rejections: float  # share of native phones that may be flagged, of all together
    left_out: str  # what was left out with each native who was asked: `speaker` or `utterance`
    # Whether confusions and curves were taken with a transform that was fitted without them.
    refitted: bool
    geometry: Geometry  # the shape of the search space
    phones: tuple[PhoneAudit, ...]  # the phones that the index holds, in the order of the inventory
    voices: VoicesAudit  # its speakers, and what to expect of others
    suspects: Suspects  # exemplars that somebody should listen to
    confusions: ConfusionMatrix  # what was taken for what
    curve: LearningCurve  # what more speech would be worth for all phones together
    # Phones whose error more speech of them should lower, by more than twice the standard error of
    # that figure, the most first.
    most_to_gain: tuple[str, ...]
    record_next: RecordNext  # what to record, by the words of the language that are known
    # The index held against a text, a lexicon or an inventory, if one was given.
    against: AgainstReport | None = None
    since: Since | None = None  # what has changed since an earlier audit, if one was given


def audit(index: PhoneIndex, *, source: str | None = None) -> AuditReport:
    """Audit an open index, offline; the same index gives the same report.

    Parameters
    ----------
    source
        A text, a lexicon or an inventory to hold it against, see `indexer.audit.against`.

    Raises
    ------
    InputError
        If the source cannot be used.
    """
    vocabulary = vocabulary_of(index)
    held = coverage(index, vocabulary.contexts if vocabulary.phones else None)
    compared = None if source is None else against(index, held, source)  # fails soonest
    expected = expectations(index)
    around = neighbourhood(index)
    asked = ask_left_out(index)
    nearest = asked.nearest
    counts = _confusions(index, asked, nearest[-1])
    phones = [
        PhoneAudit(
            phone=phone,
            expected=expected.phones[phone],
            taken_for=_taken_for(index, phone, counts[index.classes.index(phone)]),
            curve=_curve(index, asked, nearest, phone),
        )
        for phone in index.inventory.symbols
        if phone in expected.phones
    ]
    rows = [index.classes.index(p.phone) for p in phones]
    columns = rows + [p for p, phone in enumerate(index.classes) if p not in rows]
    return AuditReport(
        coverage=held,
        accuracy=round(1 - expected.error, 4),
        allowed_false_rejections=FALSE_REJECTIONS,
        left_out="speaker" if asked.by_speaker else "utterance",
        refitted=asked.refitted,
        geometry=geometry(around),
        phones=tuple(phones),
        voices=voices(index),
        suspects=suspects(index, around),
        confusions=ConfusionMatrix(
            rows=tuple(index.classes[p] for p in rows),
            columns=tuple(index.classes[p] for p in columns),
            counts=tuple(tuple(row) for row in counts[np.ix_(rows, columns)].tolist()),
        ),
        curve=_whole_curve(asked, nearest),
        most_to_gain=tuple(p.phone for p in _by_gain(phones)),
        record_next=record_next(vocabulary, IndexContents.of(held, index.inventory)),
        against=compared,
    )


def _confusions(index: PhoneIndex, asked: LeftOut, nearest: IntArray) -> IntArray:
    """Natives by own class and nearest class, `[P, P]`; those that nothing answered are in none."""
    counts = np.zeros((len(index.classes), len(index.classes)), dtype=np.int64)
    answered = nearest >= 0
    np.add.at(counts, (asked.own[answered], nearest[answered]), 1)
    return counts


def _taken_for(index: PhoneIndex, phone: str, row: IntArray) -> tuple[Confusion, ...]:
    total = int(row.sum())
    others = row.copy()
    others[index.classes.index(phone)] = 0
    order = np.argsort(-others, kind="stable")[:MOST_CONFUSIONS]
    return tuple(
        Confusion(phone=index.classes[p], share=round(int(others[p]) / total, 4))
        for p in order.tolist()
        if others[p]
    )


def _curve(index: PhoneIndex, asked: LeftOut, nearest: IntArray, phone: str) -> LearningCurve:
    """Learning curve of one phone."""
    own = index.classes.index(phone)
    chosen = asked.own == own
    wrong = (nearest[:, chosen] != own).sum(axis=1)
    return learning_curve(asked.answering[:, own], wrong, int(chosen.sum()))


def _whole_curve(asked: LeftOut, nearest: IntArray) -> LearningCurve:
    """Learning curve of all phones together, each weighed by its exemplars and not by the asked."""
    spoken, place, count = np.unique(asked.own, return_inverse=True, return_counts=True)
    exemplars = asked.answering[-1, spoken].astype(np.float64)
    weight = (exemplars / count)[place] / exemplars.sum()
    wrong = np.rint(len(asked.own) * ((nearest != asked.own) @ weight)).astype(np.int64)
    return learning_curve(asked.answering[:, spoken].sum(axis=1), wrong, len(asked.own))


def _by_gain(phones: list[PhoneAudit]) -> list[PhoneAudit]:
    def gain(phone: PhoneAudit) -> float:
        return phone.curve.gain or 0.0

    sure = [p for p in phones if gain(p) > 2 * (p.curve.gain_error or 0.0)]
    return sorted(sure, key=lambda p: (-gain(p), p.phone))
