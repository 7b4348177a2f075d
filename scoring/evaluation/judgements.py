"""Annotations and assessments side by side, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.annotated_corpus import (
    DELETED,
    AnnotatedInsertion,
    AnnotatedPhone,
    AnnotatedUtterance,
    Speaker,
)
from nativeear.scoring.assessment import Assessment, PhoneAssessment
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
RealArray = NDArray[np.float64]

UNKNOWN = -1
"""Code of a phone that nobody named."""

ASPECTS = {
    "accuracy": "pronunciation",
    "completeness": "completeness",
    "fluency": "fluency",
    "prosodic": "prosody",
    "total": "overall",
}
"""Which of our scores answers which of the experts'."""

INSERTION_SLACK = 1
"""How many phones off an insertion may be reported and still count as found."""


@dataclass(frozen=True)
class Detection:
    """What counts as a rejection: the verdict, or a threshold in its place.

    Attributes
    ----------
    by
        `verdict`; `probability`: at `threshold` or above; `score`: below `threshold`.
    threshold
        0–1 for the probability, 0–100 for the score.
    """

    by: Literal["verdict", "probability", "score"] = "verdict"
    threshold: float | None = None


BY_VERDICT = Detection()


@dataclass(frozen=True, eq=False)
class Judgements:
    """N canonical phones of many utterances, what people said of each and what we say.

    Attributes
    ----------
    symbols
        The P phones; codes are positions here, P stands for "deleted", `UNKNOWN` for unknown.
    speakers, utterances
        Who reads, and the utterances' ids. The columns hold positions here.
    speaker, utterance
        int64 `[N]`.
    canonical
        int64 `[N]`, code of the phone that was meant.
    mispronounced
        bool `[N]`, the annotators' verdict.
    expert
        float64 `[N]`, expert score 0–2; NaN where there is none.
    perceived
        int64 `[N]`, code of what annotators heard instead; `UNKNOWN` where they do not tell.
    uncertain
        bool `[N]`: the system declined to judge.
    flagged
        bool `[N]`: the system's verdict is that the phone was not said as it was meant.
    score, probability
        float64 `[N]`, 0–100 and 0–1; NaN where uncertain.
    predicted
        int64 `[N]`, what the system heard: the likeliest phone, or deleted.
    diagnosed
        int64 `[N]`, what it would tell the learner: the same without the canonical phone.
    word_expert, word_score, word_utterance
        Words that experts scored: `[W]`.
    sentence_expert, sentence_score
        `[U, A]`, one column for each of `ASPECTS`; NaN where there is none.
    insertions
        int64 `[U, 3]`: annotated, reported and rightly reported insertions; 0 where annotators
        did not look for them.
    """

    symbols: tuple[str, ...]
    speakers: tuple[Speaker, ...]
    utterances: tuple[str, ...]
    utterance_speaker: IntArray
    speaker: IntArray
    utterance: IntArray
    canonical: IntArray
    mispronounced: BoolArray
    expert: RealArray
    perceived: IntArray
    uncertain: BoolArray
    flagged: BoolArray
    score: RealArray
    probability: RealArray
    predicted: IntArray
    diagnosed: IntArray
    word_expert: RealArray
    word_score: RealArray
    word_utterance: IntArray
    sentence_expert: RealArray
    sentence_score: RealArray
    insertions: IntArray

    @property
    def deleted(self) -> int:
        """Code of "deleted"."""
        return len(self.symbols)

    def where(self, judged: BoolArray) -> Judgements:
        """The same, but that phones are not judged where another detector does not judge them."""
        uncertain = self.uncertain | ~judged
        return replace(
            self,
            uncertain=uncertain,
            flagged=self.flagged & ~uncertain,
            score=np.where(uncertain, np.nan, self.score),
            probability=np.where(uncertain, np.nan, self.probability),
        )

    def rejected(self, detection: Detection) -> BoolArray:
        """Which phones the system rejects, bool `[N]`; uncertain ones never.

        Raises
        ------
        InputError
            If probabilities are to decide, and none was stated.
        """
        if detection.by == "verdict" or detection.threshold is None:
            return self.flagged
        if detection.by == "score":
            return self.score < detection.threshold
        if np.isnan(self.probability).all():
            raise InputError(
                "No phone has a probability that a threshold could be compared with.",
                cause="The calibration states none for this index.",
                fix="Give a score, as in --threshold-score 50.",
            )
        return self.probability >= detection.threshold


_PHONE_COLUMNS = [
    ("speaker", np.int64),
    ("utterance", np.int64),
    ("canonical", np.int64),
    ("mispronounced", np.bool_),
    ("expert", np.float64),
    ("perceived", np.int64),
    ("uncertain", np.bool_),
    ("flagged", np.bool_),
    ("score", np.float64),
    ("probability", np.float64),
    ("predicted", np.int64),
    ("diagnosed", np.int64),
]


class JudgementTable:
    """Collects `Judgements` utterance by utterance, so that no assessment has to be kept."""

    def __init__(self, inventory: PhoneInventory) -> None:
        self._inventory = inventory
        self._symbols = inventory.symbols
        self._codes = {symbol: code for code, symbol in enumerate(self._symbols)}
        self._speakers: dict[str, int] = {}
        self._who: list[Speaker] = []
        self._utterances: list[str] = []
        self._utterance_speaker: list[int] = []
        self._phones: list[tuple[float, ...]] = []
        self._words: list[tuple[float, float, int]] = []
        self._sentences: list[tuple[list[float], list[float]]] = []
        self._insertions: list[tuple[int, int, int]] = []

    def add(self, annotated: AnnotatedUtterance, assessment: Assessment) -> None:
        """Add one utterance.

        Raises
        ------
        InputError
            If the assessment is of other phones than were annotated. Nothing is added then.
        """
        judged = assessment.phones
        given = annotated.phones or tuple(AnnotatedPhone(phone.phone) for phone in judged)
        canonical = self._canonical(annotated) or [phone.phone for phone in judged]
        if canonical != [phone.phone for phone in judged]:
            raise InputError(
                f"The assessment of {annotated.id} is of other phones than were annotated.",
                cause=f"{' '.join(canonical)} were annotated.",
            )
        who = self._speakers.setdefault(annotated.speaker.id, len(self._who))
        if who == len(self._who):
            self._who.append(annotated.speaker)
        number = len(self._utterances)
        self._utterances.append(annotated.id)
        self._utterance_speaker.append(who)
        self._phones += [
            (who, number, *self._columns(phone, found))
            for phone, found in zip(given, judged, strict=True)
            if phone.is_annotated
        ]
        if len(annotated.words) == len(assessment.words):
            self._words += [
                (word.accuracy, _or_nan(ours.score), number)
                for word, ours in zip(annotated.words, assessment.words, strict=True)
                if word.accuracy is not None
            ]
        self._sentences.append(
            (
                [_or_nan(getattr(annotated.sentence, theirs)) for theirs in ASPECTS],
                [_or_nan(getattr(assessment.score, ours)) for ours in ASPECTS.values()],
            )
        )
        self._insertions.append(_match_insertions(annotated.insertions, assessment))

    def _canonical(self, annotated: AnnotatedUtterance) -> list[str]:
        """The annotated phones as `Assessor.assess` reads them."""
        if annotated.given_phones is None:
            return []
        words = given_phones(annotated.given_phones, self._inventory).words
        return [phone for word in words for phone in word.variants[0].phones]

    def _columns(self, phone: AnnotatedPhone, found: PhoneAssessment) -> tuple[float, ...]:
        predicted = [self._codes[sound.phone] for sound in found.sounds_like]
        canonical = self._codes[found.phone]
        perceived = self._perceived(phone.perceived)
        others = [code for code in predicted if code != canonical]
        if found.verdict == "deleted":
            predicted = others = [len(self._symbols)]
        return (
            canonical,
            phone.mispronounced,
            _or_nan(phone.expert),
            UNKNOWN if perceived == canonical else perceived,
            found.verdict == "uncertain",
            found.verdict in FLAGGED,
            _or_nan(found.score),
            _or_nan(found.probability_mispronounced),
            next(iter(predicted), UNKNOWN),
            next(iter(others), UNKNOWN),
        )

    def _perceived(self, label: str | None) -> int:
        """Code of what annotators heard; sounds that the inventory lacks are not told."""
        if label is None:
            return UNKNOWN
        if label == DELETED:
            return len(self._symbols)
        try:
            return self._codes[self._inventory.symbol(label)]
        except PhoneError:
            return UNKNOWN

    def judgements(self) -> Judgements:
        """Everything added so far.

        Raises
        ------
        InputError
            If that is nothing.
        """
        if not self._phones:
            raise InputError("There is not one utterance to measure on.")
        phones = np.array(self._phones, dtype=_PHONE_COLUMNS)
        words = np.array(self._words, dtype=np.float64).reshape(-1, 3).T
        experts, ours = (
            np.array([pair[side] for pair in self._sentences], dtype=np.float64) for side in (0, 1)
        )
        return Judgements(
            symbols=self._symbols,
            speakers=tuple(self._who),
            utterances=tuple(self._utterances),
            utterance_speaker=np.array(self._utterance_speaker, dtype=np.int64),
            word_expert=words[0],
            word_score=words[1],
            word_utterance=words[2].astype(np.int64),
            sentence_expert=experts,
            sentence_score=ours,
            insertions=np.array(self._insertions, dtype=np.int64).reshape(-1, 3),
            **{name: np.ascontiguousarray(phones[name]) for name, _ in _PHONE_COLUMNS},
        )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _match_insertions(
    annotated: Sequence[AnnotatedInsertion] | None, assessment: Assessment
) -> tuple[int, int, int]:
    """Annotated, reported and rightly reported insertions of one utterance.

    Both are placed after the canonical phone that they follow. In order, each reported one takes
    the first annotated one not more than `INSERTION_SLACK` phones away; what sound it is does not
    matter.
    """
    if annotated is None:
        return 0, 0, 0
    middles = [
        (phone.start_s + phone.end_s) / 2
        for phone in assessment.phones
        if phone.start_s is not None and phone.end_s is not None
    ]
    left = sorted(insertion.after for insertion in annotated)
    right = 0
    for reported in sorted(assessment.insertions, key=lambda insertion: insertion.start_s):
        middle = (reported.start_s + reported.end_s) / 2
        after = sum(phone < middle for phone in middles) - 1
        near = next((place for place in left if abs(place - after) <= INSERTION_SLACK), None)
        if near is not None:
            left.remove(near)
            right += 1
    return len(annotated), len(assessment.insertions), right
