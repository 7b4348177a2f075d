from __future__ import annotations

import numpy as np
import pytest

from nativeear.scoring.gop import gop_features, mean_margins
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.speech.decoding import decode_phones
from nativeear.speech.errors import PhoneError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import label_map

ENGLISH = PhoneInventory.load("en-US")
ARPABET = ("<blank>", *ENGLISH.symbols)


def spoken(*phones: str, labels: tuple[str, ...] = ARPABET, spare: float = 0.2) -> Frames:
    """A blank, a frame of each phone, blanks in between; `spare` is spread over all labels."""
    said = ["", *(part for phone in phones for part in (phone, ""))]
    values = np.full((len(said), len(labels)), spare / len(labels))
    for row, phone in zip(values, said, strict=True):
        row[labels.index(phone) if phone else 0] += 1.0 - spare
    log_probs = np.log(values).astype(np.float32)
    return Frames(np.zeros((len(said), 3), np.float32), 0.02, 0.01, log_probs, labels)


def test_what_was_said_scores_above_what_was_not() -> None:
    good = measure_gop(spoken("K", "AE", "T"), ENGLISH, ["K", "AE", "T"])
    bad = measure_gop(spoken("K", "EH", "T"), ENGLISH, ["K", "AE", "T"])
    for field in ("sf", "sf_sd", "margin"):
        values = getattr(bad, field)
        assert values.shape == (3,)
        assert values[1] < min(values[0], values[2])
        assert values[1] < getattr(good, field)[1]
    missing = measure_gop(spoken("K", "T"), ENGLISH, ["K", "AE", "T"])
    assert missing.sf_sd[1] < missing.sf[1]


def test_evidence_is_what_the_features_say() -> None:
    frames = spoken("K", "AE", "T")
    measured = measure_gop(frames, ENGLISH, ["K", "AE", "T"])
    ids = [ARPABET.index(phone) for phone in ("K", "AE", "T")]
    assert frames.log_probs is not None
    features = gop_features(frames.log_probs, ids)
    assert measured.features is not None and measured.reason == ""
    np.testing.assert_allclose(measured.sf, features.sf_s, atol=1e-6)
    np.testing.assert_allclose(measured.features.sf_sd, features.sf_sd, atol=1e-6)
    np.testing.assert_allclose(measured.mean_log_posterior, features.mean_log_posterior, atol=1e-6)
    assert measured.columns == ARPABET
    assert measured.units.tolist() == [0, 1, 2, 3]
    # frames 1, 3 and 5 of 20 ms, each reaching 10 ms to either side of its centre
    np.testing.assert_allclose(measured.spans_s.mean(axis=1), [0.03, 0.07, 0.11], atol=0.005)


def test_no_head_letters_and_too_few_frames_give_a_reason() -> None:
    headless = Frames(np.zeros((9, 3), np.float32), 0.02, 0.01)
    measured = measure_gop(headless, ENGLISH, ["K", "AE"])
    assert np.isnan([measured.sf, measured.sf_sd, measured.margin]).all()
    assert measured.reason == "The encoder has no phone CTC head."
    assert measured.features is None and np.isnan(measured.spans_s).all()
    letters = ("<pad>", *"abcdefghijklmnopqrstuvwxyz")
    assert "not phones" in measure_gop(spoken("a", labels=letters), ENGLISH, ["K"]).reason
    short = measure_gop(spoken("K"), ENGLISH, ["K", "K", "K"])
    assert short.reason.startswith("The recording has 3 frames, too few for 3 phones")
    assert np.isnan(short.sf).tolist() == [True] * 3
    assert measure_gop(spoken("K"), ENGLISH, []).sf.shape == (0,)
    with pytest.raises(PhoneError):
        measure_gop(spoken("K"), ENGLISH, ["Q7"])


def test_a_phone_that_the_head_lacks_is_not_measured_and_said() -> None:
    labels = ("<blank>", *(s for s in ENGLISH.symbols if s != "ZH"))
    measured = measure_gop(spoken("K", "SH", "T", labels=labels), ENGLISH, ["K", "ZH", "T"])
    for values in (measured.sf, measured.sf_sd, measured.margin, measured.mean_log_posterior):
        assert np.isnan(values).tolist() == [False, True, False]
    assert measured.reason == "The encoder's CTC head does not tell ZH: no GOP for these phones."


def test_a_spelt_phone_is_as_good_as_its_worst_letter() -> None:
    letters = tuple("abdefhijklmnoprstuvwzæðŋɑɔəɛɜɡɪɹʃʊʌʒθ")
    labels = ("<blk>", *letters)
    good = measure_gop(spoken("t", "ʃ", "ɪ", "n", labels=labels), ENGLISH, ["CH", "IH", "N"])
    bad = measure_gop(spoken("t", "s", "ɪ", "n", labels=labels), ENGLISH, ["CH", "IH", "N"])
    assert good.units.tolist() == [0, 2, 3, 4]
    assert good.features is not None and len(good.features.sf_s) == 4
    assert good.sf[0] == pytest.approx(float(good.features.sf_s[:2].min()))
    assert bad.sf[0] < good.sf[0] - 2


def test_letters_get_no_gop_and_a_reason() -> None:
    letters = PhoneInventory.from_letters("und", "atk")
    measured = measure_gop(spoken("K", "AE", "T"), letters, ["k", "a", "t"])
    assert np.isnan(measured.sf).tolist() == [True] * 3
    assert "has letters" in measured.reason
    assert decode_phones(spoken("K", "AE", "T"), letters) is None


def uneven(*phones: str, labels: tuple[str, ...] = ARPABET) -> Frames:
    """As `spoken`, with another spread in every frame."""
    frames = spoken(*phones, labels=labels)
    rng = np.random.default_rng(len(phones))
    values = np.exp(frames.log_probs) * rng.uniform(0.2, 1.0, size=(len(frames), len(labels)))
    log_probs = np.log(values / values.sum(axis=1, keepdims=True)).astype(np.float32)
    return Frames(frames.embeddings, 0.02, 0.01, log_probs, labels)


def test_a_phone_is_where_its_units_are() -> None:
    labels = ("<blk>", *"abdefhijklmnoprstuvwzæðŋɑɔəɛɜɡɪɹʃʊʌʒθ")
    frames = uneven("t", "ʃ", "ɪ", "n", labels=labels)
    measured = measure_gop(frames, ENGLISH, ["CH", "IH", "N"])
    features = measured.features
    assert features is not None and measured.occupancy is not None
    together = features.occupancy[:, :2].sum(axis=1)
    np.testing.assert_allclose(measured.occupancy[:, 0], together)
    np.testing.assert_allclose(measured.occupancy[:, 1:], features.occupancy[:, 2:])
    expected = np.array(
        [
            (features.expected_span[first, 0], features.expected_span[last, 1])
            for first, last in ((0, 1), (2, 2), (3, 3))
        ]
    )
    np.testing.assert_allclose(measured.spans_s, 0.01 + (expected - 0.5) * 0.02, atol=1e-9)
    assert frames.log_probs is not None
    margins = mean_margins(
        label_map(labels, ENGLISH).pool(frames.log_probs),
        features.canonical,
        features.expected_span,
    )
    for i, own in enumerate(([0, 1], [2], [3])):
        assert measured.margin[i] == pytest.approx(min(margins[own]))
        assert measured.sf[i] == pytest.approx(min(features.sf_s[own]))
        assert measured.sf_sd[i] == pytest.approx(min(features.sf_sd[own]))


def test_where_nothing_was_measured_every_phone_has_its_place() -> None:
    headless = Frames(np.zeros((9, 3), np.float32), 0.02, 0.01)
    measured = measure_gop(headless, ENGLISH, ["K", "AE"])
    assert measured.units.tolist() == [0, 1, 2]
    assert measured.spans_s.shape == (2, 2)
    assert np.isnan(measured.mean_log_posterior).tolist() == [True, True]
    assert (measured.columns, measured.occupancy) == ((), None)


def test_no_phone_is_heard_before_the_recording() -> None:
    labels = ARPABET
    frames = spoken("K", labels=labels)
    first = Frames(frames.embeddings[1:], 0.02, 0.0, frames.log_probs[1:], labels)  # type: ignore[index]
    measured = measure_gop(first, ENGLISH, ["K"])
    assert measured.spans_s[0, 0] == 0.0
    assert measured.spans_s[0, 1] > 0.0


def test_as_many_frames_as_are_needed_are_enough() -> None:
    """Equal neighbours need a blank between them."""
    short = spoken("K")
    assert measure_gop(short, ENGLISH, ["K", "K"]).reason == ""
    assert measure_gop(short, ENGLISH, ["K", "AE", "T"]).reason == ""
    assert "which need 5" in measure_gop(short, ENGLISH, ["K", "K", "K"]).reason
