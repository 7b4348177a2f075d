"""What words and readings are judged by, and how complete a reading is."""

import numpy as np
import pytest

from nativeear.scoring.assessment import Reading, ReadingEvent
from nativeear.scoring.fusion.marks import SentenceModel, completeness, measure_table
from nativeear.scoring.fusion.measures import (
    WORD_MEASURES,
    WordFacts,
    flow_measures,
    phone_measures,
    word_measures,
)
from nativeear.scoring.fusion.phone_model import AROUND, around
from nativeear.scoring.fusion.trees import LEAF, Trees
from nativeear.scoring.prosody.assessment import Contour, Fluency, Pauses, Prosody

EXPECTED = np.array([2.0, 1.0, 1.8, np.nan, 0.2])
WORDS = np.array([0, 0, 1, 1, 2])


def facts(**changed: object) -> WordFacts:
    told = {
        "start_s": 1.0,
        "end_s": 1.5,
        "phones": 2,
        "syllables": 1,
        "stress_kept": None,
        "stress_score": None,
        "omitted": False,
    }
    return WordFacts(**(told | changed))  # type: ignore[arg-type]


def test_what_phones_come_to() -> None:
    found = phone_measures(EXPECTED, WORDS)
    assert found["phones"] == 4
    assert found["phone_mean"] == pytest.approx(1.25)
    assert found["phone_least"] == 0.2
    assert found["phone_faults"] == 0.25  # 1.0 is none
    assert found["word_least"] == 0.2
    assert found["word_mean"] == pytest.approx((1.5 + 1.8 + 0.2) / 3)
    assert phone_measures(np.array([np.nan]), np.zeros(1, np.int64)) == {}


def test_what_is_known_of_words() -> None:
    table = word_measures(
        EXPECTED, WORDS, [facts(), facts(stress_kept=False, stress_score=12.0), facts(phones=1)]
    )
    assert table.shape == (3, len(WORD_MEASURES))
    column = {name: table[:, i].tolist() for i, name in enumerate(WORD_MEASURES)}
    assert column["mean"] == pytest.approx([1.5, 1.8, 0.2])
    assert column["second_least"][0] == 2.0
    assert np.isnan(column["second_least"][1])
    assert column["before"][1:] == pytest.approx([1.5, 1.8])
    assert column["after"][:2] == pytest.approx([1.8, 0.2])
    assert np.isnan(column["stress_kept"][0])
    assert (column["stress_kept"][1], column["stress_score"][1]) == (0.0, 12.0)
    assert column["duration"] == pytest.approx([0.25, 0.25, 0.5])


def test_how_a_recording_flows_in_numbers() -> None:
    fluency = Fluency(
        syllables_per_s=4.0,
        pauses=Pauses(count=2, mean_s=0.3, ratio=0.1, long_count=1),
        filled_pauses=((0.0, 0.5), (1.0, 1.25)),
    )
    prosody = Prosody(
        contour=Contour(
            t_s=(0.0, 0.1, 0.2, 0.3),
            f0_hz=(100.0, None, 200.0, None),
            intensity_db=(60.0, None, 70.0, -300.0),
        )
    )
    events = (ReadingEvent(kind="omitted", word_index=0), ReadingEvent(kind="extra", word_index=1))
    found = flow_measures(
        fluency, prosody, Reading(matches=True, likelihood=0.9, events=events), 3.0
    )
    assert (found["duration_s"], found["syllables_per_s"], found["pauses_count"]) == (3.0, 4.0, 2.0)
    assert (found["filled_pauses"], found["filled_pauses_s"]) == (2.0, 0.75)
    assert found["f0_deviation"] == pytest.approx(6.0)  # half of an octave
    assert found["level_deviation"] == pytest.approx(5.0), "silence behind is not the speaker's"
    assert found["voiced_share"] == pytest.approx(2 / 3)
    assert (found["read_omitted"], found["read_extra"], found["read_repeated"]) == (1.0, 1.0, 0.0)
    assert flow_measures(None, None, None, 3.0) == {"duration_s": 3.0}


def test_a_word_is_complete_as_far_as_it_can_be_recognised() -> None:
    assert completeness(np.array([2.0, 1.6, 1.9]), np.array([0, 0, 1]), 2) == 1.0
    assert completeness(np.array([0.0, 0.0, 1.9]), np.array([0, 0, 1]), 2) == 0.5
    assert completeness(np.array([1.0, 1.9]), np.array([0, 1]), 2) == pytest.approx(0.75)
    assert completeness(np.array([np.nan, 1.9]), np.array([0, 1]), 2) == 1.0


def test_what_lies_around_a_phone() -> None:
    found = around(np.array([2.0, 1.0, 0.5]), np.array([0, 0, 1]))
    column = {name: found[:, i] for i, name in enumerate(AROUND)}
    assert column["before"][1:].tolist() == [2.0, 1.0]
    assert column["after"][:2].tolist() == [1.0, 0.5]
    assert column["others"].tolist() == [0.75, 1.25, 1.5]
    assert column["word_others"][:2].tolist() == [1.0, 2.0]
    assert column["word_least_other"][:2].tolist() == [1.0, 2.0]
    assert np.isnan(column["word_others"][2])
    assert column["least_word"].tolist() == [0.5] * 3


def test_a_line_and_trees_together_and_never_beyond_the_scale() -> None:
    none = np.array([0], np.int32)
    eight = Trees(
        np.array([LEAF], np.int32),
        np.zeros(1),
        np.zeros(1, bool),
        none,
        none,
        np.array([8.0]),
        none,
        0.0,
        1.0,
    )
    model = SentenceModel(eight, np.array([1.0, 5.0]), np.array([2.0, 1.0]), np.ones(2), 6.0)
    table = measure_table([{"a": 3.0}, {"a": 1.0, "b": 5.0}, {"a": 99.0}], ["a", "b"])
    assert model(table).tolist() == [7.5, 7.0, 10.0]  # what is missing is as usual
