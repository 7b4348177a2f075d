from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nativeear.speech.audio import Audio
from nativeear.speech.encoders import load_encoder
from nativeear.speech.encoders.onnx import kaldi_fbank, load
from nativeear.speech.errors import EncoderError, MissingDependencyError
from nativeear.speech.frames import Encoder
from nativeear.speech.testing import check_encoder

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

LABELS = ("<blk>", "▁", *"abdefiklmnoprstuvzæðŋɑɔəɛɡɪɹʃʊʌ")
V = len(LABELS)


def audio(seconds: float, seed: int = 0, rate: int = 16_000) -> Audio:
    samples = 0.1 * np.random.default_rng(seed).normal(size=round(seconds * rate))
    return Audio(samples.astype(np.float32), rate)


def write(folder: Path, graph: Any, labels: tuple[str, ...] = LABELS, **config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    lines = "".join(f"{label} {i}\n" for i, label in enumerate(labels))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")
    if config:
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def zipformer_like(*, embeddings: bool = False, v: int = V) -> Any:
    """Two filter-bank frames averaged into one, times a matrix: inputs and outputs as icefall's."""
    rng = np.random.default_rng(7)
    nodes = [
        helper.make_node("Transpose", ["x"], ["xt"], perm=[0, 2, 1]),
        helper.make_node("AveragePool", ["xt"], ["pooled"], kernel_shape=[2], strides=[2]),
        helper.make_node("Transpose", ["pooled"], ["encoder_out"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["encoder_out", "w"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=-1),
        helper.make_node("Div", ["x_lens", "two"], ["log_probs_len"]),
    ]
    outputs = [
        helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["N", "T2", v]),
        helper.make_tensor_value_info("log_probs_len", TensorProto.INT64, ["N"]),
    ]
    if embeddings:
        outputs.append(
            helper.make_tensor_value_info("encoder_out", TensorProto.FLOAT, ["N", "T2", 80])
        )
    return helper.make_graph(
        nodes,
        "zipformer_like",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T", 80]),
            helper.make_tensor_value_info("x_lens", TensorProto.INT64, ["N"]),
        ],
        outputs,
        [
            numpy_helper.from_array(0.1 * rng.normal(size=(80, v)).astype(np.float32), "w"),
            numpy_helper.from_array(np.array(2, np.int64), "two"),
        ],
    )


def waveform_like() -> Any:
    """One convolution of 400 samples every 320, as wav2vec2's front end counts frames."""
    kernel = 0.05 * np.random.default_rng(8).normal(size=(V, 1, 400)).astype(np.float32)
    nodes = [
        helper.make_node("Unsqueeze", ["input_values", "axis"], ["x1"]),
        helper.make_node("Conv", ["x1", "k"], ["c"], strides=[320]),
        helper.make_node("Transpose", ["c"], ["logits"], perm=[0, 2, 1]),
    ]
    return helper.make_graph(
        nodes,
        "waveform_like",
        [helper.make_tensor_value_info("input_values", TensorProto.FLOAT, ["N", "S"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T", V])],
        [
            numpy_helper.from_array(kernel, "k"),
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ],
    )


@pytest.mark.parametrize("graph", [zipformer_like, waveform_like])
def test_it_keeps_to_its_protocol(graph: Any, tmp_path: Path) -> None:
    check_encoder(load(str(write(tmp_path / "m", graph()))), audio(2.0))


def test_icefall_export(tmp_path: Path) -> None:
    encoder = load(str(write(tmp_path / "m", zipformer_like())), name="zipa")
    assert isinstance(encoder, Encoder) and encoder.name == "zipa" and encoder.dim == V
    frames = encoder.encode(audio(2.0))
    assert len(frames) == 100 and frames.labels == LABELS
    assert frames.hop_s == pytest.approx(0.02)
    assert frames.offset_s == pytest.approx(
        0.01, abs=0.0051
    )  # between the centres of the first two
    assert frames.log_probs is not None
    np.testing.assert_allclose(np.exp(frames.log_probs).sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(frames.embeddings, frames.log_probs)
    assert encoder.gop_refusal == ""


def test_an_inner_output_gives_the_embeddings(tmp_path: Path) -> None:
    encoder = load(str(write(tmp_path, zipformer_like(embeddings=True))))
    frames = encoder.encode(audio(1.0))
    assert encoder.dim == frames.embeddings.shape[1] == 80
    assert frames.embeddings.dtype == np.float32 and frames.embeddings.flags.c_contiguous
    pairs = kaldi_fbank(audio(1.0).samples).reshape(50, 2, 80).mean(axis=1)
    np.testing.assert_allclose(frames.embeddings, pairs, atol=1e-4)


def test_waveform_models_and_configured_times(tmp_path: Path) -> None:
    encoder = load(str(write(tmp_path / "a", waveform_like())))
    frames = encoder.encode(audio(1.0))
    assert frames.hop_s == pytest.approx(0.02)
    assert frames.offset_s == pytest.approx(0.0125, abs=0.01)
    assert len(frames) == 49
    told = load(str(write(tmp_path / "b", waveform_like(), offset_s=0.0125, hop_s=0.02)))
    assert told.encode(audio(1.0)).offset_s == 0.0125
    with pytest.raises(EncoderError, match="cannot run"):
        encoder.encode(audio(0.01))


def test_the_blank_comes_first_wherever_it_was(tmp_path: Path) -> None:
    labels = (*LABELS[1:], "<blk>")
    straight = load(str(write(tmp_path / "a", zipformer_like()))).encode(audio(1.0))
    turned = load(str(write(tmp_path / "b", zipformer_like(), labels))).encode(audio(1.0))
    assert turned.labels == ("<blk>", *LABELS[1:])
    assert straight.log_probs is not None and turned.log_probs is not None
    np.testing.assert_allclose(turned.log_probs[:, 0], straight.log_probs[:, -1], atol=1e-6)


def test_long_recordings_in_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load(str(write(tmp_path, zipformer_like())))
    whole = encoder.encode(audio(9.0))
    monkeypatch.setattr("nativeear.speech.encoders.onnx.WINDOW_S", 4.0)
    monkeypatch.setattr("nativeear.speech.encoders.onnx.MARGIN_S", 0.5)
    pieces = encoder.encode(audio(9.0))
    assert len(pieces) == len(whole)
    np.testing.assert_allclose(pieces.embeddings, whole.embeddings, atol=1e-4)


def test_the_catalogue_knows_the_folder(tmp_path: Path) -> None:
    folder = write(tmp_path, zipformer_like(), features="fbank")
    assert load_encoder(folder).fingerprint == load_encoder(f"onnx:{folder}").fingerprint


def test_fingerprints_follow_the_model(tmp_path: Path) -> None:
    one = load(str(write(tmp_path / "a", zipformer_like())))
    same = load(str(write(tmp_path / "b", zipformer_like())))
    other = load(str(write(tmp_path / "c", waveform_like())))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.fingerprint.startswith("sha256:")


def test_letters_serve_retrieval_but_not_gop(tmp_path: Path) -> None:
    labels = ("<pad>", *"abcdefghijklmnopqrstuvwxyz")
    folder = write(tmp_path, zipformer_like(v=len(labels)), labels)
    encoder = load(str(folder))
    frames = encoder.encode(audio(1.0))
    assert "not phones" in encoder.gop_refusal
    assert frames.log_probs is None and frames.labels == () and len(frames.embeddings) == 50


def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"no model\.onnx"):
        load(str(tmp_path))
    folder = write(tmp_path / "a", zipformer_like())
    with pytest.raises(EncoderError, match="no layers"):
        load(str(folder), layer=3)
    with pytest.raises(EncoderError, match="16000"):
        load(str(folder)).encode(audio(1.0, rate=8_000))
    (folder / "tokens.txt").unlink()
    with pytest.raises(EncoderError, match="outputs mean"):
        load(str(folder))
    (folder / "vocab.json").write_text(json.dumps({"a": 0, "b": 5}))
    with pytest.raises(EncoderError, match="cannot be read"):
        load(str(folder))
    (folder / "vocab.json").write_text(json.dumps({"a": 0, "b": 1}))
    with pytest.raises(EncoderError, match="gave"):
        load(str(folder))
    (folder / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(EncoderError, match="cannot be opened"):
        load(str(folder))


def test_onnxruntime_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path, zipformer_like())
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError) as caught:
        load(str(folder))
    assert caught.value.fix == "pip install onnxruntime"


def test_filter_banks_are_kaldis() -> None:
    """Against transformers' Kaldi filter banks, which lay frames without mirrored ends."""
    library = pytest.importorskip("transformers.audio_utils", reason="transformers is not here")

    samples = audio(1.0).samples
    filters = library.mel_filter_bank(
        num_frequency_bins=257,
        num_mel_filters=80,
        min_frequency=20.0,
        max_frequency=7_600.0,
        sampling_rate=16_000,
        norm=None,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )
    theirs = library.spectrogram(
        samples,
        library.window_function(400, "povey", periodic=False),
        frame_length=400,
        hop_length=160,
        fft_length=512,
        power=2.0,
        center=False,
        preemphasis=0.97,
        mel_filters=filters,
        log_mel="log",
        mel_floor=1.192092955078125e-07,
        remove_dc_offset=True,
    ).T
    # our frame t begins 120 samples before sample 160 t: here at a multiple of 160 of theirs
    ours = kaldi_fbank(samples[120:])
    np.testing.assert_allclose(ours[1:95], theirs[1:95], atol=2e-3)


def test_mirrored_ends_keep_the_frame_count() -> None:
    for n_samples, n_frames in ((16_000, 100), (16_079, 100), (16_080, 101), (100, 1), (500, 3)):
        assert kaldi_fbank(np.ones(n_samples, np.float32)).shape == (n_frames, 80)
    assert np.isfinite(kaldi_fbank(np.zeros(800, np.float32))).all()
