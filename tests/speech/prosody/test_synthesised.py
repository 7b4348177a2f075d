"""Pauses and pitch of speech that espeak-ng synthesised, in which both are known."""

import numpy as np
import pytest

from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.pauses import find_pauses
from nativeear.speech.prosody.pitch import track_pitch
from tests.support.synthesiser import MONOTONE, Synthesiser

TEXT = 'The rain had stopped,<break time="450ms"/> and nobody was in the garden.'


@pytest.fixture(scope="module")
def voice() -> Synthesiser:
    return Synthesiser()


@pytest.mark.parametrize("rate", [130, 220])
def test_pause_at_a_comma_is_found_where_it_was_put(voice: Synthesiser, rate: int) -> None:
    spoken = voice.say(TEXT, rate=rate)
    found = find_pauses(track_intensity(spoken.audio), spoken.span_s).spans
    assert len(spoken.pauses) == 1
    np.testing.assert_allclose(found, spoken.pauses, atol=0.03)


def test_syllables_are_counted_in_what_was_said(voice: Synthesiser) -> None:
    assert voice.say(TEXT).syllables(PhoneInventory.load("en-US")) == 13


def test_a_higher_voice_is_found_higher(voice: Synthesiser) -> None:
    low, high = (
        track_pitch(voice.say(TEXT, pitch=height, melody=MONOTONE).audio) for height in (25, 75)
    )
    assert 6 < 12 * np.log2(high.median_hz / low.median_hz) <= 12


def test_the_stress_mark_moves_where_it_is_put(voice: Synthesiser) -> None:
    initial, final = (voice.say(f"a [[{phones}]] again").phones for phones in ("r'Ek3d", "rEk'3d"))
    assert [name for name, _, _ in initial if "ˈ" in name] == ["ˈɛ", "ˈɛ"]
    assert [name for name, _, _ in final if "ˈ" in name] == ["ˈɚ", "ˈɛ"]
