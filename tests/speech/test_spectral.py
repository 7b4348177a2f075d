"""The encoder without weights: where its frames lie, what it removes, and what it keeps."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from nativeear.speech.audio import Audio
from nativeear.speech.encoders import load_encoder, spectral
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Encoder


def noise(seconds: float, seed: int = 0, scale: float = 0.1) -> np.ndarray:
    generator = np.random.default_rng(seed)
    samples: np.ndarray = generator.standard_normal(round(16_000 * seconds)) * scale
    return samples.astype(np.float32)


def test_it_is_an_encoder() -> None:
    encoder = load_encoder("spectral")
    assert isinstance(encoder, Encoder)
    assert encoder.name == "spectral"
    assert encoder.fingerprint == load_encoder("spectral", dtype="float16").fingerprint
    assert encoder.fingerprint.startswith("sha256:")


@pytest.mark.parametrize("seconds", [0.01, 0.1, 1.0, 50.0])
def test_shapes_and_times(seconds: float) -> None:
    frames = load_encoder("spectral").encode(Audio(noise(seconds)))
    n_samples = max(round(16_000 * seconds), 400)
    assert frames.embeddings.shape == (1 + (n_samples - 400) // 160, 240)
    assert frames.embeddings.dtype == np.float32
    assert frames.embeddings.flags.c_contiguous
    assert np.isfinite(frames.embeddings).all()
    assert frames.hop_s == 0.01
    assert frames.times_s[0] == pytest.approx(0.0125)


def test_a_click_lands_at_its_time() -> None:
    quiet = noise(1.0, scale=1e-3)
    click = quiet.copy()
    click[8_000] += 0.5
    difference = spectral.log_mel_spectrogram(click) - spectral.log_mel_spectrogram(quiet)
    centre = np.average(np.arange(len(difference)), weights=np.square(difference).sum(axis=1))
    assert 0.0125 + 0.01 * centre == pytest.approx(0.5, abs=0.002)

    encoder = load_encoder("spectral")
    moved = encoder.encode(Audio(click)).embeddings[:, :40]  # cosine 0: a mean over the context
    frames = encoder.encode(Audio(quiet))
    distance = np.square(moved - frames.embeddings[:, :40]).sum(axis=1)
    assert abs(frames.nearest(0.5) - int(np.argmax(distance))) <= 1


def test_a_tone_lands_in_its_band() -> None:
    time_s = np.arange(16_000) / 16_000
    tone = np.sin(2 * np.pi * 1_000 * time_s).astype(np.float32)
    band = int(spectral.log_mel_spectrogram(tone)[50].argmax())
    filters = spectral.mel_filterbank()
    assert filters.shape == (40, 257)
    assert abs(int(filters[band].argmax()) * 16_000 / 512 - 1_000) < 60
    assert (filters.sum(axis=1) > 0).all()


def test_gain_and_channel_do_not_matter() -> None:
    encoder = load_encoder("spectral")
    samples = noise(1.0)
    loud = encoder.encode(Audio(samples)).embeddings
    soft = encoder.encode(Audio(samples * np.float32(0.02))).embeddings
    np.testing.assert_allclose(loud, soft, atol=1e-3)

    coloured = np.convolve(samples, [1.0, -0.5])[: len(samples)].astype(np.float32)
    through_channel = encoder.encode(Audio(coloured)).embeddings
    # a filter of a few samples adds the same to every frame, up to the window's edges
    assert np.abs(through_channel - loud).mean() < 0.1


def test_silence_stays_below_speech_however_much_there_is() -> None:
    encoder = load_encoder("spectral")
    speech = noise(1.0)
    hiss = noise(4.0, seed=1, scale=1e-4)
    little = encoder.encode(Audio(np.concatenate([speech, hiss[:8_000]]))).embeddings
    much = encoder.encode(Audio(np.concatenate([speech, hiss]))).embeddings
    level = slice(0, 40)  # cosine 0 of every band
    assert little[:80, level].mean() - little[-30:, level].mean() > 10.0
    # the frames of speech are what they were with little silence
    np.testing.assert_allclose(little[:80], much[:80], atol=0.3)


def test_silence_alone_gives_finite_frames() -> None:
    encoder = load_encoder("spectral")
    frames = encoder.encode(Audio(np.zeros(16_000, np.float32)))
    assert np.isfinite(frames.embeddings).all()


def test_batch_equals_single() -> None:
    encoder = load_encoder("spectral")
    audios = [Audio(noise(seconds, seed)) for seed, seconds in enumerate([1.0, 0.3, 2.2])]
    for batched, audio in zip(encoder.encode_batch(audios), audios, strict=True):
        np.testing.assert_array_equal(batched.embeddings, encoder.encode(audio).embeddings)


def test_blocks_leave_no_seam() -> None:
    samples = noise(60.0)  # 5,998 frames: more than one block
    whole = spectral.log_mel_spectrogram(samples)
    middle = spectral.log_mel_spectrogram(samples[160 * 4_000 : 160 * 4_200])
    np.testing.assert_allclose(whole[4_001:4_190], middle[1:190], atol=1e-2)


def test_speed() -> None:
    encoder = load_encoder("spectral")
    audio = Audio(noise(20.0))
    encoder.encode(audio)
    started = time.process_time()
    encoder.encode(audio)
    assert 20.0 / (time.process_time() - started) > 100  # measured: above 400


def test_refusals() -> None:
    with pytest.raises(EncoderError, match="no layers"):
        load_encoder("spectral", layer=3)
    with pytest.raises(EncoderError, match="16000 Hz"):
        load_encoder("spectral").encode(Audio(noise(1.0), sample_rate=8_000))


def test_it_needs_neither_torch_nor_transformers() -> None:
    program = (
        "import sys, numpy as np; from nativeear.speech.audio import Audio; "
        "from nativeear.speech.encoders import load_encoder, list_encoders; "
        "load_encoder('spectral').encode(Audio(np.ones(16000, np.float32))); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
