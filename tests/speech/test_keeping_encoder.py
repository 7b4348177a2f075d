"""Frames are kept for whom they are kept for, for as long, and no longer."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.keeping import KeepingEncoder
from nativeear.speech.encoders.spectral import load
from nativeear.speech.frames import Encoder, Frames


class Counting:
    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.encoded = encoder, 0
        self.name, self.fingerprint, self.dim = encoder.name, encoder.fingerprint, encoder.dim

    def encode(self, audio: Audio) -> Frames:
        return self.encode_batch([audio])[0]

    def encode_batch(self, audios: list[Audio]) -> list[Frames]:
        self.encoded += len(audios)
        return self.encoder.encode_batch(audios)


@pytest.fixture
def counting() -> Counting:
    return Counting(load())


@pytest.fixture
def audios() -> list[Audio]:
    rng = np.random.default_rng(0)
    return [Audio(rng.normal(0, 0.1, 8000 + 800 * i).astype(np.float32)) for i in range(3)]


def test_what_is_kept_is_encoded_once(counting: Counting, audios: list[Audio]) -> None:
    keeping = KeepingEncoder(counting)
    assert (keeping.name, keeping.dim) == (counting.name, counting.dim)
    with keeping.keeping(audios[:1]):
        first = keeping.encode(audios[0])
        assert keeping.encode(audios[0]) is first
        keeping.encode(audios[1])
        keeping.encode(audios[1])
    assert counting.encoded == 3
    keeping.encode(audios[0])
    assert counting.encoded == 4


def test_what_is_encoded_ahead_is_there(counting: Counting, audios: list[Audio]) -> None:
    keeping = KeepingEncoder(counting)
    with keeping.ahead(audios), keeping.keeping(audios[:2]):
        assert counting.encoded == 3
        for audio in audios[:2]:
            expected = counting.encoder.encode(audio).embeddings
            np.testing.assert_array_equal(keeping.encode(audio).embeddings, expected)
    assert counting.encoded == 3
    keeping.encode_batch(audios)
    assert counting.encoded == 6


def test_other_threads_encode_for_themselves(counting: Counting, audios: list[Audio]) -> None:
    keeping = KeepingEncoder(counting)
    with keeping.ahead(audios), ThreadPoolExecutor(1) as other:
        other.submit(keeping.encode, audios[0]).result()
        assert counting.encoded == 4
    assert counting.encoded == 4
