from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.mismatch import MISMATCH_DISTANCE, heard_phones, phone_distance
from speech.audio import Audio
from speech.encoders.catalogue import load_encoder
from speech.frames import Frames
from speech.inventory import PhoneInventory
from speech.pronunciation import Pronouncer

PHONES = st.lists(st.sampled_from("abc"), max_size=8)


def plain_distance(left: list[str], right: list[str]) -> int:
    table = [list(range(len(right) + 1))]
    for i, a in enumerate(left, start=1):
        table.append([i])
        for j, b in enumerate(right, start=1):
            best = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a != b))
            table[i].append(best)
    return table[-1][-1]


@given(PHONES, PHONES)
def test_distance_equals_the_plain_table(left: list[str], right: list[str]) -> None:
    longest = max(len(left), len(right))
    expected = plain_distance(left, right) / longest if longest else 0.0
    assert phone_distance(left, right) == pytest.approx(expected)


def test_an_encoder_without_a_head_hears_no_phones() -> None:
    frames = Frames(np.zeros((3, 2), np.float32), 0.02, 0.0)
    assert heard_phones(frames, PhoneInventory.load("en-US")) is None


def test_the_text_of_a_prompt_matches_it_and_another_text_does_not() -> None:
    prompt = Path(__file__).parents[2] / "service" / "data" / "vm-msgsaved.flac"
    pronouncer = Pronouncer("en-US")
    heard = heard_phones(load_encoder().encode(Audio.load(prompt)), pronouncer.inventory)
    assert heard is not None

    def distance(text: str) -> float:
        return phone_distance(
            [phone.phone for phone in pronouncer.pronounce(text).canonical()], heard
        )

    assert distance("Your message has been saved.") < 0.2
    assert distance("The cat sat on the mat in the garden.") >= MISMATCH_DISTANCE
