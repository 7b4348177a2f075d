"""The decode-and-compare detector on made-up decodes."""

import pytest

from nativeear.scoring.evaluation.recogniser import alignment, decoded_and_compared
from nativeear.speech.decoding import DecodedPhone
from nativeear.speech.inventory import PhoneInventory
from tests.scoring.evaluation.conftest import assessed


@pytest.mark.parametrize(
    ("canonical", "heard", "places"),
    [
        ("K AE T", "K AE T", [0, 1, 2]),
        ("K AE T", "K EH T", [0, 1, 2]),
        ("K AE T", "K AE", [0, 1, None]),
        ("K AE T", "AE T", [None, 0, 1]),
        ("K AE T", "S K AE AH T", [1, 2, 4]),
        ("K AE T", "", [None, None, None]),
        ("", "K", []),
        ("S T AA P", "T AA P S", [None, 0, 1, 2]),
    ],
)
def test_the_fewest_changes_are_taken(canonical: str, heard: str, places: list[int | None]) -> None:
    assert alignment(canonical.split(), heard.split()) == places


def test_what_comes_out_otherwise_is_wrong_and_what_is_left_over_inserted() -> None:
    ours = assessed(
        "a",
        [
            [("K", "correct", 90.0, 0.1, "K"), ("AE", "correct", 80.0, 0.1, "AE")],
            [("T", "uncertain", None, None, ""), ("S", "correct", 90.0, 0.1, "S")],
        ],
        insertions=[(0.1, 0.2)],
    )
    decoded = [
        DecodedPhone(phone, start, start + 0.02, 0.9)
        for phone, start in (("K", 0.05), ("EH", 0.15), ("S", 0.35), ("AH", 0.6))
    ]
    found = decoded_and_compared(ours, decoded, PhoneInventory.load("en-US"))
    told = [(p.phone, p.verdict, p.score, p.probability_mispronounced) for p in found.phones]
    assert told == [
        ("K", "correct", 100, None),
        ("AE", "substituted", 0, None),
        ("T", "substituted", 0, None),
        ("S", "substituted", 0, None),
    ]
    without = decoded_and_compared(ours, decoded[:3], PhoneInventory.load("en-US"))
    # Two ways are as short; the one from the end blames the wrong neighbour, as such detectors do.
    assert [p.verdict for p in without.phones] == ["correct", "deleted", "substituted", "correct"]
    assert [p.sounds_like[0].phone for p in without.phones if p.sounds_like] == ["K", "EH", "S"]
    assert [word.score for word in without.words] == [50, 50]
    assert without.score.pronunciation == 50
    assert without.score.overall is None
    assert without.insertions == ()
    extra = decoded_and_compared(
        ours,
        [*decoded[:2], DecodedPhone("T", 0.25, 0.27, 0.9), *decoded[2:]],
        PhoneInventory.load("en-US"),
    )
    assert [(i.phone, i.start_s) for i in extra.insertions] == [("AH", 0.6)]
