"""Tables of substitutes by their definitions."""

import numpy as np
import pytest

from nativeear.scoring.substitutes import (
    allowed_substitutes,
    confusable_substitutes,
    inventory_substitutes,
    nearby_substitutes,
)
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory

ENGLISH = PhoneInventory.load("en-US")
LABELS = ("-", "a", "b", "c")


def test_labels_up_to_the_limit_may_stand_in() -> None:
    distances = np.array([[np.nan, 0.1, 0.2], [0.1, 0.5, 0.3], [np.inf, 0.2, 0.0]])
    expected = [[True, True, True], [True, True, False], [False, True, True]]
    assert nearby_substitutes(distances, limit=0.2).tolist() == expected


@pytest.mark.parametrize("distances", [np.zeros((2, 3)), np.zeros(4), np.zeros((2, 2, 2))])
def test_distances_are_of_every_pair(distances: np.ndarray) -> None:
    with pytest.raises(InputError, match="distances have shape"):
        nearby_substitutes(distances, limit=1.0)


@pytest.mark.parametrize("limit", [0.0, 0.1, 0.3])
def test_phones_stand_in_by_their_distance_and_what_is_no_phone_for_nothing(limit: float) -> None:
    columns = ("-", "S", "Z", "AA", "IY", "IH", "<other>")
    table = inventory_substitutes(ENGLISH, columns, limit=limit)
    for i, canonical in enumerate(columns):
        for j, other in enumerate(columns):
            phones = canonical in ENGLISH and other in ENGLISH
            near = phones and ENGLISH.distance(canonical, other) <= limit
            assert table[i, j] == (near or i == j)


def test_confusions_go_one_way_and_every_label_stands_for_itself() -> None:
    table = confusable_substitutes({"a": ["b", "c"], "c": ["a"]}, LABELS)
    expected = np.eye(4, dtype=bool)
    for canonical, other in ((1, 2), (1, 3), (3, 1)):
        expected[canonical, other] = True
    np.testing.assert_array_equal(table, expected)
    for confusions in ({"x": ["a"]}, {"a": ["b", "x"]}):
        with pytest.raises(InputError, match="'x', which is not a label"):
            confusable_substitutes(confusions, LABELS)


@pytest.mark.parametrize("blank", [0, 3])
def test_the_blank_never_stands_in_and_the_canonical_label_always_does(blank: int) -> None:
    labels = np.array([1, 2, 1])
    everything = allowed_substitutes(None, labels, blank, 4)
    assert everything.tolist() == [[v != blank for v in range(4)]] * 3
    table = np.zeros((4, 4), dtype=bool)
    table[1, [2, blank]] = True
    limited = allowed_substitutes(table, labels, blank, 4)
    expected = np.zeros((3, 4), dtype=bool)
    expected[[0, 0, 1, 2, 2], [1, 2, 2, 1, 2]] = True
    np.testing.assert_array_equal(limited, expected)
    assert not table[1, 1], "the table that was given stays as it is"


@pytest.mark.parametrize(
    "table", [np.ones((3, 3), bool), np.ones((4, 3), bool), np.ones((3, 4), bool), np.ones((4, 4))]
)
def test_tables_are_bool_and_of_every_pair_of_labels(table: np.ndarray) -> None:
    with pytest.raises(InputError, match="substitutes are"):
        allowed_substitutes(table, np.array([1]), 0, 4)
