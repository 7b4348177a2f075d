"""Scores inside given spans, from their definitions."""

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from nativeear.scoring.gop import gop_features
from nativeear.scoring.gop_segment import logit_margins, segment_gop
from nativeear.scoring.substitutes import confusable_substitutes
from nativeear.speech.errors import InputError
from tests.scoring.test_gop import FLAT, _with, random_log_probs, reference_log_p


def test_segment_scores_from_their_definitions() -> None:
    rng = np.random.default_rng(13)
    log_probs = random_log_probs(rng, 12, 4, 2.0)
    spans = np.array([[0.0, 3.0], [3.2, 6.5], [9.0, 9.0]])
    ours = segment_gop(log_probs, [1, 3, 2], spans)
    for i, (label, frames) in enumerate([(1, slice(0, 3)), (3, slice(3, 7)), (2, slice(9, 10))]):
        inside = log_probs[frames]
        log_p = reference_log_p(inside, [[v] for v in (1, 2, 3)], 0)
        assert ours.sa[i] == pytest.approx(log_p[label - 1] - logsumexp(log_p), abs=1e-9)
        means = inside.mean(axis=0)
        assert ours.average_log_posterior[i] == pytest.approx(means[label])
        assert ours.average_log_ratio[i] == pytest.approx(means[label] - means[1:].max())


def test_a_span_over_everything_turns_gop_sa_into_gop_sf() -> None:
    log_probs = random_log_probs(np.random.default_rng(14), 20, 6, 2.0)
    ours = segment_gop(log_probs, [4], [[0, 20]])
    assert ours.sa[0] == pytest.approx(gop_features(log_probs, [4]).sf_s[0], abs=1e-9)


def test_segment_scores_of_an_impossible_phone() -> None:
    log_probs = np.array([[*np.log([0.5, 0.5]), -np.inf], [*np.log([0.5, 0.25, 0.25])]])
    ours = segment_gop(log_probs, [2, 2], [[0, 1], [0, 2]])
    assert ours.sa[0] == -np.inf
    assert np.isfinite(ours.sa[1])
    assert (ours.average_log_posterior == -np.inf).all()


def test_margins_from_their_definitions() -> None:
    rng = np.random.default_rng(15)
    logits = rng.normal(size=(10, 4))
    prior = np.log([0.7, 0.1, 0.15, 0.05])
    spans = np.array([[0, 4], [4, 9.5]])
    ours = logit_margins(logits, [1, 2], spans, log_prior=prior)
    margin = logits[0:4, 1] - logits[0:4, 2:].max(axis=1)
    assert ours.mean[0] == pytest.approx(margin.mean())
    assert ours.max[0] == pytest.approx(margin.max())
    corrected = logits[4:10] - prior
    expected = (corrected[:, 2] - corrected[:, [1, 3]].max(axis=1)).mean()
    assert ours.prior_corrected is not None
    assert ours.prior_corrected[1] == pytest.approx(expected)
    # One number per frame cancels, so log posteriors will do.
    same = logit_margins(log_softmax(logits, axis=1), [1, 2], spans)
    np.testing.assert_allclose(same.mean, ours.mean)
    assert same.prior_corrected is None
    table = confusable_substitutes({"a": ["c"], "b": ["c"]}, ["-", "a", "b", "c"])
    limited = logit_margins(logits, [1, 2], spans, substitutes=table)
    assert limited.mean[0] == pytest.approx((logits[0:4, 1] - logits[0:4, 3]).mean())


def test_expected_spans_are_usable_spans() -> None:
    log_probs = random_log_probs(np.random.default_rng(16), 50, 8, 4.0)
    canonical = [1, 2, 2, 7, 5]
    spans = gop_features(log_probs, canonical).expected_span
    assert np.isfinite(segment_gop(log_probs, canonical, spans).sa).all()
    assert np.isfinite(logit_margins(log_probs, canonical, spans).mean).all()


@pytest.mark.parametrize("spans", [[[0, 5]], [[2, 1]], [[-1, 2]], [[np.nan, 2]]])
def test_spans_outside_the_recording_are_refused(spans: list[list[float]]) -> None:
    with pytest.raises(InputError, match="span 0 is"):
        segment_gop(FLAT, [1], spans)


def test_spans_and_margins_of_the_wrong_form_are_refused() -> None:
    with pytest.raises(InputError, match=r"spans have shape \[1, 2\]"):
        segment_gop(FLAT, [1, 2], [[0, 1]])
    with pytest.raises(InputError, match="no competitor"):
        logit_margins(FLAT, [1], [[0, 1]], substitutes=np.eye(3, dtype=bool))
    with pytest.raises(InputError, match="log_prior has shape"):
        logit_margins(FLAT, [1], [[0, 1]], log_prior=[0.0, 0.0])
    with pytest.raises(InputError, match="frame 1, label 2 is -inf"):
        logit_margins(_with(1, 2, -np.inf), [1], [[0, 1]])


def test_a_span_at_the_very_end_is_the_last_frame() -> None:
    logits = np.random.default_rng(17).normal(size=(6, 4))
    (last,) = logit_margins(logits, [1], [[6.0, 6.0]]).mean
    assert last == pytest.approx(logits[5, 1] - logits[5, 2:].max())


def test_a_prior_is_finite_throughout() -> None:
    with pytest.raises(InputError, match="not finite"):
        logit_margins(FLAT, [1], [[0, 1]], log_prior=[0.0, -np.inf, 0.0])
