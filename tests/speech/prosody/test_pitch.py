import numpy as np
import pytest

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.prosody.pitch import Pitch, track_pitch, without_jumps
from tests.speech.prosody.signals import sung


def errors(pitch: Pitch, f0_hz: np.ndarray) -> np.ndarray:
    """Relative errors of the voiced frames against the F0 of every sample."""
    truth = f0_hz[np.round(pitch.t_s * SAMPLE_RATE).astype(int)]
    return (np.abs(pitch.f0_hz - truth) / truth)[pitch.voiced]


SECONDS = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
TRUTHS = {
    "steady low": np.full(len(SECONDS), 85.0),
    "steady high": np.full(len(SECONDS), 330.0),
    "rising sweep": 100.0 * 3.0 ** (SECONDS / 2),
    "falling sweep": 300.0 * 3.0 ** (-SECONDS / 2),
    "vibrato": 180.0 * 2.0 ** (np.sin(2 * np.pi * 5.5 * SECONDS) / 12),
    "jitter": 120.0
    * (1 + 0.01 * np.repeat(np.random.default_rng(0).normal(size=250), len(SECONDS) // 250)),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_known_pitch_is_found(name: str) -> None:
    pitch = track_pitch(Audio.from_samples(sung(TRUTHS[name]), SAMPLE_RATE))
    found = errors(pitch, TRUTHS[name])
    assert pitch.voiced_frames > 0.9 * len(pitch.t_s)
    assert np.median(found) < 0.01
    assert np.mean(found > 0.2) < 0.01


def test_noise_has_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(size=SAMPLE_RATE) * 0.1
    pitch = track_pitch(Audio.from_samples(noise.astype(np.float32), SAMPLE_RATE))
    assert pitch.voiced.mean() < 0.05


def test_level_does_not_matter() -> None:
    samples = sung(TRUTHS["vibrato"])
    loud, soft = (
        track_pitch(Audio.from_samples(samples * gain, SAMPLE_RATE)).f0_hz
        for gain in (np.float32(1), np.float32(0.1))
    )
    assert loud == pytest.approx(soft, rel=1e-3, nan_ok=True)


def test_an_octave_jump_and_a_blip_are_dropped() -> None:
    track = np.full(80, 200.0)
    track[30:33] = 100.0
    track[60:] = np.nan
    track[70:72] = 210.0
    kept = without_jumps(track)
    assert np.isnan(kept[30:33]).all()
    assert np.isnan(kept[70:72]).all()
    assert (kept[:30] == 200.0).all()


def test_too_short_a_recording_has_no_frames() -> None:
    pitch = track_pitch(Audio(np.zeros(500, dtype=np.float32)))
    assert len(pitch.t_s) == 0
    assert np.isnan(pitch.median_hz)
