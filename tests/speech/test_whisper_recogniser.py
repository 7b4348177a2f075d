"""The real recogniser on a real, randomly initialised model: plumbing, never recognition."""

from pathlib import Path

import numpy as np
import pytest

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import InputError
from nativeear.speech.recogniser import Recogniser
from nativeear.speech.recognisers.whisper import FOLDER_VARIABLE, WhisperRecogniser, find_recogniser
from nativeear.speech.testing import check_recogniser

TEXT_TOKENS = 300
TIMES = 1501


def token_names() -> list[str]:
    """A vocabulary of Whisper's shape, so small that it counts as that of an English model."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    words = ["go", "see", "tea", "man", "red", "sun", "ship", "day"]
    names = letters + [
        f"Ġ{words[i % len(words)]}" + "Ġ" * (i // len(words))
        for i in range(TEXT_TOKENS - len(letters))
    ]
    special = "endoftext startoftranscript translate transcribe startoflm startofprev nospeech"
    names += [f"<|{name}|>" for name in (*special.split(), "notimestamps")]
    return names + [f"<|{i * 0.02:.2f}|>" for i in range(TIMES)]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    import torch
    from ctranslate2.converters.transformers import WhisperLoader
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    folder = tmp_path_factory.mktemp("whisper")
    names = token_names()
    torch.manual_seed(4)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(names),
            d_model=16,
            encoder_layers=1,
            encoder_attention_heads=2,
            decoder_layers=1,
            decoder_attention_heads=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            init_std=0.6,
            begin_suppress_tokens=None,
            pad_token_id=TEXT_TOKENS,
            bos_token_id=TEXT_TOKENS,
            eos_token_id=TEXT_TOKENS,
            decoder_start_token_id=TEXT_TOKENS + 1,
        )
    )
    loader = WhisperLoader()
    spec = loader.get_model_spec(model)
    loader.set_vocabulary(spec, names)
    loader.set_config(spec.config, model, None)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = []
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    tokenizer = Tokenizer(models.BPE(vocab={name: i for i, name in enumerate(names)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(n, special=True) for n in names[TEXT_TOKENS:]])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def recogniser(model_folder: Path) -> WhisperRecogniser:
    return WhisperRecogniser(model_folder)


@pytest.fixture
def audio() -> Audio:
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    return Audio((0.2 * np.sin(2 * np.pi * 150 * t)).astype(np.float32))


def test_it_keeps_to_its_protocol(recogniser: WhisperRecogniser, audio: Audio) -> None:
    check_recogniser(recogniser, audio, "en-US")


def test_words_come_with_times_and_confidences(
    recogniser: WhisperRecogniser, model_folder: Path, audio: Audio
) -> None:
    assert isinstance(recogniser, Recogniser)
    assert recogniser.name == model_folder.name
    words = recogniser.transcribe(audio, "en-US")
    assert words
    for word in words:
        assert word.text == word.text.strip() != ""
        assert 0 <= word.start_s <= word.end_s <= 30
        assert 0 <= word.confidence <= 1


def test_a_language_that_the_model_does_not_know_is_refused(
    recogniser: WhisperRecogniser, audio: Audio
) -> None:
    with pytest.raises(InputError, match="does not know the language fr"):
        recogniser.transcribe(audio, "fr")


def test_a_damaged_model_is_refused(model_folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((model_folder / name).read_bytes())
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(InputError, match="cannot be loaded"):
        WhisperRecogniser(tmp_path)


def test_a_folder_without_a_model_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(InputError, match="no folder of a faster-whisper model") as refused:
        WhisperRecogniser(tmp_path)
    assert "config.json, tokenizer.json" in refused.value.cause
    assert "nativeear[asr]" in refused.value.fix


def test_the_folder_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert find_recogniser(None) is None
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "there"))
    with pytest.raises(InputError, match="there is no folder"):
        find_recogniser(None)
