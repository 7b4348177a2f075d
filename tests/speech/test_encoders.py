"""Encoders of transformers: small random models of each architecture, through the real path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nativeear.speech.audio import Audio
from nativeear.speech.encoders import DEFAULT, describe, fetch, list_encoders, load_encoder
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Encoder
from nativeear.speech.phone_head import are_phones
from nativeear.speech.testing import check_encoder

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `torch` is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

from nativeear.speech.encoders import transformers as module  # noqa: E402
from nativeear.speech.encoders.transformers import TransformersEncoder  # noqa: E402

torch.set_num_threads(1)

BODY = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
CONVOLUTIONS = {
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
WHISPER = {
    "d_model": 32,
    "encoder_layers": 4,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "vocab_size": 60,
    "max_source_positions": 200,
    "pad_token_id": 0,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "decoder_start_token_id": 0,
}

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "hubert": ("Hubert", {**BODY, **CONVOLUTIONS, **LAYER_NORM}),
    "hubert-group": ("Hubert", {**BODY, **CONVOLUTIONS}),
    "wav2vec2": ("Wav2Vec2", {**BODY, **CONVOLUTIONS, **LAYER_NORM}),
    "wav2vec2-group": ("Wav2Vec2", {**BODY, **CONVOLUTIONS}),
    "wavlm": ("WavLM", {**BODY, **CONVOLUTIONS, **LAYER_NORM}),
    "wavlm-group": ("WavLM", {**BODY, **CONVOLUTIONS}),
    "w2v-bert": ("Wav2Vec2Bert", BODY),
    "whisper": ("Whisper", WHISPER),
}
CONVOLUTIONAL = [name for name in MODELS if name not in ("w2v-bert", "whisper")]

# espeak-like: what wav2vec2-xlsr-53-espeak-cv-ft has, made small; blank is not label 0
PHONES = ["n", "s", "ə", "ɪ", "<pad>", "tʃ", "iː", "ɹ", "<s>", "<unk>"]
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(16_000 * seconds))
    return samples.astype(np.float32)


def save(folder: Path, model: Any, *, normalise: bool | None = None) -> Path:
    model.save_pretrained(folder)
    if normalise is not None:
        settings = {"do_normalize": normalise, "sampling_rate": 16_000}
        (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def make(kind: str, head: str = "Model", **more: Any) -> Any:
    torch.manual_seed(0)
    family, settings = MODELS[kind]
    config = getattr(transformers, f"{family}Config")(**{**settings, **more})
    return getattr(transformers, family + head)(config).eval()


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = save(tmp_path_factory.mktemp(kind), make(kind))
        return made[kind]

    return folder


def opened(folder: Path, **options: Any) -> TransformersEncoder:
    encoder = load_encoder(str(folder), device="cpu", **options)
    assert isinstance(encoder, TransformersEncoder)
    return encoder


@pytest.mark.parametrize("kind", MODELS)
def test_it_keeps_to_its_protocol(kind: str, folder_of: Callable[[str], Path]) -> None:
    check_encoder(opened(folder_of(kind)), Audio(noise(1.5)))


# ---- frames -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MODELS)
def test_shapes_and_times(kind: str, folder_of: Callable[[str], Path]) -> None:
    encoder = opened(folder_of(kind))
    assert isinstance(encoder, Encoder)
    assert encoder.dim == 32
    frames = encoder.encode(Audio(noise(1.0)))
    assert frames.embeddings.shape == ({"whisper": 50}.get(kind, 49), 32)
    assert frames.embeddings.dtype == np.float32
    assert frames.embeddings.flags.c_contiguous
    assert np.isfinite(frames.embeddings).all()
    assert frames.hop_s == pytest.approx(0.02)
    assert frames.log_probs is None
    assert frames.labels == ()
    assert len(encoder.encode(Audio(noise(0.1)))) >= 4


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("layer", [0, 2, 4])
def test_batch_equals_single(kind: str, layer: int, folder_of: Callable[[str], Path]) -> None:
    encoder = opened(folder_of(kind), layer=layer)
    audios = [Audio(noise(s, i)) for i, s in enumerate([1.0, 0.57, 1.5, 0.1, 1.0, 0.5713])]
    for batched, audio in zip(encoder.encode_batch(audios), audios, strict=True):
        single = encoder.encode(audio)
        assert len(batched) == len(single)
        np.testing.assert_allclose(batched.embeddings, single.embeddings, atol=1e-4)


@pytest.mark.parametrize("kind", CONVOLUTIONAL)
def test_layers_are_those_of_the_library(kind: str, folder_of: Callable[[str], Path]) -> None:
    samples = noise(1.0) + 0.05
    model = getattr(transformers, MODELS[kind][0] + "Model").from_pretrained(folder_of(kind)).eval()
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    values = extractor(samples, sampling_rate=16_000, return_tensors="pt").input_values
    with torch.no_grad():
        output = model(values, output_hidden_states=True)
    expected = {layer: output.hidden_states[layer] for layer in (0, 1, 3)}
    expected[4] = output.last_hidden_state
    for layer, hidden in expected.items():
        frames = opened(folder_of(kind), layer=layer).encode(Audio(samples))
        np.testing.assert_allclose(frames.embeddings, hidden[0].numpy(), atol=2e-5)


def test_w2v_bert_is_that_of_the_library(folder_of: Callable[[str], Path]) -> None:
    samples = noise(1.013)  # an odd number of filter-bank frames
    model = transformers.Wav2Vec2BertModel.from_pretrained(folder_of("w2v-bert")).eval()
    inputs = transformers.SeamlessM4TFeatureExtractor()(
        samples, sampling_rate=16_000, return_tensors="pt"
    )
    with torch.no_grad():
        hidden = model(**inputs).last_hidden_state[0].numpy()
    frames = opened(folder_of("w2v-bert"), layer=4).encode(Audio(samples))
    np.testing.assert_allclose(frames.embeddings, hidden[: len(frames)], atol=1e-4)
    assert len(hidden) - len(frames) == int((inputs["attention_mask"] == 0).sum())


def test_whisper_is_that_of_the_library(folder_of: Callable[[str], Path]) -> None:
    samples = noise(4.0)  # as long as this small model's whole window: the library takes no less
    model = transformers.WhisperModel.from_pretrained(folder_of("whisper")).eval()
    mel = transformers.WhisperFeatureExtractor(feature_size=80)(
        samples, sampling_rate=16_000, padding="longest", truncation=False, return_tensors="pt"
    ).input_features
    with torch.no_grad():
        output = model.get_encoder()(mel, output_hidden_states=True)
    for layer, hidden in {2: output.hidden_states[2], 4: output.last_hidden_state}.items():
        frames = opened(folder_of("whisper"), layer=layer).encode(Audio(samples))
        np.testing.assert_allclose(frames.embeddings, hidden[0].numpy(), atol=1e-5)


def test_whisper_hears_the_true_length(folder_of: Callable[[str], Path]) -> None:
    encoder = opened(folder_of("whisper"), layer=0)
    short, padded = noise(1.0), np.concatenate([noise(1.0), np.zeros(16_000, np.float32)])
    assert len(encoder.encode(Audio(short))) == 50
    assert len(encoder.encode(Audio(padded))) == 100


@pytest.mark.parametrize("kind", MODELS)
def test_a_click_lands_at_its_time(kind: str, tmp_path: Path) -> None:
    model = make(kind)
    with torch.no_grad():  # leave only what is local: no positional convolution
        for name, parameter in model.named_parameters():
            if "pos_conv_embed" in name and ("original0" in name or name.endswith("bias")):
                parameter.zero_()
    is_wave = kind in CONVOLUTIONAL
    encoder = opened(save(tmp_path, model, normalise=False if is_wave else None), layer=0)
    quiet = noise(2.0) * 0.01
    click = quiet.copy()
    click[16_000] += 0.2
    frames = encoder.encode(Audio(quiet))
    moved = np.square(encoder.encode(Audio(click)).embeddings - frames.embeddings).sum(axis=1)
    assert abs(frames.times_s[int(np.argmax(moved))] - 1.0) <= 0.02
    if is_wave and not kind.endswith("group"):
        # exactly the frames whose 25 ms hold the click
        expected = np.flatnonzero(np.abs(frames.times_s - 1.0) < 0.0125)
        np.testing.assert_array_equal(np.flatnonzero(moved > 0), expected)


@pytest.mark.parametrize("kind", ["hubert", "w2v-bert", "whisper", "wavlm-group"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(kind: str, dtype: str, folder_of: Callable[[str], Path]) -> None:
    full = opened(folder_of(kind)).encode(Audio(noise(1.0))).embeddings
    encoder = opened(folder_of(kind), dtype=dtype)
    half = encoder.encode(Audio(noise(1.0))).embeddings
    assert half.dtype == np.float32
    assert encoder.fingerprint != opened(folder_of(kind)).fingerprint
    cosine = (
        np.sum(full * half, axis=1) / np.linalg.norm(full, axis=1) / np.linalg.norm(half, axis=1)
    )
    # Processors that multiply in bfloat16 all the way keep 8 bits of every step.
    assert cosine.min() > (0.995 if dtype == "float16" else 0.85)


def test_normalisation_follows_the_preprocessor(tmp_path: Path) -> None:
    normed = opened(save(tmp_path / "yes", make("hubert"), normalise=True), layer=1)
    raw = opened(save(tmp_path / "no", make("hubert"), normalise=False), layer=1)
    samples = noise(1.0)
    soft, loud = Audio(samples), Audio(samples * np.float32(3.0) + np.float32(0.1))
    np.testing.assert_allclose(
        normed.encode(soft).embeddings, normed.encode(loud).embeddings, atol=1e-4
    )
    assert np.abs(raw.encode(soft).embeddings - raw.encode(loud).embeddings).max() > 1e-3
    assert normed.fingerprint != raw.fingerprint


# ---- long recordings ----------------------------------------------------------------------------


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def shorten() -> None:
        monkeypatch.setattr(module, "WINDOW_S", 8.0)
        monkeypatch.setattr(module, "MARGIN_S", 2.5)

    return shorten


@pytest.mark.parametrize("kind", [*CONVOLUTIONAL, "w2v-bert"])
def test_windows_leave_no_seam_where_context_is_local(
    kind: str, folder_of: Callable[[str], Path], short_windows: Callable[[], None]
) -> None:
    audio = Audio(noise(27.0) * np.linspace(0.1, 2.0, 27 * 16_000, dtype=np.float32))
    whole = opened(folder_of(kind), layer=0).encode(audio)
    short_windows()
    windowed = opened(folder_of(kind), layer=0).encode(audio)
    assert len(whole) == len(windowed)
    np.testing.assert_allclose(windowed.embeddings, whole.embeddings, atol=1e-4)


@pytest.mark.parametrize("kind", [*CONVOLUTIONAL, "w2v-bert"])
def test_windows_leave_no_seam_under_attention(
    kind: str, folder_of: Callable[[str], Path], short_windows: Callable[[], None]
) -> None:
    """Attention sees the whole window, so the context differs: cosine above 0.999 everywhere.

    Measured on these random models: 0.9998, where neighbouring frames have 0.2 to 0.6. Models that
    have learnt to attend far away may differ more.
    """
    audio = Audio(noise(27.0))
    whole = opened(folder_of(kind), layer=3).encode(audio).embeddings
    short_windows()
    windowed = opened(folder_of(kind), layer=3).encode(audio).embeddings
    assert whole.shape == windowed.shape
    cosine = np.sum(whole * windowed, axis=1) / (
        np.linalg.norm(whole, axis=1) * np.linalg.norm(windowed, axis=1)
    )
    assert cosine.min() > 0.999


def test_whisper_goes_beyond_its_positions(folder_of: Callable[[str], Path]) -> None:
    """There is no one piece to compare with, and positions start anew in every window."""
    frames = opened(folder_of("whisper")).encode(Audio(noise(9.99)))  # its positions end at 4 s
    assert len(frames) == 500
    assert np.isfinite(frames.embeddings).all()


# ---- phone heads --------------------------------------------------------------------------------


def with_head(folder: Path, kind: str, labels: list[str], blank: int) -> Path:
    model = make(kind, "ForCTC", vocab_size=len(labels), pad_token_id=blank)
    save(folder, model)
    (folder / "vocab.json").write_text(json.dumps({text: i for i, text in enumerate(labels)}))
    return folder


@pytest.mark.parametrize("kind", ["hubert", "wav2vec2-group", "wavlm", "w2v-bert"])
def test_a_phone_head_gives_log_probs(kind: str, tmp_path: Path) -> None:
    folder = with_head(tmp_path, kind, PHONES, PHONES.index("<pad>"))
    encoder = opened(folder, layer=2)
    audios = [Audio(noise(1.0)), Audio(noise(0.6, 1))]
    frames = encoder.encode_batch(audios)
    assert frames[0].labels == ("<pad>", "n", "s", "ə", "ɪ", "tʃ", "iː", "ɹ", "<s>", "<unk>")
    for batched, audio in zip(frames, audios, strict=True):
        assert batched.log_probs is not None
        assert batched.log_probs.shape == (len(batched), len(PHONES))
        np.testing.assert_allclose(np.exp(batched.log_probs).sum(axis=1), 1.0, atol=1e-5)
        single = encoder.encode(audio)
        np.testing.assert_allclose(batched.log_probs, single.log_probs, atol=1e-4)
        np.testing.assert_allclose(batched.embeddings, single.embeddings, atol=1e-4)

    model = make(kind, "Model")
    assert encoder.dim == model.config.hidden_size


def test_log_probs_are_those_of_the_library(tmp_path: Path) -> None:
    folder = with_head(tmp_path, "wav2vec2", PHONES, 4)
    model = transformers.Wav2Vec2ForCTC.from_pretrained(folder).eval()
    samples = noise(1.0)
    values = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)(
        samples, sampling_rate=16_000, return_tensors="pt"
    ).input_values
    with torch.no_grad():
        expected = torch.log_softmax(model(values).logits[0], dim=-1).numpy()
    frames = opened(folder).encode(Audio(samples))
    assert frames.log_probs is not None
    for column, label in enumerate(frames.labels):
        np.testing.assert_allclose(
            frames.log_probs[:, column], expected[:, PHONES.index(label)], atol=1e-4
        )


def test_a_letter_head_is_left_out(tmp_path: Path) -> None:
    folder = with_head(tmp_path, "hubert", LETTERS, 0)
    frames = opened(folder).encode(Audio(noise(0.5)))
    assert frames.log_probs is None
    assert frames.labels == ()


def test_which_labels_are_phones() -> None:
    arpabet = ["aa", "ae", "ah", "ch", "dh", "er", "hh", "jh", "ng", "ow", "sh", "zh", *"bdfg"]
    assert are_phones(PHONES)
    assert are_phones(["[PAD]", "[UNK]", *arpabet])
    assert not are_phones(LETTERS)
    assert not are_phones(["<pad>", "|", *"abcdefghijklmnopqrstuvwxyzäöüß"])
    assert not are_phones(["<pad>", "|", *"abdefghijklmnoprstuvwxyzɖɛƒɣŋɔʋ"])  # Ewe
    assert not are_phones(["<pad>", "▁the", "▁a", "s", "ing"])
    assert not are_phones([])


# ---- layers, names, fingerprints ------------------------------------------------------------


def test_layers_that_are_not_there(folder_of: Callable[[str], Path]) -> None:
    for layer in (-1, 5):
        with pytest.raises(EncoderError, match="has 4 layers"):
            opened(folder_of("hubert"), layer=layer)
    with pytest.raises(EncoderError, match="dtype 'int8'"):
        opened(folder_of("hubert"), dtype="int8")


def test_fingerprints(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    first = opened(folder_of("hubert"))
    assert first.fingerprint == opened(folder_of("hubert"), layer=3).fingerprint  # 3 of 4: default
    assert first.fingerprint != opened(folder_of("hubert"), layer=2).fingerprint
    again = opened(save(tmp_path / "elsewhere", make("hubert")))
    assert first.fingerprint == again.fingerprint

    other = make("hubert")
    with torch.no_grad():
        other.encoder.layer_norm.bias += 1e-3
    assert first.fingerprint != opened(save(tmp_path / "other", other)).fingerprint


def test_names() -> None:
    infos = {info.name: info for info in list_encoders()}
    assert infos[DEFAULT].local
    large = infos["hubert-large"]
    assert (large.source, large.dim, large.layers) == ("facebook/hubert-large-ls960-ft", 1024, 24)
    assert large.default_layer == 18
    assert describe("hubert-large") == large
    assert describe("default").name == DEFAULT
    assert all(info.licence for info in infos.values() if info.source)
    assert fetch("spectral") is None
    assert fetch("compact") is None


def test_describing_a_folder(folder_of: Callable[[str], Path]) -> None:
    info = describe(folder_of("whisper"))
    assert (info.dim, info.layers, info.default_layer, info.local) == (32, 4, 3, True)
    assert fetch(folder_of("whisper")) == folder_of("whisper")


# ---- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("call", [load_encoder, fetch])
def test_no_network(
    call: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(HfApi, "model_info", unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EncoderError, match="hubert-large is not on this machine") as caught:
        call("hubert-large")
    assert "\n" not in str(caught.value) + caught.value.cause + caught.value.fix
    assert "hf download facebook/hubert-large-ls960-ft --local-dir DIR" in caught.value.fix
    assert "then give DIR as its name" in caught.value.fix
    assert "--encoder compact" in caught.value.fix


def test_a_hub_that_has_only_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import HfApi

    class Files:
        siblings = (type("File", (), {"rfilename": "pytorch_model.bin"}),)

    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: Files)
    with pytest.raises(EncoderError, match="only as pickled weights") as caught:
        load_encoder("someone/some-model-that-nobody-has")
    assert "hf download" in caught.value.fix


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no encoder called 'hubrt'") as caught:
        load_encoder("hubrt")
    assert "hubert-large" in caught.value.cause
    for pair in ("compact+hubrt", "hubrt+compact"):
        with pytest.raises(EncoderError, match="no encoder called 'hubrt'"):
            load_encoder(pair)
    with pytest.raises(EncoderError, match="holds no encoder"):
        load_encoder(tmp_path)


def test_a_path_that_is_not_there_is_not_taken_for_a_name_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import HfApi

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the hub was asked for a path")

    monkeypatch.setattr(HfApi, "model_info", asked)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for path in ("models/hubrt", "./models/hubrt", "~/no-such-model", str(tmp_path / "hubrt")):
        with pytest.raises(EncoderError, match="no folder of that name"):
            load_encoder(path)


def test_pickled_weights_are_refused_and_the_advice_works(tmp_path: Path) -> None:
    model = make("hubert")
    expected = opened(save(tmp_path / "safe", model)).encode(Audio(noise(0.5)))
    folder = save(tmp_path / "pickled", model)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")

    with pytest.raises(EncoderError, match="only pickled weights") as caught:
        opened(folder)
    command = caught.value.fix.removeprefix("Convert it once: ")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, shell=True, check=True, env={**os.environ, "PATH": path})  # noqa: S602
    converted = opened(folder).encode(Audio(noise(0.5)))
    np.testing.assert_array_equal(converted.embeddings, expected.embeddings)


def test_old_names_of_weights_are_understood(tmp_path: Path) -> None:
    """Checkpoints of before 2023 call the weight-normed convolution's parts weight_g, weight_v."""
    model = make("hubert")
    expected = opened(save(tmp_path / "new", model)).encode(Audio(noise(0.5)))
    folder = save(tmp_path / "old", model)
    weights = load_file(folder / "model.safetensors")
    renamed = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in weights.items()
    }
    assert sum(name.endswith(("weight_g", "weight_v")) for name in renamed) == 2
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
    np.testing.assert_array_equal(
        opened(folder).encode(Audio(noise(0.5))).embeddings, expected.embeddings
    )


def test_incomplete_weights_are_refused(tmp_path: Path) -> None:
    folder = save(tmp_path, make("hubert"))
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layers.1.attention.k_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match="lack 1 tensors"):
        opened(folder)

    (folder / "model.safetensors").write_bytes(b"not tensors at all")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        opened(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(EncoderError, match=r"model\.safetensors is missing"):
        opened(folder)


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(EncoderError, match="type 'bert'") as caught:
        opened(tmp_path)
    assert "hubert" in caught.value.fix
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(EncoderError, match="cannot be read"):
        opened(tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_no_gpu(folder_of: Callable[[str], Path]) -> None:
    with pytest.raises(EncoderError, match="no CUDA device"):
        load_encoder(folder_of("hubert"), device="cuda")


# ---- HuBERT-Large at its true size --------------------------------------------------


@pytest.mark.timeout(240)
def test_hubert_large_at_full_size(tmp_path: Path) -> None:
    """`facebook/hubert-large-ls960-ft`: the values of its config.json, with random weights."""
    config = transformers.HubertConfig(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        conv_dim=(512,) * 7,
        conv_kernel=(10, 3, 3, 3, 3, 2, 2),
        conv_stride=(5, 2, 2, 2, 2, 2, 2),
        conv_bias=True,
        feat_extract_norm="layer",
        feat_proj_layer_norm=True,
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=128,
        num_conv_pos_embedding_groups=16,
        vocab_size=len(LETTERS),
        pad_token_id=0,
    )
    torch.manual_seed(0)
    model = transformers.HubertForCTC(config)
    assert 315e6 < sum(parameter.numel() for parameter in model.parameters()) < 317e6
    save(tmp_path, model, normalise=True)
    del model
    (tmp_path / "vocab.json").write_text(json.dumps({text: i for i, text in enumerate(LETTERS)}))

    encoder = opened(tmp_path)
    frames = encoder.encode(Audio(noise(1.0)))
    assert frames.embeddings.shape == (49, 1024)
    assert np.isfinite(frames.embeddings).all()
    assert frames.log_probs is None  # its head emits letters
    assert frames.times_s[[0, 1]] == pytest.approx([0.0125, 0.0325])
    assert encoder.fingerprint.startswith("sha256:")
    (tmp_path / "model.safetensors").unlink()  # 1.3 GB that pytest would keep
