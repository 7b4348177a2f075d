import numpy as np
import pytest

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.prosody.intensity import signal_to_noise_db, track_intensity
from nativeear.speech.prosody.nuclei import syllable_nuclei
from nativeear.speech.prosody.pauses import find_pauses
from nativeear.speech.prosody.pitch import track_pitch
from tests.speech.prosody.signals import hush, sung, syllable_train


def spoken(*parts: float) -> Audio:
    """Voice and silence in turns, beginning with silence, of these lengths in seconds."""
    pieces = [
        hush(seconds, i) if i % 2 == 0 else sung(np.full(round(seconds * SAMPLE_RATE), 150.0))
        for i, seconds in enumerate(parts)
    ]
    return Audio.from_samples(np.concatenate(pieces), SAMPLE_RATE)


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
def test_known_pauses_are_found_within_30_ms(gain: float) -> None:
    audio = spoken(0.3, 0.6, 0.3, 0.5, 0.15, 0.5, 0.7, 0.4, 0.3)
    audio = Audio(audio.samples * np.float32(gain))
    pauses = find_pauses(track_intensity(audio))
    known = [(0.9, 1.2), (2.35, 3.05)]  # 150 ms are a closure
    assert len(pauses.spans) == len(known)
    for found, truth in zip(pauses.spans, known, strict=True):
        assert found == pytest.approx(truth, abs=0.03)
    assert pauses.long_count == 1
    assert pauses.mean_s == pytest.approx(0.5, abs=0.04)
    assert pauses.ratio == pytest.approx(1.0 / 3.15, abs=0.03)


def test_sound_without_a_break_has_no_pause() -> None:
    pauses = find_pauses(track_intensity(spoken(0.0, 2.0)))
    assert (pauses.spans, pauses.mean_s, pauses.ratio) == ((), None, 0.0)


def test_quiet_before_and_after_is_no_pause() -> None:
    assert find_pauses(track_intensity(spoken(1.0, 1.0, 1.0))).spans == ()


def test_a_click_does_not_end_a_pause() -> None:
    audio = spoken(0.2, 0.8, 0.6, 0.8, 0.2)
    samples = audio.samples.copy()
    at = round(1.3 * SAMPLE_RATE)
    samples[at : at + 80] += 0.05
    assert len(find_pauses(track_intensity(Audio(samples))).spans) == 1


def test_in_noise_the_alignment_is_believed() -> None:
    rng = np.random.default_rng(3)
    noise = Audio((rng.normal(size=3 * SAMPLE_RATE) * 0.1).astype(np.float32))
    pauses = find_pauses(track_intensity(noise), (0.1, 2.9), [(1.0, 1.5), (2.0, 2.1)])
    assert pauses.spans == ((1.0, 1.5),)


@pytest.mark.parametrize("snr_db", [10.0, 30.0])
def test_signal_to_noise_is_estimated(snr_db: float) -> None:
    voice = sung(np.full(SAMPLE_RATE, 150.0))
    clean = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), voice])
    noise = np.random.default_rng(4).normal(size=len(clean))
    noise *= np.sqrt(np.mean(voice**2)) / 10 ** (snr_db / 20)
    intensity = track_intensity(Audio((clean + noise).astype(np.float32)))
    found = signal_to_noise_db(intensity, [(1.0, 2.0)], [(0.0, 1.0)])
    assert found == pytest.approx(snr_db, abs=1.0)
    assert signal_to_noise_db(intensity, [(1.0, 2.0)], []) is None


@pytest.mark.parametrize("rate", [2.5, 4.0, 5.5])
def test_syllables_of_a_train_are_counted(rate: float) -> None:
    audio = Audio(np.concatenate([hush(0.3), syllable_train(20, rate), hush(0.3)]))
    nuclei = syllable_nuclei(audio, track_pitch(audio), track_intensity(audio))
    assert len(nuclei) == pytest.approx(20, rel=0.05)
    assert 1 / np.median(np.diff(nuclei)) == pytest.approx(rate, rel=0.05)


def test_noise_bursts_are_no_syllables() -> None:
    rng = np.random.default_rng(5)
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    bursts = rng.normal(size=len(t)) * 0.1 * (1 - np.cos(2 * np.pi * 4 * t)) / 2
    audio = Audio(bursts.astype(np.float32))
    assert len(syllable_nuclei(audio, track_pitch(audio), track_intensity(audio))) <= 1
