"""Measures against numbers worked out by hand, and against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from nativeear.indexer.annotated_corpus import (
    DELETED,
    AnnotatedInsertion,
    AnnotatedPhone,
    SentenceScores,
    Speaker,
)
from nativeear.scoring.evaluation.judgements import Detection, Judgements, JudgementTable
from nativeear.scoring.evaluation.measures import Evaluation, counts_of, evaluate
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory
from tests.scoring.evaluation.conftest import annotated, assessed

ANNA = Speaker("anna", 9, "f", "es")
BEN = Speaker("ben", 30, "m", "es")
RIGHT = AnnotatedPhone.rated


@pytest.fixture
def judgements() -> Judgements:
    """Ten phones of two speakers; what is right and wrong with them can be counted by hand."""
    table = JudgementTable(PhoneInventory.load("en-US"))
    table.add(
        annotated(
            "a1",
            ANNA,
            [
                [
                    RIGHT("TH", 0.0, "S"),
                    RIGHT("IH1", 2.0),
                    RIGHT("NG", 0.4, "N"),
                    RIGHT("K", 0.2, DELETED),
                ],
                [RIGHT("AY1", 1.0), RIGHT("T", 2.0)],
            ],
            sentence=SentenceScores(accuracy=4.0, total=3.0),
            insertions=(AnnotatedInsertion(0, "AH"), AnnotatedInsertion(5, "AH")),
        ),
        assessed(
            "a1",
            [
                [
                    ("TH", "substituted", 10.0, 0.9, "S TH"),  # TR, rightly diagnosed
                    ("IH", "correct", 80.0, 0.1, "IH IY"),  # TA
                    ("NG", "accented", 30.0, 0.6, "NG M"),  # TR, told to be M and was N
                    ("K", "deleted", 0.0, 1.0, ""),  # TR, and gone indeed
                ],
                [
                    ("AY", "accented", 45.0, 0.5, "AY"),  # FR
                    ("T", "uncertain", None, None, ""),
                ],
            ],
            # After the third phone: two off the annotated place. At the end: one off.
            insertions=[(0.28, 0.32), (0.45, 0.46)],
        ),
    )
    table.add(
        annotated(
            "b1",
            BEN,
            [[RIGHT("S", 2.0), RIGHT("IY0", 0.0), RIGHT("D", 2.0), RIGHT("M", 0.1, "ERR7")]],
            sentence=SentenceScores(accuracy=8.0),
            insertions=(),
        ),
        assessed(
            "b1",
            [
                [
                    ("S", "correct", 90.0, 0.0, "S"),  # TA
                    ("IY", "correct", 60.0, 0.3, "IY"),  # FA
                    ("D", "deleted", 0.0, 1.0, ""),  # FR: it was there
                    ("M", "substituted", 20.0, 0.8, "N"),  # TR, of which nobody tells what it was
                ]
            ],
            insertions=[(0.1, 0.2)],
        ),
    )
    return table.judgements()


def value(evaluation: Evaluation, name: str) -> float | None:
    return evaluation.measures[name].value


def test_measures_by_hand(judgements: Judgements) -> None:
    found = evaluate(judgements, resamples=50)
    counts = found.counts
    assert (counts.phones, counts.mispronounced, counts.uncertain) == (10, 5, 1)
    assert (counts.true_acceptances, counts.false_rejections) == (2, 2)
    assert (counts.true_rejections, counts.false_acceptances) == (4, 1)
    assert value(found, "false_rejection_rate") == pytest.approx(2 / 4)
    assert value(found, "false_acceptance_rate") == pytest.approx(1 / 5)
    assert value(found, "precision") == pytest.approx(4 / 6)
    assert value(found, "recall") == pytest.approx(4 / 5)
    assert value(found, "f1") == pytest.approx(2 * (4 / 6) * (4 / 5) / (4 / 6 + 4 / 5))
    assert value(found, "diagnosis_error_rate") == pytest.approx(1 / 3)
    assert value(found, "deletion_precision") == pytest.approx(1 / 2)
    assert value(found, "deletion_recall") == pytest.approx(1)
    assert value(found, "insertion_precision") == pytest.approx(1 / 3)
    assert value(found, "insertion_recall") == pytest.approx(1 / 2)
    assert value(found, "uncertain_share") == pytest.approx(1 / 10)
    # Wrong 10 30 0 60 20, right 80 45 90 0: pairs in which the wrong one is lower, ties halved.
    assert value(found, "roc_auc") == pytest.approx((3 + 3 + 3.5 + 2 + 3) / 20)
    assert value(found, "roc_auc_probability") == pytest.approx((3 + 3 + 3.5 + 2 + 3) / 20)
    score = [10, 80, 30, 0, 45, 90, 60, 0, 20]
    expert = [0, 2, 0.4, 0.2, 1, 2, 0, 2, 0.1]
    assert value(found, "phone_pcc") == pytest.approx(np.corrcoef(score, expert)[0, 1])
    assert value(found, "phone_spearman") == pytest.approx(spearmanr(score, expert)[0])
    # In the experts' unit a point is 0.02; classes 0, 1 and 2 have 5, 1 and 3 phones here.
    errors = np.abs(0.02 * np.array(score) - expert)
    classes = np.round(expert)
    means = [errors[classes == each].mean() for each in (0, 1, 2)]
    assert [value(found, f"phone_error_{each}") for each in (0, 1, 2)] == pytest.approx(means)
    assert value(found, "phone_macro_error") == pytest.approx(np.mean(means))
    # Bins of a fifteenth: only 0.9, 0.1, 0.6 and so on that share one are averaged first.
    surplus = abs(0.9 - 1) + 0.1 + abs(0.6 - 1) + abs(2 - 1) + 0.5 + 0 + abs(0.3 - 1) + abs(0.8 - 1)
    assert value(found, "calibration_error") == pytest.approx(surplus / 9)
    assert value(found, "word_pcc") is None  # the experts gave all words the same
    assert value(found, "sentence_accuracy_pcc") is None  # ours are all the same
    assert value(found, "sentence_total_pcc") is None
    assert found.interval_by == "speaker"


def test_two_detectors_are_held_against_each_other_on_the_same_phones(
    judgements: Judgements,
) -> None:
    others = np.ones(10, dtype=bool)
    others[[0, 4, 6]] = False  # TR, FR and TA
    found = evaluate(judgements.where(others), resamples=10)
    assert (found.counts.phones, found.counts.uncertain) == (10, 4)
    assert (found.counts.true_acceptances, found.counts.false_rejections) == (1, 1)
    assert (found.counts.true_rejections, found.counts.false_acceptances) == (3, 1)
    # Wrong 30 0 60 20, right 80 0
    assert value(found, "roc_auc") == pytest.approx((1 + 1.5 + 1 + 1) / 8)
    rest = counts_of(judgements, ~others)
    assert (rest.phones, rest.mispronounced, rest.uncertain) == (3, 1, 0)
    assert (rest.true_acceptances, rest.false_rejections, rest.true_rejections) == (1, 1, 1)


def test_no_threshold_is_compared_with_probabilities_that_nobody_stated(
    judgements: Judgements,
) -> None:
    silent = replace(judgements, probability=np.full_like(judgements.probability, np.nan))
    with pytest.raises(InputError, match="No phone has a probability"):
        evaluate(silent, Detection("probability", 0.5), resamples=5)
    found = evaluate(silent, resamples=5)
    assert value(found, "roc_auc_probability") is None
    assert value(found, "calibration_error") is None


def test_thresholds_take_the_place_of_verdicts(judgements: Judgements) -> None:
    by_score = evaluate(judgements, Detection("score", 45.0), resamples=5).counts
    assert (by_score.true_rejections, by_score.false_rejections) == (4, 1)
    by_probability = evaluate(judgements, Detection("probability", 0.3), resamples=5).counts
    assert (by_probability.true_rejections, by_probability.false_rejections) == (5, 2)
    assert by_probability.uncertain == 1


def test_groups_and_confusions(judgements: Judgements) -> None:
    found = evaluate(judgements, resamples=20)
    assert [(group.name, group.counts.phones) for group in found.by_age] == [
        ("child", 6),
        ("adult", 4),
    ]
    assert [group.name for group in found.by_gender] == ["f", "m"]
    assert [(group.name, group.counts.phones) for group in found.by_l1] == [("es", 10)]
    anna, ben = found.by_speaker
    rates = {name: each.value for name, each in anna.measures.items()}
    assert rates["false_rejection_rate"] == pytest.approx(1 / 2)
    assert (anna.mean_score, ben.counts.phones) == (pytest.approx(33.0), 4)
    assert all(each.low is None for each in anna.measures.values())
    assert sum(group.counts.phones for group in found.by_phone) == 10
    heard = {(each.canonical, each.heard): each.phones for each in found.confusions}
    assert heard[("TH", "S")] == heard[("K", "deleted")] == heard[("D", "deleted")] == 1
    assert ("T", "deleted") not in heard
    assert sum(heard.values()) == 9
    assert sum(bin.phones for bin in found.reliability) == 9
    top = found.reliability[-1]
    assert (top.phones, top.stated, top.observed) == (2, 1.0, 0.5)


def test_without_what_was_heard_nothing_is_said_of_diagnoses() -> None:
    table = JudgementTable(PhoneInventory.load("en-US"))
    table.add(
        annotated("a", ANNA, [[RIGHT("S", 0.0), RIGHT("T", 2.0)]]),
        assessed("a", [[("S", "deleted", 0.0, 1.0, ""), ("T", "correct", 80.0, 0.0, "T")]]),
    )
    found = evaluate(table.judgements(), resamples=5)
    assert value(found, "diagnosis_error_rate") is None
    assert value(found, "deletion_recall") is None
    assert value(found, "deletion_precision") is None
    assert value(found, "insertion_recall") is None
    assert (found.interval_by, found.measures["recall"].low) == ("utterance", None)


def test_an_assessment_of_other_phones_is_refused_whole() -> None:
    table = JudgementTable(PhoneInventory.load("en-US"))
    with pytest.raises(InputError, match="of other phones"):
        table.add(
            annotated("a", ANNA, [[RIGHT("S", 0.0)]]),
            assessed("a", [[("T", "correct", 80.0, 0.0, "T")]]),
        )
    with pytest.raises(InputError, match="not one utterance"):
        table.judgements()


def test_a_speakers_intervals_are_over_his_utterances() -> None:
    table = JudgementTable(PhoneInventory.load("en-US"))
    for number, (verdict, score) in enumerate([("correct", 80.0), ("substituted", 10.0)] * 3):
        for speaker, copies in ((ANNA, 1), (BEN, 2 * (number == 0))):
            for copy in range(copies):
                name = f"{speaker.id}{number}{copy}"
                table.add(
                    annotated(name, speaker, [[RIGHT("S", 2.0)]]),
                    assessed(name, [[("S", verdict, score, 0.5, "S")]]),
                )
    anna, ben = evaluate(table.judgements(), resamples=400).by_speaker
    wide, narrow = (each.measures["false_rejection_rate"] for each in (anna, ben))
    # Three of six are rejected; of six draws at odds of a half, 95 % give one to five.
    assert (wide.value, wide.low, wide.high) == pytest.approx((0.5, 1 / 6, 5 / 6))
    assert (narrow.value, narrow.low, narrow.high) == (0, 0, 0)


def test_measures_of_chance_agree_with_brute_force() -> None:
    rng = np.random.default_rng(0)
    table = JudgementTable(PhoneInventory.load("en-US"))
    verdicts = ("correct", "accented", "substituted", "deleted", "uncertain")
    counted = {(wrong, out): 0 for wrong in (False, True) for out in (False, True)}
    for number in range(40):
        people, ours = [], []
        for _ in range(int(rng.integers(1, 9))):
            expert = round(float(rng.uniform(0, 2)), 1)
            verdict = verdicts[int(rng.integers(5))]
            people.append(RIGHT("S", expert))
            sure = verdict != "uncertain"
            ours.append(("S", verdict, 50.0 if sure else None, 0.5 if sure else None, "S"))
            if sure:
                counted[expert < 0.5, verdict != "correct"] += 1
        table.add(
            annotated(str(number), Speaker(str(number % 5)), [people]),
            assessed(str(number), [ours]),
        )
    counts = evaluate(table.judgements(), resamples=5).counts
    assert counted == {
        (False, False): counts.true_acceptances,
        (False, True): counts.false_rejections,
        (True, False): counts.false_acceptances,
        (True, True): counts.true_rejections,
    }


def test_of_right_phones_alone_only_false_rejections_are_told() -> None:
    table = JudgementTable(PhoneInventory.load("en-US"))
    table.add(
        annotated("a", ANNA, [[RIGHT("S", 2.0), RIGHT("T", 2.0)]], insertions=()),
        assessed(
            "a",
            [[("S", "deleted", 0.0, 1.0, ""), ("T", "correct", 80.0, 0.0, "T")]],
            insertions=[(0.1, 0.2)],
        ),
    )
    found = evaluate(table.judgements(), resamples=5)
    told = {name for name, each in found.measures.items() if each.value is not None}
    errors = {"phone_error_2", "phone_macro_error", "word_macro_error"}  # of one class alone
    assert told == {"false_rejection_rate", "calibration_error", "uncertain_share"} | errors
    assert value(found, "false_rejection_rate") == 0.5
