"""What is made of stored evidence on real recordings, see tests/stored."""

import math
from dataclasses import replace

import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.fusion.expert import (
    COLUMNS,
    ExpertCalibration,
    ExpertModel,
    plainly_another,
    serves,
    shipped,
)
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.fusion.trees import LEAF, Trees
from nativeear.scoring.grading import Grade
from nativeear.scoring.verdicts import FLAGGED
from tests.stored.evidence import CUT, REPLACED, TEXTS, Stored, stored

ALL = (*TEXTS, *REPLACED, *CUT)
WHERE = {name: change[1] for name, change in (REPLACED | CUT).items()}


@pytest.fixture(scope="module")
def english() -> PhoneIndex:
    return PhoneIndex.open(find_index("en-US"))


@pytest.fixture(scope="module")
def natives(english: PhoneIndex) -> TrainingFree:
    return TrainingFree(english)


@pytest.fixture(scope="module")
def expert(natives: TrainingFree) -> ExpertCalibration:
    return ExpertCalibration(shipped(), natives)


def flagged(grades: tuple[Grade, ...]) -> set[int]:
    return {i for i, grade in enumerate(grades) if grade.verdict in FLAGGED}


def changed(told: Stored, i: int, **values: float) -> FeatureTable:
    """The features with some of phone i's exchanged."""
    table = told.features.values.copy()
    for name, value in values.items():
        table[i, told.features.names.index(name)] = value
    return FeatureTable(told.features.names, table)


@pytest.mark.parametrize("name", ALL)
def test_trees_and_natives_say_of_stored_evidence_what_they_said(
    natives: TrainingFree, name: str
) -> None:
    told = stored(name)
    np.testing.assert_allclose(shipped().scores(told.features), told.scores, atol=1e-6)
    np.testing.assert_allclose(
        shipped().probabilities(told.features), told.probabilities, atol=1e-8
    )
    scores, quantiles = natives.judge(told.features)
    np.testing.assert_allclose(scores, told.natives_scores, atol=1e-6)
    np.testing.assert_allclose(quantiles, told.natives_quantiles, atol=1e-6)


@pytest.mark.parametrize("name", TEXTS)
def test_natives_are_right_in_every_phone(expert: ExpertCalibration, name: str) -> None:
    grades = expert.grades(stored(name).recording_evidence())
    assert {grade.verdict for grade in grades} == {"correct"}
    assert np.mean([grade.score or 0.0 for grade in grades]) > 90
    assert max(grade.probability_mispronounced or 0.0 for grade in grades) < 0.05


@pytest.mark.parametrize("name", ["saved-z-p", "followed-d-ay", "connect-eh-s", "has-z"])
def test_the_phone_that_was_replaced_is_flagged_and_no_other(
    expert: ExpertCalibration, natives: TrainingFree, name: str
) -> None:
    grades = expert.grades(stored(name).recording_evidence())
    assert flagged(grades) == {WHERE[name]}
    assert grades[WHERE[name]].verdict in ("substituted", "accented")
    by_natives = flagged(natives.grades(stored(name).recording_evidence()))
    assert WHERE[name] in by_natives
    assert len(by_natives) <= 3


@pytest.mark.parametrize("name", ["followed-d-ay", "connect-eh-s", "attempt-eh-ay"])
def test_what_was_plainly_another_phone_is_judged_by_natives_too(
    expert: ExpertCalibration, natives: TrainingFree, name: str
) -> None:
    """The trees alone find an error unlikely there, and the score fair: learners are not so."""
    told, i = stored(name), WHERE[name]
    assert plainly_another(told.features)[i]
    assert told.probabilities[i] < 0.5
    grade = expert.grades(told.recording_evidence())[i]
    assert grade.verdict == "substituted"
    assert grade.score is not None and grade.score <= 49
    own = natives.grades(told.recording_evidence())[i].probability_mispronounced
    assert grade.probability_mispronounced == own
    assert (own or 0.0) > 0.9


def test_the_rule_flags_what_a_strict_threshold_would_not(english: PhoneIndex) -> None:
    told, i = stored("followed-d-ay"), WHERE["followed-d-ay"]
    strict = ExpertCalibration(
        shipped(), TrainingFree(english, false_rejections=0.005), false_rejections=0.005
    )
    assert told.probabilities[i] < shipped().threshold(0.005)
    assert flagged(strict.grades(told.recording_evidence())) == {i}
    # One that natives would not be flagged for is none, whatever the rule says.
    strictest = ExpertCalibration(
        shipped(), TrainingFree(english, false_rejections=1e-5), false_rejections=0.005
    )
    assert flagged(strictest.grades(told.recording_evidence())) == set()


@pytest.mark.parametrize(
    ("values", "another"),
    [
        ({"margin": -0.001, "margin_quantile": math.log(0.039), "rival": -6.1}, True),
        ({"margin": 0.001, "margin_quantile": math.log(0.039), "rival": -6.1}, False),
        ({"margin": -0.001, "margin_quantile": math.log(0.041), "rival": -6.1}, False),
        ({"margin": -0.001, "margin_quantile": math.log(0.039), "rival": -5.9}, False),
        ({"margin": math.nan}, False),
        ({"rival": math.nan}, False),
    ],
)
def test_another_phone_is_plain_where_retrieval_and_the_head_agree(
    values: dict[str, float], another: bool
) -> None:
    told = stored("connect-eh-s")
    assert plainly_another(changed(told, 29, **values))[29] == another
    assert np.flatnonzero(plainly_another(told.features)).tolist() == [29]


@pytest.mark.parametrize("name", ["message-m", "password-s", "key-k"])
def test_the_phone_that_was_cut_out_is_missing_and_no_other(
    expert: ExpertCalibration, natives: TrainingFree, name: str
) -> None:
    told, i = stored(name), WHERE[name]
    assert told.deleted[i]
    for calibration in (expert, natives):
        grade = calibration.grades(told.recording_evidence())[i]
        assert grade.verdict == "deleted"
    assert flagged(expert.grades(told.recording_evidence())) == {i}
    # Said to be there, it is judged by what was heard.
    there = told.recording_evidence(deleted=np.zeros(len(told.deleted), dtype=bool))
    for calibration in (expert, natives):
        assert calibration.grades(there)[i].verdict in ("substituted", "accented")


def test_what_was_not_missed_by_trees_and_natives_is_not_called_missing(
    expert: ExpertCalibration,
) -> None:
    told = stored("vm-msgsaved")
    everything = told.recording_evidence(deleted=np.ones(len(told.deleted), dtype=bool))
    assert flagged(expert.grades(everything)) == set()


def test_a_phone_is_accented_where_it_is_still_the_nearest(expert: ExpertCalibration) -> None:
    told, i = stored("attempt-eh-ay"), 22
    found = told.recording_evidence()
    nearest = replace(found.retrieval[i], margin=0.01)
    retrieval = (*found.retrieval[:i], nearest, *found.retrieval[i + 1 :])
    assert expert.grades(found)[i].verdict == "substituted"
    assert expert.grades(replace(found, retrieval=retrieval))[i].verdict == "accented"


def test_what_has_no_place_among_natives_is_uncertain_and_others_are_judged(
    expert: ExpertCalibration,
) -> None:
    told, i = stored("connect-eh-s"), 29
    found = told.recording_evidence(features=changed(told, i, margin_quantile=math.nan))
    grades = expert.grades(found)
    assert grades[i] == Grade(None, None, "uncertain")
    assert len(grades) == len(found.phones)
    assert all(grade.verdict != "uncertain" for j, grade in enumerate(grades) if j != i)


def test_more_is_flagged_the_more_may_be(english: PhoneIndex) -> None:
    counts = []
    for rate in (0.005, 0.04, 0.3):
        judge = ExpertCalibration(
            shipped(), TrainingFree(english, false_rejections=rate), false_rejections=rate
        )
        counts.append(
            sum(len(flagged(judge.grades(stored(name).recording_evidence()))) for name in ALL)
        )
    assert counts[0] < counts[1] < counts[2]


def test_nothing_meant_nothing_graded(expert: ExpertCalibration, natives: TrainingFree) -> None:
    found = replace(stored("vm-msgsaved").recording_evidence(), phones=(), retrieval=())
    assert expert.grades(found) == natives.grades(found) == ()


def leaf(value: float) -> Trees:
    """One tree that says the same of everything."""
    none = np.array([0], np.int32)
    return Trees(
        np.array([LEAF], np.int32), np.zeros(1), np.zeros(1, bool), none, none,
        np.array([value]), none, 0.0, 1.0,
    )  # fmt: skip


def test_the_scale_of_a_model() -> None:
    """Expert scores go from 0 to 2, logits become probabilities, shares become thresholds."""
    features = FeatureTable(COLUMNS, np.zeros((3, len(COLUMNS))))
    rates, above = np.array([0.0, 0.1, 0.5]), np.array([0.9, 0.5, 0.1])
    for expected, score in ((1.5, 75.0), (2.5, 100.0), (-0.5, 0.0)):
        model = ExpertModel(leaf(expected), leaf(math.log(3)), rates, above)
        assert model.scores(features).tolist() == [score] * 3
        assert model.probabilities(features) == pytest.approx([0.75] * 3)
        assert model.threshold(0.1) == 0.5
        assert model.threshold(0.05) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("language", "fingerprint", "serving"),
    [
        ("en-US", None, True),
        ("en-GB", None, True),
        ("de", None, False),
        ("en-US", "sha256:x", False),
    ],
)
def test_it_serves_english_and_the_encoder_that_it_was_fitted_with(
    english: PhoneIndex, language: str, fingerprint: str | None, serving: bool
) -> None:
    opened = PhoneIndex.open(english.path)
    encoder = opened.manifest.encoder
    opened.manifest = opened.manifest.model_copy(
        update={
            "language": language,
            "encoder": encoder.model_copy(
                update={"fingerprint": fingerprint or encoder.fingerprint}
            ),
        }
    )
    assert serves(opened) == serving
