"""Frames of one encoder with the posteriors of another."""

from pathlib import Path

import numpy as np
import pytest

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import describe, load_encoder, split_pair
from nativeear.speech.encoders.model_folders import find, portable_name, remember
from nativeear.speech.encoders.paired import PairedEncoder, together
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Frames
from nativeear.speech.testing import check_encoder
from tests.support.tiny_models import ESPEAK, LETTERS, saved

SOUND = Audio((0.1 * np.random.default_rng(0).standard_normal(24_000)).astype(np.float32))


def ear(n: int, hop_s: float, offset_s: float = 0.0) -> Frames:
    return Frames(np.arange(n, dtype=np.float32)[:, None], hop_s, offset_s)


def head(n: int, hop_s: float, offset_s: float = 0.0) -> Frames:
    log_probs = np.log(np.full((n, 2), 0.5, np.float32))
    log_probs[:, 0] = np.arange(n)  # each frame tells its number
    return Frames(np.zeros((n, 1), np.float32), hop_s, offset_s, log_probs, ("<pad>", "a"))


def heard(frames: Frames) -> tuple[list[float], list[float]]:
    assert frames.log_probs is not None
    return frames.embeddings[:, 0].tolist(), frames.log_probs[:, 0].tolist()


def test_ears_of_one_hop_stay_as_they_are() -> None:
    both = together(ear(5, 0.02, 0.0125), head(5, 0.02, 0.005))
    assert (both.hop_s, both.offset_s, both.labels) == (0.02, 0.0125, ("<pad>", "a"))
    assert heard(both) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])


def test_a_slower_head_is_heard_again() -> None:
    both = together(ear(6, 0.02, 0.0), head(3, 0.04, 0.01))
    assert both.hop_s == 0.02
    assert heard(both) == ([0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, 2])


def test_no_posterior_of_a_faster_head_is_lost() -> None:
    both = together(ear(3, 0.04, 0.01), head(6, 0.02))
    assert (both.hop_s, both.offset_s) == (0.02, 0.0)
    assert heard(both) == ([0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 5])


def test_frames_that_one_lacks_at_the_end_are_its_last() -> None:
    assert heard(together(ear(5, 0.02), head(3, 0.02)))[1] == [0, 1, 2, 2, 2]
    assert heard(together(ear(3, 0.02), head(5, 0.02)))[1] == [0, 1, 2]


def test_two_that_ship_keep_to_the_protocol() -> None:
    both = load_encoder("spectral+compact")
    assert isinstance(both, PairedEncoder)
    check_encoder(both, SOUND)
    alone = [load_encoder(name) for name in ("spectral", "compact")]
    assert both.dim == alone[0].dim
    assert both.fingerprint not in {each.fingerprint for each in alone}
    assert both.fingerprint != PairedEncoder(alone[1], alone[1]).fingerprint
    frames = both.encode(SOUND)
    assert frames.hop_s == 0.01  # that of the spectra; the head has 20 ms
    np.testing.assert_array_equal(frames.embeddings, alone[0].encode(SOUND).embeddings)


def test_what_has_no_phones_is_no_head(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="cannot be the head") as caught:
        load_encoder("compact+spectral")
    assert "no phone CTC head" in caught.value.cause
    letters = saved(tmp_path / "letters", "Hubert", LETTERS)
    with pytest.raises(EncoderError) as caught:
        load_encoder(f"compact+{letters}")
    assert "letters or word pieces" in caught.value.cause


def test_a_name_of_two_is_told_from_a_folder_with_a_plus(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mine+yours", "Hubert")
    assert split_pair(str(folder)) is None
    assert split_pair(f"{folder}+compact") == (str(folder), "compact")
    assert split_pair("nobody+compact") is None
    info = describe("hubert-large+xlsr-espeak")
    assert (info.kind, info.dim, info.layers, info.phones) == ("paired", 1024, 24, True)
    assert portable_name(f"{folder}+compact") == "mine+yours+compact"


def test_both_folders_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    folders = [saved(tmp_path / "ear", "Hubert"), saved(tmp_path / "head", "Wav2Vec2", ESPEAK)]
    both = load_encoder("+".join(map(str, folders)), layer=2)
    assert isinstance(both, PairedEncoder)
    ears = [(portable_name(each.name), each.fingerprint) for each in both.ears]
    assert [name for name, _ in ears] == ["ear", "head"]
    with pytest.raises(EncoderError):
        find("ear+head", both.fingerprint, layer=2, ears=ears)
    remember(both)
    assert find("ear+head", both.fingerprint, layer=2, ears=ears).fingerprint == both.fingerprint
    moved = folders[1].rename(tmp_path / "elsewhere")
    monkeypatch.setenv("NATIVEEAR_ENCODERS", str(moved))
    assert find("ear+head", both.fingerprint, layer=2, ears=ears).fingerprint == both.fingerprint
