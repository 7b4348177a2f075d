"""GOP against two independent references: torch's CTC loss, and listing every path."""

from __future__ import annotations

import dataclasses
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nativeear.scoring.gop import GopFeatures, gop_features, mean_margins
from nativeear.speech.errors import InputError
from nativeear.speech.occupancy import phone_occupancy
from tests.support.ctc_reference import (
    FloatArray,
    needed,
    random_log_probs,
    reference_features,
    reference_log_p,
)

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

torch.set_num_threads(1)


def assert_equals_reference(features: GopFeatures, log_probs: FloatArray) -> None:
    expected = reference_features(log_probs, features.canonical.tolist(), features.blank)
    for name, value in expected.items():
        np.testing.assert_allclose(
            getattr(features, name), value, rtol=0, atol=1e-6, err_msg=name, equal_nan=True
        )


@st.composite
def cases(draw: st.DrawFn, max_phones: int = 6) -> tuple[FloatArray, list[int], int]:
    """Posteriors from flat to peaky, few labels (so that neighbours are often equal), short T."""
    n_vocabulary = draw(st.integers(2, 5))
    blank = draw(st.integers(0, n_vocabulary - 1))
    phones = [v for v in range(n_vocabulary) if v != blank]
    canonical = draw(st.lists(st.sampled_from(phones), min_size=1, max_size=max_phones))
    n_frames = needed(canonical) + draw(st.integers(0, 8))
    sharpness = draw(st.sampled_from([0.0, 1.0, 5.0, 40.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_log_probs(rng, n_frames, n_vocabulary, sharpness), canonical, blank


# ---------------------------------------------------------------- exactness


@settings(max_examples=300, deadline=None)
@given(cases())
def test_every_alternative_equals_torch_ctc_loss(
    case: tuple[FloatArray, list[int], int],
) -> None:
    log_probs, canonical, blank = case
    assert_equals_reference(gop_features(log_probs, canonical, blank=blank), log_probs)


@settings(max_examples=50, deadline=None)
@given(cases())
def test_leaving_insertions_out_changes_nothing_else(
    case: tuple[FloatArray, list[int], int],
) -> None:
    log_probs, canonical, blank = case
    whole = gop_features(log_probs, canonical, blank=blank)
    without = gop_features(log_probs, canonical, blank=blank, insertions=False)
    for field in dataclasses.fields(whole):
        left_out = field.name in {"insertion", "sf_sdi"}
        ours, expected = getattr(without, field.name), np.asarray(getattr(whole, field.name))
        expected = np.full(expected.shape, np.nan) if left_out else expected
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize(
    "canonical",
    [[1], [1, 1], [1, 1, 1], [1, 2, 1], [1, 2, 1, 2, 1], [1, 1, 2, 2, 1, 1], [3, 1, 3, 3, 1]],
)
@pytest.mark.parametrize("spare_frames", [0, 1, 2, 30])
def test_repeats_at_every_joint(canonical: list[int], spare_frames: int) -> None:
    rng = np.random.default_rng(1)
    log_probs = random_log_probs(rng, needed(canonical) + spare_frames, 4, 2.0)
    assert_equals_reference(gop_features(log_probs, canonical), log_probs)


def test_more_gaps_and_labels_than_one_block_holds() -> None:
    rng = np.random.default_rng(2)
    canonical = rng.integers(1, 300, 60)
    canonical[20:24] = 7
    log_probs = random_log_probs(rng, 90, 300, 3.0)
    features = gop_features(log_probs, canonical)
    labels = canonical.tolist()
    pairs = [(i, int(v)) for i in range(60) for v in rng.integers(1, 300, 4)]
    pairs += [(i, labels[k]) for i in range(60) for k in (i - 1, i + 1) if 0 <= k < 60]
    variants = [[*labels[:i], v, *labels[i + 1 :]] for i, v in pairs]
    expected = features.log_posterior - reference_log_p(log_probs, variants, 0)
    np.testing.assert_allclose(
        [features.substitution[pair] for pair in pairs], expected, rtol=0, atol=1e-6
    )


def test_spans_and_occupancy_against_all_paths() -> None:
    rng = np.random.default_rng(3)
    canonical, n_frames, blank = [1, 2, 2], 7, 0
    log_probs = random_log_probs(rng, n_frames, 3, 1.5)
    total = 0.0
    begin, end = np.zeros(3), np.zeros(3)
    occupancy = np.zeros((n_frames, 3))
    for path in itertools.product(range(3), repeat=n_frames):
        runs = [
            (label, [frame for frame, _ in group])
            for label, group in itertools.groupby(enumerate(path), key=lambda item: item[1])
            if label != blank
        ]
        if [label for label, _ in runs] != canonical:
            continue
        probability = float(np.exp(log_probs[range(n_frames), path].sum()))
        total += probability
        for i, (_, frames) in enumerate(runs):
            begin[i] += probability * frames[0]
            end[i] += probability * (frames[-1] + 1)
            occupancy[frames, i] += probability
    features = gop_features(log_probs, canonical)
    assert features.log_posterior == pytest.approx(np.log(total), abs=1e-12)
    np.testing.assert_allclose(
        features.expected_span, np.stack([begin, end], axis=1) / total, atol=1e-12
    )
    np.testing.assert_allclose(phone_occupancy(log_probs, canonical), occupancy / total, atol=1e-12)
    weighted = (occupancy * log_probs[:, canonical]).sum(axis=0) / occupancy.sum(axis=0)
    np.testing.assert_allclose(features.mean_log_posterior, weighted, atol=1e-12)


def test_sixty_seconds_neither_underflow_nor_lose_digits() -> None:
    rng = np.random.default_rng(4)
    canonical = rng.integers(1, 40, 500)
    log_probs = random_log_probs(rng, 3000, 40, 6.0)
    features = gop_features(log_probs, canonical)
    assert features.log_posterior < -5000  # exp of it is 0 in float64
    labels = canonical.tolist()
    at = [0, 250, 499]
    variants = [labels, *([*labels[:i], *labels[i + 1 :]] for i in at)]
    variants += [[*labels[:i], 5, *labels[i + 1 :]] for i in at]
    expected = reference_log_p(log_probs, variants, 0)
    measured = [features.log_posterior]
    measured += [features.log_posterior - features.deletion[i] for i in at]
    measured += [features.log_posterior - features.substitution[i, 5] for i in at]
    np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-6)


def test_extremely_peaky_posteriors_stay_exact() -> None:
    """Wrong labels 2,000 nats down in each frame: linear or scaled sums would lose them."""
    rng = np.random.default_rng(5)
    log_probs = random_log_probs(rng, 40, 5, 2000.0)
    assert log_probs.min() < -5000
    assert_equals_reference(gop_features(log_probs, [1, 2, 2, 4, 1]), log_probs)


def test_minus_infinity_is_probability_zero() -> None:
    log_probs = np.log(np.full((5, 3), 1 / 3))
    log_probs[:, 2] = -np.inf
    log_probs[:, :2] = np.log(0.5)
    features = gop_features(log_probs, [1])
    assert features.substitution[0, 2] == np.inf
    assert features.sf_s[0] == pytest.approx(0.0, abs=1e-12)
    assert not np.isnan(features.mean_log_posterior).any()


def test_what_the_frames_cannot_hold_has_an_infinite_log_ratio() -> None:
    rng = np.random.default_rng(6)
    features = gop_features(random_log_probs(rng, 3, 3, 1.0), [1, 2, 1])
    assert features.substitution[0, 2] == np.inf  # 2 2 1 needs four frames
    assert features.deletion[1] < np.inf  # 1 1 needs three
    assert (features.insertion == np.inf).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_tensors_give_the_same_numbers(dtype: torch.dtype) -> None:
    rng = np.random.default_rng(7)
    tensor = torch.tensor(random_log_probs(rng, 30, 6, 2.0), dtype=dtype, requires_grad=True)
    ours = gop_features(tensor, torch.tensor([1, 2, 2]))
    same = gop_features(tensor.detach().numpy(), np.array([1, 2, 2]))
    np.testing.assert_array_equal(ours.substitution, same.substitution)
    np.testing.assert_array_equal(ours.expected_span, same.expected_span)


def test_memory_stays_under_200_megabytes() -> None:
    rng = np.random.default_rng(9)
    log_probs = random_log_probs(rng, 1500, 400, 3.0)
    canonical = rng.integers(1, 400, 180)
    tracemalloc.start()
    try:
        gop_features(log_probs, canonical)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200e6


# ---------------------------------------------------------------- identities


@settings(max_examples=100, deadline=None)
@given(cases())
def test_scores_are_ordered_and_normalised(case: tuple[FloatArray, list[int], int]) -> None:
    log_probs, canonical, blank = case
    features = gop_features(log_probs, canonical, blank=blank)
    position = np.arange(len(canonical))
    assert (features.sf_s <= 0).all()
    assert (features.sf_sd <= features.sf_s).all()
    assert (features.sf_sdi <= features.sf_sd).all()
    assert (features.substitution[position, canonical] == 0).all()
    assert np.isnan(features.substitution[:, blank]).all()
    # Sequences of one length are disjoint events, so each group sums to a probability at most.
    assert (features.log_posterior - features.sf_sdi <= 1e-9).all()
    begin, end = features.expected_span.T
    assert (begin >= -1e-9).all()
    assert (end <= len(log_probs) + 1e-9).all()
    assert (end[:-1] <= begin[1:] + 1e-9).all()
    occupancy = phone_occupancy(log_probs, canonical, blank=blank)
    np.testing.assert_allclose(occupancy.sum(axis=0), end - begin, atol=1e-9)
    assert (occupancy.sum(axis=1) <= 1 + 1e-9).all()
    assert (features.mean_log_posterior <= 0).all()


@settings(max_examples=100, deadline=None)
@given(cases())
def test_one_frame_shares_its_probability_among_its_sequences(
    case: tuple[FloatArray, list[int], int],
) -> None:
    log_probs, canonical, blank = case
    features = gop_features(log_probs[:1], canonical[:1], blank=blank)
    # Any one phone, or nothing: there is no other sequence of one frame.
    assert features.log_posterior - features.sf_sd[0] == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(cases(max_phones=5), st.data())
def test_deleting_then_reinserting_meets_the_substitutions(
    case: tuple[FloatArray, list[int], int], data: st.DataObject
) -> None:
    log_probs, canonical, blank = case
    assume(len(canonical) > 1)
    i = data.draw(st.integers(0, len(canonical) - 1))
    shorter = [*canonical[:i], *canonical[i + 1 :]]
    assume(needed(shorter) <= len(log_probs))
    whole = gop_features(log_probs, canonical, blank=blank)
    without = gop_features(log_probs, shorter, blank=blank)
    assert without.log_posterior == pytest.approx(whole.log_posterior - whole.deletion[i], abs=1e-9)
    # All phones inserted where phone i was are all its substitutions.
    assert without.insertion[i] == pytest.approx(whole.sf_s[i] - whole.deletion[i], abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_relabelling_leaves_the_results_unchanged(
    case: tuple[FloatArray, list[int], int], data: st.DataObject
) -> None:
    log_probs, canonical, blank = case
    order = np.array(data.draw(st.permutations(range(log_probs.shape[1]))))
    new_id = np.argsort(order)  # column v moves to new_id[v]
    ours = gop_features(log_probs, canonical, blank=blank)
    moved = gop_features(log_probs[:, order], new_id[canonical], blank=int(new_id[blank]))
    np.testing.assert_allclose(moved.substitution[:, new_id], ours.substitution, atol=1e-9)
    np.testing.assert_allclose(moved.insertion, ours.insertion, atol=1e-9)
    np.testing.assert_allclose(moved.sf_sdi, ours.sf_sdi, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_reversed_time_mirrors_the_results(case: tuple[FloatArray, list[int], int]) -> None:
    log_probs, canonical, blank = case
    ours = gop_features(log_probs, canonical, blank=blank)
    mirror = gop_features(log_probs[::-1], canonical[::-1], blank=blank)
    np.testing.assert_allclose(mirror.substitution[::-1], ours.substitution, atol=1e-9)
    np.testing.assert_allclose(mirror.insertion[::-1], ours.insertion, atol=1e-9)
    np.testing.assert_allclose(
        len(log_probs) - mirror.expected_span[::-1, ::-1], ours.expected_span, atol=1e-9
    )


def test_all_sequences_of_three_frames_sum_to_one() -> None:
    log_probs = random_log_probs(np.random.default_rng(10), 3, 3, 1.0)
    total = np.exp(log_probs[:, 0].sum())
    for length in (1, 2, 3):
        for canonical in itertools.product((1, 2), repeat=length):
            if needed(canonical) <= 3:
                total += np.exp(gop_features(log_probs, canonical).log_posterior)
    assert total == pytest.approx(1.0, abs=1e-12)


# ---------------------------------------------------------------- margins


def test_margins_from_their_definition() -> None:
    log_probs = random_log_probs(np.random.default_rng(15), 10, 4, 1.0)
    spans = np.array([[0, 4], [4.2, 9.5], [10.0, 10.0]])  # what is touched, and one at least
    ours = mean_margins(log_probs, np.array([1, 2, 3]), spans)
    for margin, label, frames in zip(ours, (1, 2, 3), (slice(4), slice(4, 10), [9]), strict=True):
        others = [v for v in (1, 2, 3) if v != label]
        inside = log_probs[frames]
        expected = (inside[:, label] - inside[:, others].max(axis=1)).mean()
        assert margin == pytest.approx(expected)


def test_margins_over_expected_spans_are_finite() -> None:
    log_probs = random_log_probs(np.random.default_rng(16), 50, 8, 4.0)
    log_probs[7, 3] = -np.inf
    canonical = np.array([1, 2, 2, 7, 3])
    spans = gop_features(random_log_probs(np.random.default_rng(16), 50, 8, 4.0), canonical)
    assert np.isfinite(mean_margins(log_probs, canonical, spans.expected_span)).all()


# ---------------------------------------------------------------- refusals

FLAT: FloatArray = np.log(np.full((4, 3), 1 / 3))


def test_too_few_frames_name_the_need() -> None:
    with pytest.raises(InputError) as caught:
        gop_features(FLAT, [1, 1, 2, 2])
    assert "4 frames are too few for 4 phones, which need 6" in str(caught.value)
    assert caught.value.cause
    assert caught.value.fix


def _with(frame: int, label: int, value: float) -> FloatArray:
    frames: FloatArray = FLAT.copy()
    frames[frame, label] = value
    return frames


@pytest.mark.parametrize(
    ("log_probs", "canonical", "blank", "message"),
    [
        (FLAT, [], 0, "canonical sequence has shape"),
        (FLAT, [[1, 2]], 0, "canonical sequence has shape"),
        (FLAT, [1, 3], 0, "label 3 at position 1 is out of range"),
        (FLAT, [-1], 0, "label -1 at position 0 is out of range"),
        (FLAT, [1, 0], 0, "label 0 at position 1 is the blank"),
        (FLAT, [1.0], 0, "float64, not integers"),
        (FLAT, [1], 3, "blank 3 is not a label"),
        (FLAT[None], [1], 0, r"shape \[1, 4, 3\]"),
        (FLAT[:0], [1], 0, r"shape \[0, 3\]"),
        (FLAT + 1, [1], 0, "not normalised: the probabilities of frame"),
        (np.exp(FLAT), [1], 0, "not normalised"),
        (_with(2, 1, np.nan), [1], 0, "frame 2, label 1 is nan"),
        (_with(2, 1, np.inf), [1], 0, "frame 2, label 1 is inf"),
        (np.full((4, 3), -np.inf), [1], 0, "not normalised"),
        (np.array([[0.0, -np.inf, -np.inf]] * 4), [2], 0, "probability 0"),
    ],
)
def test_unusable_input_is_refused_by_name(
    log_probs: FloatArray, canonical: list[int], blank: int, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        gop_features(log_probs, canonical, blank=blank)
    assert caught.value.cause
    assert caught.value.fix
