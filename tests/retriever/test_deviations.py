"""Deletions and insertions on tones: that the paths are right, not how good they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.deviations import Deviations
from nativeear.speech.aligners.textgrid import read_alignment
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.frames import Frames

Heard = tuple[Frames, list[AlignedPhone], int]


@pytest.fixture(scope="module")
def heard(tone_corpus: Path, tone_index: PhoneIndex) -> Heard:
    """An utterance and the place of a phone that differs from two phones on each side."""
    for wav in sorted(tone_corpus.rglob("*.wav")):
        grid = wav.with_suffix(".TextGrid")
        phones = list(read_alignment(grid, tone_index.inventory).phones)
        for i in range(3, len(phones) - 3):
            if len({phone.phone for phone in phones[i - 1 : i + 2]}) == 3:
                return SpectralEncoder().encode(Audio.load(wav)), phones, i
    raise AssertionError("the tone corpus has no such utterance")


def test_phones_that_were_said_are_not_deleted(tone_index: PhoneIndex, heard: Heard) -> None:
    frames, phones, _ = heard
    finder = Deviations(tone_index)
    similar = finder.similarities(frames)
    for i, phone in enumerate(phones):
        assert phone.is_silence or not finder.deleted(
            frames, similar, phones, i, -0.7, heard=phone.phone
        )
    assert finder.insertions(frames, similar, phones) == ()


def test_a_phone_squeezed_between_two_others_is_deleted(
    tone_index: PhoneIndex, heard: Heard
) -> None:
    frames, phones, i = heard
    left, right = phones[i], phones[i + 1]
    absent = next(p for p in ("M", "S", "IY", "AA") if p not in {left.phone, right.phone})
    edge = left.end_s - 0.03
    phones = [
        *phones[:i],
        replace(left, end_s=edge),
        replace(left, phone=absent, start_s=edge),
        *phones[i + 1 :],
    ]
    finder = Deviations(tone_index)
    similar = finder.similarities(frames)
    assert finder.deleted(frames, similar, phones, i + 1, -10.0, heard=left.phone)
    assert finder.deleted(frames, similar, phones, i + 1, -10.0, heard=absent), "too short to tell"
    assert not finder.deleted(frames, similar, phones, i, -0.7, heard=left.phone)
    assert not finder.deleted(frames, similar, phones, i + 2, -0.7, heard=right.phone)


def test_a_phone_that_the_index_lacks_is_never_judged_and_blames_nobody(
    tone_index: PhoneIndex, heard: Heard
) -> None:
    frames, phones, i = heard
    phones = [*phones[:i], replace(phones[i], phone="ZH"), *phones[i + 1 :]]
    finder = Deviations(tone_index)
    similar = finder.similarities(frames)
    assert not finder.deleted(frames, similar, phones, i, np.nan, heard="ZH")
    assert finder.insertions(frames, similar, phones) == ()
