"""What thinning keeps to, whatever there is to thin."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nativeear.indexer.thinning import LEAST, quotas, representatives

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=12), st.integers(0, 4000))
def test_quotas_keep_the_budget_and_the_rare(counts: list[int], budget: int) -> None:
    had = np.array(counts, dtype=np.int64)
    found = quotas(had, budget)
    assert ((found >= 0) & (found <= had)).all()
    assert found.sum() <= budget
    if budget >= had.sum():
        assert (found == had).all()
    if budget >= np.minimum(had, LEAST).sum():
        assert (found >= np.minimum(had, LEAST)).all()
    else:
        assert (found[had >= found.max()] == found.max()).all()  # nobody gains by the others' loss
    order = np.argsort(had, kind="stable")
    assert (np.diff(found[order]) >= 0).all()  # who has more keeps no less


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(1, 25), st.data())
def test_representatives_are_different_vectors_and_the_first_come_first(
    seed: int, size: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = rng.uniform(0.1, 1, size)
    quota = data.draw(st.integers(0, size))
    first = data.draw(st.lists(st.integers(0, size - 1), unique=True, max_size=size))
    found = representatives(vectors, weights, quota, first)
    assert len(found) == len(set(found.tolist())) == quota
    assert found[: len(first)].tolist() == first[:quota]
    again = representatives(vectors, 7 * weights, quota, first)
    assert again.tolist() == found.tolist()  # only shares of weight count
    whole = representatives(vectors, weights, size, first)
    assert whole[:quota].tolist() == found.tolist()  # a larger budget only adds
