"""Breaks and segments of a recording that is made of tones and silences."""

import numpy as np
import pytest

from nativeear.scoring.prosody.phrases import Phrases
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.intensity import Intensity
from nativeear.speech.prosody.measurement import ProsodyMeasurement
from nativeear.speech.prosody.pauses import PauseSummary
from nativeear.speech.prosody.pitch import Pitch

ENGLISH = PhoneInventory.load("en-US")
TEXT = "I see. You saw me. I saw."
WORDS = ("I", "see", "You", "saw", "me", "I", "saw")
STARTS = (0.0, 0.3, 1.0, 1.3, 2.0, 2.3, 2.6)  # pauses after “see” and “saw”, none after “me”


def phrases(text: str | None = TEXT, **more: object) -> Phrases:
    phones = tuple(AlignedPhone("IY", at, at + 0.3, i) for i, at in enumerate(STARTS))
    measured = ProsodyMeasurement(
        pitch=Pitch(np.zeros(0), np.zeros(0)),
        intensity=Intensity(np.zeros(0), np.zeros(0)),
        syllables=7,
        words=7,
        pauses=PauseSummary(((0.6, 1.0), (1.6, 2.0)), 2.9),
        melody=None,
        reasons=(),
    )
    alignment = Alignment(phones, WORDS, (0,) * 7, "made")
    return Phrases(measured, alignment, ENGLISH, text=text, **more)  # type: ignore[arg-type]


def kinds(found: Phrases) -> list[tuple[int, str | None]]:
    return [(each.after_word_index, each.kind) for each in found.breaks()]


def test_every_pause_is_told_and_every_stop_without_one() -> None:
    found = phrases()
    assert kinds(found) == [(1, "expected"), (3, "unexpected"), (4, "missing")]
    paused, _, missing = found.breaks()
    assert (paused.start_s, paused.end_s, paused.duration_s) == (0.6, 1.0, pytest.approx(0.4))
    assert (missing.start_s, missing.duration_s, missing.judged_by) == (None, 0.0, "punctuation")
    assert found.mean_length_of_run() == pytest.approx(7 / 3)


def test_without_a_text_pauses_are_told_and_not_judged() -> None:
    assert kinds(phrases(None)) == [(1, None), (3, None)]


def test_beside_what_was_left_out_or_added_nothing_is_judged() -> None:
    assert kinds(phrases(omitted={5})) == [(1, "expected"), (3, "unexpected")]
    assert kinds(phrases(beside=[(1.7, 1.9)])) == [(1, "expected"), (3, None), (4, "missing")]
