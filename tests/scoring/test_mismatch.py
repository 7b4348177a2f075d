from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nativeear.scoring.mismatch import (
    MISMATCH_DISTANCE,
    heard_phones,
    mismatch_warning,
    phone_distance,
)
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer

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


ENGLISH = PhoneInventory.load("en-US")
HEADLESS = Frames(np.zeros((3, 2), np.float32), 0.02, 0.0)


def said(phones: list[str]) -> Frames:
    """Frames whose head hears these phones, a blank after each."""
    labels = ("<blank>", *ENGLISH.symbols)
    values = np.full((2 * len(phones) + 1, len(labels)), 1e-4)
    values[::2, 0] = 1.0
    for i, phone in enumerate(phones):
        values[2 * i + 1, labels.index(phone)] = 1.0
    log_probs = np.log(values / values.sum(axis=1, keepdims=True)).astype(np.float32)
    return Frames(np.zeros((len(values), 2), np.float32), 0.02, 0.0, log_probs, labels)


@pytest.mark.parametrize(("others", "matches"), [(0, True), (36, True), (37, False), (50, False)])
def test_a_text_is_told_from_another_by_the_share_of_other_phones(
    others: int, matches: bool
) -> None:
    meant = ["S", "M"] * 25
    heard = ["AA"] * others + meant[others:]
    found = mismatch_warning(said(heard), ENGLISH, meant, flagged=7)
    assert (found == "") == matches
    if not matches:
        assert "does not match" in found
        assert "7 of 50 phones" in found


@pytest.mark.parametrize(("flagged", "matches"), [(0, True), (12, True), (13, False), (20, False)])
def test_without_a_head_the_share_of_flagged_phones_has_to_do(flagged: int, matches: bool) -> None:
    assert (mismatch_warning(HEADLESS, ENGLISH, ["S"] * 20, flagged) == "") == matches


def test_short_texts_are_too_short_to_tell_unless_nothing_was_said() -> None:
    five, six = ["S", "M"] * 2 + ["S"], ["S", "M"] * 3
    for frames, flagged in ((said(["AA"] * 6), 0), (HEADLESS, 6)):
        assert mismatch_warning(frames, ENGLISH, five, flagged) == ""
        assert mismatch_warning(frames, ENGLISH, six, flagged) != ""
    assert "no speech was heard" in mismatch_warning(said([]), ENGLISH, ["S"], 0)
