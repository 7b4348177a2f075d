"""Spliced training speech: the labels follow the sound."""

import itertools

import numpy as np
import pytest

from training.alignment import AlignedPhone
from training.splice import Donors, splice

RATE = 16_000
LABELS = ("K", "AE", "T", "S", "IY", "M")
LEVEL = {label: (index + 1) / 10 for index, label in enumerate(LABELS)}


def recording(phone_s: float = 0.1) -> tuple[np.ndarray, list[AlignedPhone]]:
    """Each phone is a level of its own, so that what was pasted can be read off the samples."""
    phones = [
        AlignedPhone(label, 0.2 + phone_s * i, 0.2 + phone_s * (i + 1), 2.0)
        for i, label in enumerate(LABELS)
    ]
    samples = np.zeros(int(RATE * (0.4 + phone_s * len(LABELS))), np.float32)
    for phone in phones:
        samples[round(phone.start_s * RATE) : round(phone.end_s * RATE)] = LEVEL[phone.label]
    return samples, phones


def donors(phone_s: float = 0.06) -> Donors:
    samples, phones = recording(phone_s)
    return Donors([((samples * 32768).astype(np.int16), phones)])


@pytest.mark.parametrize("seed", range(12))
def test_each_label_is_the_sound_that_is_there(seed: int) -> None:
    samples, phones = recording()
    said, labels = splice(
        samples, phones, donors(), np.random.default_rng(seed), replaced=0.5, deleted=0.2
    )
    assert labels
    for phone in labels:
        middle = said[int((phone.start_s + phone.end_s) / 2 * RATE)]
        assert middle == pytest.approx(LEVEL[phone.label], abs=1e-3)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(labels))
    spoken = sum(phone.end_s - phone.start_s for phone in labels)
    assert len(said) / RATE == pytest.approx(0.4 + spoken, abs=2e-3)


def test_a_pasted_phone_is_another_and_carries_no_expert_score() -> None:
    samples, phones = recording()
    _, labels = splice(samples, phones, donors(), np.random.default_rng(0), replaced=1.0, deleted=0)
    assert len(labels) == len(phones)
    for before, after in zip(phones, labels, strict=True):
        assert after.label != before.label
        assert after.score is None


def test_without_replacing_nothing_changes() -> None:
    samples, phones = recording()
    said, labels = splice(
        samples, phones, donors(), np.random.default_rng(0), replaced=0, deleted=0
    )
    np.testing.assert_allclose(said[80:-80], samples[80:-80])
    assert labels == phones


def test_badly_said_phones_are_no_donors() -> None:
    samples, phones = recording()
    bad = [AlignedPhone(p.label, p.start_s, p.end_s, 0.4) for p in phones]
    pool = Donors([((samples * 32768).astype(np.int16), bad)])
    assert pool.draw("K", np.random.default_rng(0)) is None


def test_all_cut_out_leaves_the_recording_as_it_was() -> None:
    samples, phones = recording()
    said, labels = splice(
        samples, phones, Donors([]), np.random.default_rng(0), replaced=0, deleted=1
    )
    assert labels == phones
    np.testing.assert_array_equal(said, samples)
