"""Neighbours against a search by hand, whatever is asked and whoever may not answer."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nativeear.indexes.frame_evidence import frame_evidence, span_weights
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.evidence import posteriors
from nativeear.retriever.neighbours import find_neighbours
from nativeear.speech.frames import Frames

ONE_INDEX = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = st.integers(0, 2**32 - 1)


def queries(index: PhoneIndex, seed: int, count: int) -> np.ndarray:
    """Some of the index's own vectors, and some of no one's."""
    rng = np.random.default_rng(seed)
    own = index.vectors[rng.integers(0, len(index.vectors), count)]
    strange = rng.normal(size=own.shape).astype(np.float32)
    mixed = np.where(rng.random((count, 1)) < 0.5, own, strange)
    return np.ascontiguousarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))


@ONE_INDEX
@given(seed=SEEDS, count=st.integers(0, 6), k=st.integers(1, 400), share=st.floats(0, 1))
def test_neighbours_are_the_nearest_of_those_who_may_answer(
    tone_index: PhoneIndex, seed: int, count: int, k: int, share: float
) -> None:
    asked = queries(tone_index, seed, count)
    excluded = np.random.default_rng(seed).random(len(tone_index.vectors)) < share
    found = find_neighbours(tone_index, asked, k, excluded)
    assert found.ids.shape == found.similarities.shape == found.phones.shape == (count, k)
    own = np.repeat(np.arange(len(tone_index.classes)), np.diff(tone_index.bounds))
    answering = np.flatnonzero(~excluded)
    for i, query in enumerate(asked):
        cosines = tone_index.vectors @ query
        nearest = np.sort(cosines[answering])[::-1][:k]
        ids = found.ids[i][found.ids[i] >= 0]
        assert len(ids) == len(set(ids.tolist())) == min(k, len(answering))
        assert not excluded[ids].any()
        assert found.similarities[i, : len(ids)] == pytest.approx(nearest, abs=1e-5)
        assert (found.phones[i, : len(ids)] == own[ids]).all()
        assert (found.ids[i, len(ids) :] == -1).all()
        assert (found.phones[i, len(ids) :] == -1).all()
        for p in range(len(tone_index.classes)):
            there = answering[own[answering] == p]
            assert np.isnan(found.by_class[i, p]) == (len(there) == 0)


@ONE_INDEX
@given(seed=SEEDS, count=st.integers(1, 6), missing=st.integers(0, 3))
def test_posteriors_are_probabilities_that_keep_the_order(
    seed: int, count: int, missing: int
) -> None:
    rng = np.random.default_rng(seed)
    similar = rng.uniform(-1, 1, size=(count, 5)).astype(np.float32)
    similar[:, rng.permutation(5)[:missing]] = np.nan
    found = posteriors(similar, 0.05)
    assert found.sum(axis=1) == pytest.approx(np.ones(count), abs=1e-5)
    assert (found[np.isnan(similar)] == 0).all()
    assert (found.argmax(axis=1) == np.nanargmax(similar, axis=1)).all()


@ONE_INDEX
@given(seed=SEEDS, frames=st.integers(1, 8), phones=st.integers(1, 4))
def test_evidence_of_frames_lies_between_that_of_its_frames(
    seed: int, frames: int, phones: int
) -> None:
    rng = np.random.default_rng(seed)
    similar = rng.uniform(-1, 1, size=(frames, 5)).astype(np.float32)
    weights = rng.uniform(0, 1, size=(frames, phones)) * (rng.random((frames, phones)) < 0.7)
    canonical = rng.integers(0, 5, phones)
    found = frame_evidence(similar, weights, canonical, 0.1)
    single = frame_evidence(
        np.repeat(similar, phones, axis=0), np.eye(frames * phones), np.tile(canonical, frames), 0.1
    )
    each = single.log_posterior.reshape(frames, phones)
    for n in range(phones):
        heard = weights[:, n] > 0
        assert np.isnan(found.log_posterior[n]) == (not heard.any())
        if heard.any():
            low, high = each[heard, n].min(), each[heard, n].max()
            assert low - 1e-6 <= found.log_posterior[n] <= min(high, 0.0) + 1e-6


@ONE_INDEX
@given(seed=SEEDS, frames=st.integers(1, 40), spans=st.integers(0, 6))
def test_every_span_weighs_its_own_frames_or_the_nearest(
    seed: int, frames: int, spans: int
) -> None:
    rng = np.random.default_rng(seed)
    made = Frames(embeddings=np.zeros((frames, 2), np.float32), hop_s=0.02, offset_s=0.01)
    edges = np.sort(rng.uniform(0, 0.02 * frames, size=(spans, 2)), axis=1)
    found = span_weights(made, [(float(a), float(b)) for a, b in edges])
    assert found.shape == (frames, spans)
    assert set(np.unique(found)) <= {0.0, 1.0}
    assert (found.sum(axis=0) >= 1).all()
