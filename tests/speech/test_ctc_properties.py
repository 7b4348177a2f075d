"""CTC sums against the enumeration of every path, whatever the posteriors and labels."""

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nativeear.speech.ctc import (
    LOG_ZERO,
    boundaries,
    deletions,
    frames_needed,
    log_sum,
    one_label_changes,
)
from nativeear.speech.occupancy import phone_occupancy

BLANK = 0


@st.composite
def heard(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Log posteriors `[T, V]` and labels that they may be paths of, or may not."""
    n_frames, n_vocabulary = draw(st.integers(1, 5)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = rng.normal(size=(n_frames, n_vocabulary)) * draw(st.sampled_from([0.1, 1.0, 8.0]))
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    labels = draw(st.lists(st.integers(1, n_vocabulary - 1), max_size=4))
    return log_probs, np.array(labels, dtype=np.int64)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label, _ in groupby(path) if label != BLANK)


def enumerated(log_probs: np.ndarray) -> defaultdict[tuple[int, ...], float]:
    """Probability of every label sequence, by adding up its paths."""
    n_frames, n_vocabulary = log_probs.shape
    found: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for path in product(range(n_vocabulary), repeat=n_frames):
        found[collapsed(path)] += float(np.exp(log_probs[np.arange(n_frames), path].sum()))
    return found


def probabilities(logs: np.ndarray) -> np.ndarray:
    return np.where(logs < LOG_ZERO / 2, 0.0, np.exp(logs))


@settings(max_examples=120, deadline=None)
@given(heard())
def test_sums_are_those_over_all_paths(given_: tuple[np.ndarray, np.ndarray]) -> None:
    log_probs, labels = given_
    expected = enumerated(log_probs)
    prefix, suffix = boundaries(log_probs, labels, BLANK)
    whole = expected[tuple(labels.tolist())]
    assert probabilities(prefix.either[-1, -1]) == pytest.approx(whole, abs=1e-12)
    assert probabilities(suffix.either[0, 0]) == pytest.approx(whole, abs=1e-12)
    if len(log_probs) < frames_needed(labels):
        assert whole == 0


@settings(max_examples=120, deadline=None)
@given(heard())
def test_one_label_changes_are_the_sums_of_the_changed(
    given_: tuple[np.ndarray, np.ndarray],
) -> None:
    log_probs, labels = given_
    expected = enumerated(log_probs)
    prefix, suffix = boundaries(log_probs, labels, BLANK)
    substituted, inserted = map(probabilities, one_label_changes(log_probs, prefix, suffix))
    said = labels.tolist()
    for v in range(1, log_probs.shape[1]):
        for i in range(len(said)):
            other = (*said[:i], v, *said[i + 1 :])
            assert substituted[i, v] == pytest.approx(expected[other], abs=1e-12)
        for j in range(len(said) + 1):
            other = (*said[:j], v, *said[j:])
            assert inserted[j, v] == pytest.approx(expected[other], abs=1e-12)
    for i, found in enumerate(probabilities(deletions(prefix, suffix))):
        other = (*said[:i], *said[i + 1 :])
        assert found == pytest.approx(expected[other], abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(heard())
def test_frames_belong_to_phones_by_the_paths_through_them(
    given_: tuple[np.ndarray, np.ndarray],
) -> None:
    log_probs, labels = given_
    if not len(labels) or len(log_probs) < frames_needed(labels):
        return
    found = phone_occupancy(log_probs, labels)
    expected = np.zeros(found.shape)
    total = 0.0
    for path in product(range(log_probs.shape[1]), repeat=len(log_probs)):
        if collapsed(path) != tuple(labels.tolist()):
            continue
        weight = np.exp(log_probs[np.arange(len(path)), path].sum())
        total += weight
        at, before = -1, BLANK
        for t, label in enumerate(path):
            at += label not in (BLANK, before)
            before = label
            if label != BLANK:
                expected[t, at] += weight
    assert found == pytest.approx(expected / total, abs=1e-9)
    assert (found.sum(axis=1) <= 1 + 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(0.01, 300))
def test_log_sums_are_sums(seed: int, size: int, scale: float) -> None:
    values = np.random.default_rng(seed).normal(size=(size, 3)) * scale
    highest = values.max(axis=0)
    expected = np.log(np.exp(values - highest).sum(axis=0)) + highest
    assert log_sum(values.copy(), axis=0) == pytest.approx(expected, rel=1e-9)
