import numpy as np
import pytest

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import MissingDependencyError
from nativeear.speech.prosody import voice_activity
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.pauses import find_pauses, join_over_noises
from nativeear.speech.prosody.voice_activity import (
    CHUNK,
    silent_spans,
    speech_probabilities,
    why_not_silero,
)
from tests.conftest import PROMPTS

needs_silero = pytest.mark.skipif(bool(why_not_silero()), reason=why_not_silero() or "installed")
needs_prompts = pytest.mark.skipif(
    not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed"
)


def hush(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.normal(size=round(seconds * SAMPLE_RATE)) * 3e-4).astype(np.float32)


@needs_silero
def test_there_is_a_probability_for_every_32_ms_and_none_of_speech_in_silence() -> None:
    probabilities = speech_probabilities(Audio(hush(1.0)))
    assert len(probabilities) == -(-SAMPLE_RATE // CHUNK)
    assert probabilities.max() < 0.3
    assert silent_spans(Audio(hush(1.0))) == ((0.0, 1.0),)


@needs_silero
@needs_prompts
def test_a_noise_does_not_end_a_pause_and_speech_does() -> None:
    said = Audio.load(PROMPTS / "vm-goodbye.g722").samples
    samples = np.concatenate([hush(0.3), said, hush(1.0), said, hush(0.3)])
    clean = find_pauses(track_intensity(Audio(samples)), voiceless=silent_spans(Audio(samples)))
    assert len(clean.spans) == 1
    middle = sum(clean.spans[0]) / 2
    rng = np.random.default_rng(2)
    at, half = round(middle * SAMPLE_RATE), 700
    noisy = samples.copy()
    noisy[at - half : at + half] += rng.normal(size=2 * half).astype(np.float32) * 0.05
    by_ear = find_pauses(track_intensity(Audio(noisy)))
    both = find_pauses(track_intensity(Audio(noisy)), voiceless=silent_spans(Audio(noisy)))
    assert (len(by_ear.spans), by_ear.found_by) == (2, "intensity")
    assert (len(both.spans), both.found_by) == (1, "intensity and Silero VAD")
    assert both.spans[0] == pytest.approx(clean.spans[0], abs=0.02)
    parts = [hush(0.3), said, hush(0.5), said, hush(0.5), said, hush(0.3)]
    thrice = Audio(np.concatenate(parts))
    assert len(find_pauses(track_intensity(thrice), voiceless=silent_spans(thrice)).spans) == 2


def test_quiet_is_joined_only_where_no_one_speaks_in_between() -> None:
    quiet = ((0.0, 1.0), (1.1, 2.0), (2.5, 3.0))
    assert join_over_noises(quiet, [(0.9, 1.2)]) == ((0.0, 2.0), (2.5, 3.0))
    assert join_over_noises(quiet, [(1.05, 1.2), (2.2, 2.4)]) == quiet
    assert join_over_noises(quiet, [(0.0, 3.0)]) == ((0.0, 3.0),)


def test_without_silero_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_activity, "find_spec", lambda _: None)
    voice_activity._session.cache_clear()
    assert why_not_silero() == "onnxruntime is not installed"
    with pytest.raises(MissingDependencyError, match=r"the extra \[vad\]"):
        speech_probabilities(Audio(hush(0.1)))
