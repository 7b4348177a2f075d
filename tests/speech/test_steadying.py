import numpy as np
import pytest
from numpy.typing import NDArray

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.steadying import MARGIN_S, steadied

Samples = NDArray[np.float32]


@pytest.fixture
def speech() -> Samples:
    """Room noise, half a second of sound, and room noise: 1.7 s."""
    rng = np.random.default_rng(3)
    noise = 1e-4 * rng.normal(size=round(1.7 * SAMPLE_RATE))
    noise[round(0.5 * SAMPLE_RATE) : SAMPLE_RATE] += 0.1 * rng.normal(size=SAMPLE_RATE // 2)
    return noise.astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@pytest.mark.parametrize("before_s", [0.0, 0.005, 0.01, 0.3])
@pytest.mark.parametrize("behind_s", [0.0, 1.2])
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_what_lies_around_sound_and_how_loud_it_is_are_not_heard(
    speech: Samples, before_s: float, behind_s: float, gain: float
) -> None:
    plain = steadied(Audio(speech))
    changed = gain * np.concatenate([silence(before_s), speech, silence(behind_s)])
    heard = steadied(Audio(changed.astype(np.float32)))
    np.testing.assert_allclose(heard.audio.samples, plain.audio.samples, rtol=1e-6)
    assert heard.start_s - plain.start_s == pytest.approx(before_s)


def test_sound_is_heard_with_its_margin_where_it_was(speech: Samples) -> None:
    heard = steadied(Audio(speech))
    assert heard.start_s == pytest.approx(0.5 - MARGIN_S, abs=0.03)
    assert heard.audio.duration_s == pytest.approx(0.5 + 2 * MARGIN_S, abs=0.06)
    first = round(heard.start_s * SAMPLE_RATE)
    own = speech[first : first + len(heard.audio.samples)]
    assert np.corrcoef(own, heard.audio.samples)[0, 1] == pytest.approx(1.0)


def test_what_begins_at_once_is_filled_up_with_silence(speech: Samples) -> None:
    heard = steadied(Audio(speech[round(0.6 * SAMPLE_RATE) :]))
    filled = round(-heard.start_s * SAMPLE_RATE)
    assert filled == pytest.approx(MARGIN_S * SAMPLE_RATE, abs=0.03 * SAMPLE_RATE)
    assert not heard.audio.samples[:filled].any()
    assert heard.audio.samples[filled]


def test_silence_stays_as_it_is() -> None:
    assert not steadied(Audio(silence(0.5))).audio.samples.any()
