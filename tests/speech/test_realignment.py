from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nativeear
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.reading import TextReader, lay
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.realignment import corroborated, displaced, realigned

PROMPT = Path(__file__).parents[2] / "service" / "data" / "vm-msgsaved.flac"
TEXT = "Your message has been saved."


def laid(*edges_s: float, end_s: float = 2.0) -> Alignment:
    """Phones `A`, `B`, … between edges that touch, silence around them."""
    spans = list(pairwise(edges_s))
    phones = [
        AlignedPhone(chr(65 + i), start, end, i, 0.5, 1) for i, (start, end) in enumerate(spans)
    ]
    before = AlignedPhone(SILENCE, 0.0, edges_s[0], -1)
    after = AlignedPhone(SILENCE, edges_s[-1], end_s, -1)
    words = tuple("w" * (i + 1) for i in range(len(phones)))
    return Alignment((before, *phones, after), words, (0,) * len(phones), "test")


def edges(alignment: Alignment) -> list[float]:
    return [phone.start_s for phone in alignment.phones] + [alignment.phones[-1].end_s]


def test_a_phone_is_displaced_where_the_head_hears_it_far_outside() -> None:
    alignment = laid(0.2, 0.4, 0.6, 0.8)
    heard_s = np.array([[0.25, 0.35], [0.7, 0.75], [np.nan, np.nan]])
    assert displaced(alignment.spoken, heard_s).tolist() == [False, True, False]
    assert displaced((), np.zeros((0, 2))).tolist() == []


def test_only_the_stretch_around_what_is_wrong_is_taken() -> None:
    ours = laid(0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
    other = laid(0.22, 0.41, 0.61, 0.9, 1.3, 1.5)
    wrong = np.array([False, False, False, False, True])
    found = realigned(ours, other, wrong)
    assert edges(found) == pytest.approx([0.0, 0.2, 0.4, 0.605, 0.9, 1.3, 1.5, 2.0])
    assert [phone.score for phone in found.spoken] == [0.5] * 5
    assert found.words == ours.words
    assert found.variants == ours.variants


def test_without_anything_wrong_or_with_other_phones_nothing_changes() -> None:
    ours, other = laid(0.2, 0.4, 0.6), laid(0.8, 1.0, 1.2)
    assert realigned(ours, other, np.array([False, False])) is ours
    assert realigned(ours, laid(0.8, 1.0), np.array([True, False])) is ours


@settings(deadline=None)
@given(
    ours=st.lists(st.integers(1, 199), min_size=3, max_size=12, unique=True),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_comes_of_it_is_an_alignment(ours: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = sorted(edge / 100 for edge in ours)
    second = np.sort(rng.choice(np.arange(1, 200), len(ours), replace=False)) / 100
    alignment = laid(*first)
    found = realigned(alignment, laid(*second), rng.random(len(ours) - 1) < 0.3)
    assert found.phones[0].start_s == 0.0
    assert found.phones[-1].end_s == 2.0
    for one, next_one in pairwise(found.phones):
        assert one.end_s == next_one.start_s
        assert one.end_s > one.start_s
    assert [p.phone for p in found.spoken] == [p.phone for p in alignment.spoken]


def test_noise_does_not_swallow_the_end_of_a_sentence() -> None:
    assessor = nativeear.load("en-US")
    meant = assessor.pronounce(TEXT)
    clean = Audio.load(PROMPT)
    noise = np.random.default_rng(0).normal(size=len(clean.samples)).astype(np.float32)
    loud = np.sqrt(np.mean(clean.samples**2)) / np.sqrt(np.mean(noise**2))
    noisy = Audio(clean.samples + noise * loud * np.float32(0.1))

    def laid_on(audio: Audio, checked: bool) -> Alignment:
        frames = assessor.encoder.encode(audio)
        read = TextReader(assessor.index).read(meant, frames, audio, whole=True)
        alignment = lay(assessor.aligner, audio, meant, frames, read)
        gop = measure_gop(frames, assessor.inventory, [p.phone for p in alignment.spoken])
        return corroborated(alignment, read.alignment, gop.spans_s) if checked else alignment

    truth = laid_on(clean, checked=False)
    assert laid_on(clean, checked=True) == truth

    before, after = (laid_on(noisy, checked).spoken[-1].end_s for checked in (False, True))
    assert before < truth.spoken[-1].end_s - 0.2
    assert after == pytest.approx(truth.spoken[-1].end_s, abs=0.08)
