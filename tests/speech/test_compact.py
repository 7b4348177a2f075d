import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.encoders import compact
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.encoders.compact import ShippedEncoder
from nativeear.speech.encoders.log_mel import log_mel, mel_filterbank
from nativeear.speech.errors import EncoderError

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from training import compact_model, onnx_graph  # noqa: E402
from training.compact_model import LABELS, CompactConfig, CompactEncoder, save  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with random weights: for shapes and plumbing."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("compact")
    config = CompactConfig(width=32, n_heads=2, n_layers=2, knn_layer=1, gop_layer=3)
    save(CompactEncoder(config), path, config)
    onnx_graph.write(path, path)
    return path


@pytest.fixture
def encoder(folder: Path) -> ShippedEncoder:
    return compact.load(str(folder))


def noise(seconds: float, seed: int = 0) -> Audio:
    rng = np.random.default_rng(seed)
    return Audio((rng.normal(size=round(seconds * SAMPLE_RATE)) * 0.1).astype(np.float32))


def test_one_pass_gives_embeddings_and_phone_posteriors(encoder: ShippedEncoder) -> None:
    frames = encoder.encode(noise(1.0))
    assert frames.embeddings.shape == (50, 32)
    assert frames.log_probs is not None
    assert frames.log_probs.shape == (50, 40)
    assert frames.labels == LABELS
    assert np.allclose(np.exp(frames.log_probs).sum(axis=1), 1, atol=1e-4)
    assert frames.hop_s == 0.02


def test_a_batch_gives_what_single_calls_give(encoder: ShippedEncoder) -> None:
    audios = [noise(seconds, i) for i, seconds in enumerate((0.4, 2.37, 1.0, 11.5))]
    for batched, audio in zip(encoder.encode_batch(audios), audios, strict=True):
        single = encoder.encode(audio)
        assert len(batched) == len(single)
        assert np.allclose(batched.embeddings, single.embeddings, atol=1e-4)
        assert batched.log_probs is not None
        assert single.log_probs is not None
        assert np.allclose(batched.log_probs, single.log_probs, atol=1e-4)


def test_the_front_end_is_that_of_training() -> None:
    filters = torch.from_numpy(mel_filterbank())
    for audio in (
        noise(1.3),
        Audio(np.concatenate([np.zeros(8_000, np.float32), noise(2).samples])),
    ):
        ours = log_mel(audio.samples)
        exact = compact_model.log_mel(torch.from_numpy(audio.samples).double(), filters)
        assert ours.dtype == np.float32
        assert np.abs(ours - exact.numpy()).max() < 1e-6
        trained = compact_model.log_mel(torch.from_numpy(audio.samples))
        assert np.abs(ours - trained.numpy()).max() < 1e-4


def test_a_frame_is_what_it_is_whatever_lies_far_from_it(encoder: ShippedEncoder) -> None:
    """Rounding by frame: a window is heard alike beside quiet and beside loud ones."""
    samples = noise(30.0).samples
    louder = samples.copy()
    louder[-SAMPLE_RATE:] *= 1.5
    one, other = (encoder.encode(Audio(s)).embeddings for s in (samples, louder))
    assert np.allclose(one[:400], other[:400], atol=1e-3)
    assert not np.allclose(one[-40:], other[-40:], atol=1e-3)


def test_any_number_of_threads_hears_the_same(folder: Path) -> None:
    code = (
        "import numpy as np, sys; from nativeear.speech.audio import Audio\n"
        "from nativeear.speech.encoders.catalogue import load_encoder\n"
        "tones = np.sin(np.arange(32000) / 9).astype(np.float32)\n"
        "print(load_encoder('compact').encode(Audio(tones)).embeddings.sum().item().hex())\n"
        "assert 'torch' not in sys.modules"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    }
    assert len(told) == 1


def test_a_long_recording_has_all_its_frames(encoder: ShippedEncoder) -> None:
    audio = noise(37.3)
    frames = encoder.encode(audio)
    assert len(frames) == round(37.3 / 0.02)
    assert frames.embeddings.flags.c_contiguous


def test_layers_are_chosen_and_change_the_fingerprint(folder: Path) -> None:
    chosen = {layer: compact.load(str(folder), layer=layer) for layer in (None, 1, 3)}
    assert chosen[None].fingerprint == chosen[1].fingerprint != chosen[3].fingerprint
    audio = noise(0.5)
    assert not np.allclose(
        chosen[1].encode(audio).embeddings, chosen[3].encode(audio).embeddings, atol=1e-2
    )
    with pytest.raises(EncoderError, match="no layer 9"):
        compact.load(str(folder), layer=9)


def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="cannot be opened"):
        load_encoder(f"compact:{tmp_path}")


def test_another_sample_rate_is_refused(encoder: ShippedEncoder) -> None:
    with pytest.raises(EncoderError, match="hears 16000 Hz"):
        encoder.encode(Audio(np.zeros(8_000, np.float32), 8_000))


def test_the_shipped_weights_are_those_of_the_card() -> None:
    weights = compact.FOLDER / compact.GRAPH
    described = compact.card()["weights"]
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == described["sha256"]
    assert weights.stat().st_size == described["bytes"] <= 25_000_000


def test_the_shipped_encoder_hears_a_prompt_that_it_has_never_learnt_from() -> None:
    prompt = Path(__file__).parents[2] / "service" / "data" / "vm-msgsaved.flac"
    frames = load_encoder("default").encode(Audio.load(prompt))
    assert frames.log_probs is not None
    best = frames.log_probs.argmax(axis=1)
    starts = np.flatnonzero(np.diff(best, prepend=0))
    heard = [frames.labels[best[t]] for t in starts if best[t]]
    assert " ".join(heard) == "Y UH R M EH S IH JH HH AE Z B IH N S EY V D"
