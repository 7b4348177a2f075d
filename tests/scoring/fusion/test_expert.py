"""What is made of stored evidence on real recordings, see tests/stored."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.fusion.expert import (
    FOLDER,
    RECORD_FILE,
    ExpertCalibration,
    read_model,
    serves,
    shipped,
    written,
)
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.grading import GOOD_SCORE, Grade
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
    found = shipped().of(told.recording_evidence())
    np.testing.assert_allclose(found, told.expected, atol=1e-6)
    judged = natives.judge(told.features)
    np.testing.assert_allclose(judged.scores, told.natives_scores, atol=1e-6)
    np.testing.assert_allclose(judged.log_shares, told.natives_shares, atol=1e-6)


@pytest.mark.parametrize("name", TEXTS)
def test_natives_are_right_in_every_phone(expert: ExpertCalibration, name: str) -> None:
    grades = expert.grades(stored(name).recording_evidence())
    assert {grade.verdict for grade in grades} == {"correct"}
    assert np.mean([grade.score or 0.0 for grade in grades]) > 90
    assert max(grade.probability_mispronounced or 0.0 for grade in grades) < 0.05


@pytest.mark.parametrize("name", ["saved-z-p", "followed-d-ay", "connect-eh-s"])
def test_the_phone_that_was_replaced_is_flagged_and_no_other(
    expert: ExpertCalibration, natives: TrainingFree, name: str
) -> None:
    grades = expert.grades(stored(name).recording_evidence())
    assert flagged(grades) == {WHERE[name]}
    assert grades[WHERE[name]].verdict in ("substituted", "accented")
    by_natives = flagged(natives.grades(stored(name).recording_evidence()))
    assert WHERE[name] in by_natives
    assert len(by_natives) <= 3


@pytest.mark.parametrize("name", ALL)
def test_score_probability_and_verdict_follow_from_one_quantity(
    expert: ExpertCalibration, name: str
) -> None:
    grades = expert.grades(stored(name).recording_evidence())
    order = sorted((g for g in grades if g.expected is not None), key=lambda g: g.expected or 0.0)
    scores = [g.score or 0.0 for g in order if g.verdict != "deleted"]
    assert scores == sorted(scores)
    risks = [g.probability_mispronounced or 0.0 for g in order]
    assert risks == sorted(risks, reverse=True)
    wrong = [g.verdict in FLAGGED for g in order]
    assert wrong == sorted(wrong, reverse=True)
    assert all((g.score or 0.0) < GOOD_SCORE for g in order if g.verdict in FLAGGED)
    assert all((g.score or 0.0) >= GOOD_SCORE for g in order if g.verdict not in FLAGGED)


@pytest.mark.parametrize("name", ["message-m", "has-z", "password-s", "key-k"])
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


def test_a_phone_is_accented_where_it_is_still_the_nearest(expert: ExpertCalibration) -> None:
    told, i = stored("followed-d-ay"), WHERE["followed-d-ay"]
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


def test_a_model_that_was_written_is_read_as_it_was() -> None:
    record = json.loads((FOLDER / RECORD_FILE).read_text(encoding="utf-8"))
    arrays = written(shipped())
    again = read_model(arrays, record)
    told = stored("connect-eh-s").recording_evidence()
    assert again.of(told).tolist() == shipped().of(told).tolist()
    assert {n: a.tolist() for n, a in written(again).items()} == {
        n: a.tolist() for n, a in arrays.items()
    }


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
