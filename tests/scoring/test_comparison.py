from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.comparison import Expected, centred, compare, lay_on
from nativeear.scoring.native_spread import NativeSpread
from nativeear.speech.frames import Frames

DIM = 12
SOUNDS = np.random.default_rng(7).normal(size=(6, DIM))


def said(sounds: str, frames_each: int = 8, seed: int = 0) -> Frames:
    """Frames of sounds named by digits, a little different each time."""
    rng = np.random.default_rng(seed)
    rows = [SOUNDS[int(name)] + 0.15 * rng.normal(size=DIM) for name in sounds
            for _ in range(frames_each)]  # fmt: skip
    return Frames(np.array(rows, dtype=np.float32), hop_s=0.02, offset_s=0.01)


def cheapest(costs: np.ndarray) -> float:
    """The same sum by plain recursion over all cells."""
    total = np.full(costs.shape, np.inf)
    for i in range(len(costs)):
        for j in range(len(costs[0])):
            ways = [costs[0, 0]] if i == j == 0 else []
            ways += [total[i - 1, j] + costs[i, j]] if i else []
            ways += [total[i, j - 1] + costs[i, j]] if j else []
            ways += [total[i - 1, j - 1] + 2 * costs[i, j]] if i and j else []
            total[i, j] = min(ways)
    return float(total[-1, -1])


def spent(costs: np.ndarray, laid: np.ndarray) -> float:
    """What a path costs, cell by cell."""
    cells = [(i, j) for i, (a, b) in enumerate(laid.tolist()) for j in range(a, b + 1)]
    total = costs[0, 0]
    for (i, j), (row, column) in pairwise(cells):
        total += costs[row, column] * (2 if row > i and column > j else 1)
    return float(total)


@pytest.mark.parametrize("seed", range(20))
def test_the_path_is_the_cheapest_there_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.uniform(size=(int(rng.integers(1, 9)), int(rng.integers(1, 9))))
    laid = lay_on(costs)
    assert laid[0, 0] == 0
    assert laid[-1, 1] == costs.shape[1] - 1
    assert all(0 <= b[0] - a[1] <= 1 for a, b in pairwise(laid.tolist()))
    assert spent(costs, laid) == pytest.approx(cheapest(costs))


def test_a_sound_that_no_native_says_is_found_in_its_place() -> None:
    text = "0123401234012340"
    natives = [said(text, each, seed) for each, seed in ((8, 1), (10, 2), (6, 3))]
    found = compare(said(text[:7] + "5" + text[8:], 9, seed=4), natives[0], natives[1:])
    one = max(found.differences, key=lambda each: each.distance - each.limit)
    assert found.different < 0.3
    assert one.start_s == pytest.approx(7 * 9 * 0.02, abs=0.06)
    assert one.end_s == pytest.approx(8 * 9 * 0.02, abs=0.06)
    assert one.native_start_s == pytest.approx(7 * 8 * 0.02, abs=0.06)
    assert one.distance > one.limit > one.natives
    moved = found.moved(1.0, 2.0).differences[found.differences.index(one)]
    assert moved.start_s == pytest.approx(one.start_s + 1)
    assert moved.native_end_s == pytest.approx(one.native_end_s + 2)


def test_another_native_hardly_differs() -> None:
    natives = [said("012345", seed=seed) for seed in range(1, 5)]
    found = compare(said("012345", 11, seed=9), natives[0], natives[1:])
    assert found.different < 0.1
    assert len(found.natives) == 3


def test_other_words_are_told_as_such_and_an_accent_is_none() -> None:
    """An accent: a third of the sounds are others, in a room of its own."""
    natives = [said("012340123401", seed=seed) for seed in range(1, 4)]
    room = np.random.default_rng(5).normal(size=DIM).astype(np.float32)
    for heard, other in (("012340123401", False), ("015340153405", False), ("420314023143", True)):
        learner = said(heard, 9, seed=8)
        learner = replace(learner, embeddings=learner.embeddings + room)
        found = compare(learner, natives[0], natives[1:])
        assert found.other_words == other, heard
        assert 0 < found.share_of_backwards < 1.2
        by_index = compare(learner, natives[0], natives[1:], lambda frames: centred(frames[:, :6]))
        assert by_index.share_of_backwards == found.share_of_backwards


def test_a_voice_is_taken_away() -> None:
    frames = said("0123").embeddings
    np.testing.assert_allclose(centred(frames), centred(frames + np.float32(3)), atol=1e-4)


def test_natives_have_to_be_several_or_expected() -> None:
    with pytest.raises(ValueError, match="other natives"):
        compare(said("01"), said("01"), [])


def test_what_is_expected_of_natives_tells_where_one_differs() -> None:
    """Where natives differ much, a learner may; the same distance elsewhere is told."""
    native, learner = said("0123401234", seed=1), said("0153401254", seed=2)
    distances = np.full(80, 0.1)
    loose = np.where(np.arange(80) < 40, 0.3, 3.0)
    found = compare(learner, native, [], expected=Expected(distances, loose))
    (one,) = found.differences
    assert one.native_start_s == pytest.approx(2 * 8 * 0.02, abs=0.06)
    assert (one.natives, found.natives) == (pytest.approx(0.1), ())
    # Another native who says it so, too, makes it no difference.
    beside = compare(learner, native, [learner], expected=Expected(distances, loose))
    assert beside.differences == ()
    assert beside.natives == (pytest.approx(beside.distance),)


def test_the_spread_of_an_index_is_that_between_its_speakers() -> None:
    index = PhoneIndex.open(find_index("en-US"))
    spread = NativeSpread.of(index)
    assert spread is not None
    speaker, _ = index.speakers
    own = index.rows_of("S")
    rows = np.random.default_rng(1).integers(own.start, own.stop, 600)
    vectors, who = index.vectors[rows], speaker[rows]
    apart = who[:, None] != who[None, :]
    median = float(np.median(1 - (vectors @ vectors.T)[apart]))
    is_s = np.isin(spread.rows, np.arange(own.start, own.stop))
    assert spread.distances[is_s] == pytest.approx(np.full(is_s.sum(), median), abs=0.05)
    # schwas are said in more ways than sibilants are
    assert spread.distances[is_s][0] < spread.distances.max()
