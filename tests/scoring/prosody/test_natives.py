import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.assembly import publish_new
from nativeear.indexer.pooled_utterance import PooledUtterance
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.prosody.assessing import NO_DISTRIBUTION, overall_score, weighted
from nativeear.scoring.prosody.assessing import NOTHING_MEASURED as NOTHING
from nativeear.scoring.prosody.natives import (
    FLUENCY_MEASURES,
    MELODY_MEASURES,
    RHYTHM_MEASURES,
    Measure,
    NativeProsody,
    with_fullness,
)
from nativeear.speech.prosody.profile import ProsodyProfile
from tests.indexer.test_assembly import records, settings
from tests.indexer.test_prosody import profile

NONE = Exclusion()
RATE = Measure("articulation_rate", "both", 0.3)
PAUSES = Measure("pause_ratio", "high", 0.05)
FINAL = Measure("final_slope", "both", 5.0, of_its_kind=True)


@pytest.fixture(scope="module")
def natives(tmp_path_factory: pytest.TempPathFactory) -> NativeProsody:
    """A hundred natives at 5 ± 0.5 syllables per second who hardly pause; 70 state, 30 ask."""
    folder = tmp_path_factory.mktemp("natives")
    rng = np.random.default_rng(0)
    made = records(folder, 100, 8, 8)
    for i, record in enumerate(made):
        own = replace(
            profile(i),
            syllables=10,
            articulation_rate=5 + 0.5 * rng.normal(),
            pause_ratio=0.0 if i % 2 else 0.05 * rng.random(),
            sentence="statement" if i < 70 else "yes_no_question",
            final_slope=(-10 if i < 70 else 15) + 3 * rng.normal(),
            contour=(0.0, 1.0, 2.0, 1.0),
        )
        replace(PooledUtterance.load(record.path), prosody=own).save(record.path)
    publish_new(folder / "index", made, settings(8))
    return NativeProsody(PhoneIndex.open(folder / "index"))


def learner(**values: object) -> ProsodyProfile:
    asked: dict[str, object] = {"syllables": 10, "articulation_rate": 5.0, **values}
    return replace(profile(0), **asked)  # type: ignore[arg-type]


def profiles(natives: NativeProsody) -> list[ProsodyProfile]:
    return [row.profile for row in natives._rows]


def score(natives: NativeProsody, measure: Measure, one: ProsodyProfile) -> float:
    grade = natives.grade(measure, one, NONE)
    assert grade is not None
    return grade.score


def test_the_middle_of_the_natives_scores_best_on_both_sides(natives: NativeProsody) -> None:
    rates = [1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0]
    scores = [score(natives, RATE, replace(learner(), articulation_rate=rate)) for rate in rates]
    assert scores.index(max(scores)) == 3
    assert scores[:4] == sorted(scores[:4])
    assert scores[3:] == sorted(scores[3:], reverse=True)
    assert scores[3] > 95
    assert scores[0] < 10
    assert scores[-1] < 10


def test_natives_themselves_fall_below_50_four_times_in_a_hundred(natives: NativeProsody) -> None:
    scores = [score(natives, RATE, own) for own in profiles(natives)]
    assert np.mean(np.array(scores) < 50) == pytest.approx(0.04, abs=0.03)


def test_where_natives_do_not_pause_a_little_pause_is_a_little_fault(
    natives: NativeProsody,
) -> None:
    scores = [score(natives, PAUSES, learner(pause_ratio=ratio)) for ratio in (0.0, 0.08, 0.2, 0.5)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(100, abs=1)
    assert scores[1] > 30
    assert scores[3] < 15


def place(share: float) -> float:
    """Score of a share of natives: 50 where 4 % have less."""
    return float(100 * share ** (np.log(0.5) / np.log(0.04)))


@pytest.mark.parametrize("rate", [4.6, 5.0, 5.3])
def test_a_grade_is_the_place_among_natives(natives: NativeProsody, rate: float) -> None:
    rates = np.array([own.articulation_rate for own in profiles(natives)])
    below = np.mean(rates <= rate)
    one = replace(learner(), articulation_rate=rate, syllables_per_s=rate)
    grade = natives.grade(RATE, one, NONE)
    assert grade is not None
    assert (grade.measure, grade.value) == ("articulation_rate", rate)
    for found, quantile in (
        (grade.native_low, 0.05), (grade.native_median, 0.5), (grade.native_high, 0.95),
    ):  # fmt: skip
        assert found == pytest.approx(np.quantile(rates, quantile))
    assert grade.score == pytest.approx(place(2 * min(below, 1 - below)), abs=2)
    slow, fast = (Measure("articulation_rate", side, 0.3) for side in ("low", "high"))
    assert score(natives, slow, one) == pytest.approx(place(below), abs=2)
    assert score(natives, fast, one) == pytest.approx(place(1 - below), abs=2)


@pytest.mark.parametrize(("syllables", "graded"), [(4, False), (5, True), (20, True), (21, False)])
def test_natives_said_between_half_and_twice_as_much(
    natives: NativeProsody, syllables: int, graded: bool
) -> None:
    grade = natives.grade(RATE, replace(learner(), syllables=syllables), NONE)
    assert (grade is not None) == graded


@pytest.mark.parametrize(("answering", "graded"), [(20, True), (19, False)])
def test_twenty_natives_are_enough(natives: NativeProsody, answering: int, graded: bool) -> None:
    others = Exclusion(utterances=frozenset(("random", f"u{i:05}") for i in range(answering, 100)))
    assert natives._answers(others).sum() == answering
    assert (natives.grade(RATE, learner(), others) is not None) == graded


@pytest.mark.parametrize(
    ("name", "little"),
    [
        ("syllables_per_s", 0.3), ("articulation_rate", 0.3), ("pause_ratio", 0.05),
        ("npvi_v", 5.0), ("percent_v", 2.0), ("varco_c", 5.0),
        ("range_semitones", 1.0), ("final_slope", 5.0),
    ],
)  # fmt: skip
def test_where_natives_are_all_alike_a_little_is_a_little_fault(
    natives: NativeProsody, name: str, little: float
) -> None:
    """It is as if one native in ten e had as much of it; on both sides, two."""
    alike = NativeProsody(natives._index)
    alike._columns[name] = np.full(100, 10.0)
    (measure,) = (
        m for m in (*FLUENCY_MEASURES, *RHYTHM_MEASURES, *MELODY_MEASURES) if m.name == name
    )
    worse = 10.0 + little if measure.side == "high" else 10.0 - little
    better = 10.0 - little if measure.side == "high" else 10.0 + little
    share = (2 if measure.side == "both" else 1) * 0.1 / math.e
    assert score(alike, measure, learner(**{name: worse})) == pytest.approx(place(share))
    expected = place(share) if measure.side == "both" else pytest.approx(100, abs=1)
    assert score(alike, measure, learner(**{name: better})) == pytest.approx(expected)


def test_of_many_natives_some_answer_evenly_spread(
    natives: NativeProsody, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(profiles(natives)) == 100
    for most, left in ((100, 100), (99, 50), (30, 25)):
        monkeypatch.setattr("nativeear.scoring.prosody.natives.MAX_NATIVES", most)
        fewer = NativeProsody(natives._index)
        texts = [own.text for own in profiles(fewer)]
        step = 100 // left
        assert texts == [f"sentence {i}" for i in range(0, 100, step)]


def test_endings_are_of_one_type_and_of_so_many_speakers(natives: NativeProsody) -> None:
    slopes, voices = natives.endings("yes_no_question", NONE)
    assert len(slopes) == 30 and slopes.min() > 0
    assert voices == 7
    left_out = Exclusion(
        frozenset({("random", "u00070"), ("random", "u00071")}), frozenset({("random", "s3")})
    )
    fewer, voices = natives.endings("yes_no_question", left_out)
    assert voices == 6
    assert 20 < len(fewer) < 28
    assert len(natives.endings("wh_question", NONE)[0]) == 0


def test_fullness_goes_to_nuclei_of_known_stress_or_to_none() -> None:
    known, unknown = profile(0).nuclei[0], replace(profile(0).nuclei[1], stress=-1)
    nuclei = (known, unknown, replace(known, stress=0))
    found = with_fullness(nuclei, np.array([0.5, -0.25]))
    assert [n.fullness for n in found][::2] == [0.5, -0.25]
    assert found[1] == unknown
    assert with_fullness(nuclei, np.array([0.5])) == nuclei


def test_a_question_is_compared_with_questions(natives: NativeProsody) -> None:
    rising = learner(sentence="yes_no_question", final_slope=15.0)
    assert score(natives, FINAL, rising) > 80
    assert score(natives, FINAL, replace(rising, sentence="statement")) < 30
    assert natives.grade(FINAL, replace(rising, sentence="wh_question"), NONE) is None


def test_only_natives_of_like_length_and_not_excluded_answer(natives: NativeProsody) -> None:
    assert natives.grade(RATE, replace(learner(), syllables=21), NONE) is None
    everyone = Exclusion(speakers=frozenset(("random", f"s{i}") for i in range(7)))
    assert natives.grade(RATE, learner(), everyone) is None


def test_what_was_not_measured_has_no_grade(natives: NativeProsody) -> None:
    nothing = replace(learner(), articulation_rate=float("nan"))
    assert [g.measure for g in natives.grades(FLUENCY_MEASURES, nothing, NONE)] == [
        "syllables_per_s",
        "pause_ratio",
    ]
    assert natives.grades(MELODY_MEASURES, replace(nothing, final_slope=float("nan")), NONE)


def test_the_same_sentence_is_compared_contour_by_contour(natives: NativeProsody) -> None:
    same = learner(text="sentence 7", contour=(0.0, 0.0, 1.0, 2.0, 1.0))
    near = natives.nearest_reading(same, NONE)
    assert near is not None
    assert (near.distance, near.contour) == (0.0, (0.0, 1.0, 2.0, 1.0))
    far = natives.nearest_reading(replace(same, contour=(5.0, 5.0)), NONE)
    assert far is not None
    assert far.distance > 2
    assert natives.nearest_reading(replace(same, text="another"), NONE) is None


def test_an_index_without_prosody_grades_nothing(tmp_path: Path) -> None:
    publish_new(tmp_path / "index", records(tmp_path, 6, 20, 8), settings(8))
    empty = NativeProsody(PhoneIndex.open(tmp_path / "index"))
    assert not empty.available
    assert empty.stress is None
    assert empty.grades(FLUENCY_MEASURES, learner(), NONE) == ()
    assert "no native prosody" in NO_DISTRIBUTION


def test_weights_of_what_was_not_measured_go_to_the_rest() -> None:
    assert weighted({"a": 100.0, "b": None, "c": 0.0}, {"a": 3, "b": 5, "c": 1}) == 75
    assert weighted({"a": None}, {"a": 1}) is None
    assert overall_score(None, NOTHING) is None
    assert overall_score(64.0, NOTHING) == 64
    both = replace(NOTHING, fluency_score=0.0, prosody_score=0.0)
    assert overall_score(100.0, both) == pytest.approx(70)
