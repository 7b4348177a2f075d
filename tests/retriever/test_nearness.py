import numpy as np
import pytest

from nativeear.indexes.index_files import EMBEDDINGS
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import class_similarities
from nativeear.retriever.nearness import LEAST_POSTERIOR, natives_own, nearness
from nativeear.speech.alignment import SILENCE


def _natives(index: PhoneIndex, phone: str) -> np.ndarray:
    rows = index.rows_of(phone)
    kept = np.load(index.path / EMBEDDINGS, mmap_mode="r")
    return kept[rows.start : rows.start + 3].astype(np.float32)


def test_natives_are_near_where_they_are_taken_for_what_they_said(tone_index: PhoneIndex) -> None:
    said = _natives(tone_index, "IY")
    right, wrong = (nearness(tone_index, said, [p] * 3) for p in ("IY", "S"))
    assert (right > wrong).all()
    assert wrong == pytest.approx(np.log(LEAST_POSTERIOR) - 0.5 * natives_own(tone_index), abs=2)


def test_what_the_own_natives_reach_is_allowed_for_in_shares(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, own = _natives(tone_index, "AA"), natives_own(tone_index)
    assert own < 0
    monkeypatch.setattr("nativeear.retriever.nearness.OWN_SHARE", 0.0)
    plain = nearness(tone_index, said, ["AA"] * 3)
    assert (plain <= 0).all()
    monkeypatch.setattr("nativeear.retriever.nearness.OWN_SHARE", 1.0)
    whole = nearness(tone_index, said, ["AA"] * 3)
    assert whole - plain == pytest.approx([-own] * 3)


def test_nearness_is_the_log_posterior_of_what_was_meant(tone_index: PhoneIndex) -> None:
    """Cut off at a thousandth, less half of what the natives reach; the definition, by hand."""
    opened = PhoneIndex.open(tone_index.path)
    tau = opened.manifest.decision.temperature
    # Tones are never mistaken; these natives are now and then.
    opened.__dict__["native_margins"] = np.resize([tau, -tau], len(opened.vectors))
    said = np.concatenate([_natives(tone_index, phone) for phone in ("AA", "IY", "S")])
    meant = ["AA", "AA", "S", "IY", "IY", "M", "S", "AA", "S"]
    vectors = tone_index.transform(said)
    similar = class_similarities(
        vectors, tone_index.vectors, tone_index.bounds, top_m=tone_index.manifest.decision.top_m
    ).astype(np.float64)
    weights = np.exp(similar / tone_index.manifest.decision.temperature)
    own = [tone_index.classes.index(phone) for phone in meant]
    posterior = weights[np.arange(9), own] / weights.sum(axis=1)
    assert (posterior < 1e-3).any() and (posterior > 0.5).any()
    assert natives_own(opened) < -0.5
    expected = np.log(np.maximum(posterior, 1e-3)) - 0.5 * natives_own(opened)
    assert nearness(opened, said, meant) == pytest.approx(expected, abs=1e-4)


def test_natives_reach_the_posterior_between_two_classes(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = PhoneIndex.open(tone_index.path)
    known = np.full(len(opened.vectors), np.nan, dtype=np.float32)
    tau = opened.manifest.decision.temperature
    known[:3] = [0.5 * tau, -2 * tau, -50 * tau]  # the last is a misaligned one
    silence = opened.rows_of(SILENCE)
    known[silence] = 3 * tau  # no phone, and asked of nobody
    opened.__dict__["native_margins"] = known
    reached = [np.log(1 / (1 + np.exp(-m))) for m in (0.5, -2.0)]
    assert natives_own(opened) == pytest.approx(np.mean([*reached, np.log(1e-3)]), abs=1e-5)
    monkeypatch.setattr(
        opened, "classes", tuple("X" if c == SILENCE else c for c in opened.classes)
    )
    everyone = [
        *reached,
        np.log(1e-3),
        *[np.log(1 / (1 + np.exp(-3)))] * (silence.stop - silence.start),
    ]
    assert natives_own(opened) == pytest.approx(np.mean(everyone), abs=1e-5)
    opened.__dict__["native_margins"] = np.full_like(known, np.nan)
    assert natives_own(opened) == 0.0


def test_an_index_tells_nothing_of_phones_that_it_does_not_hold(tone_index: PhoneIndex) -> None:
    said = _natives(tone_index, "M")[:2]
    assert np.isnan(nearness(tone_index, said, ["M", "ZH"])).tolist() == [False, True]
    assert nearness(tone_index, said[:0], []).shape == (0,)
