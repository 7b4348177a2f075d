import numpy as np
import pytest

from indexes.phone_index import EMBEDDINGS, PhoneIndex
from retriever.nearness import LEAST_POSTERIOR, natives_own, nearness


def _natives(index: PhoneIndex, phone: str) -> np.ndarray:
    rows = index.rows_of(phone)
    kept = np.load(index.path / EMBEDDINGS, mmap_mode="r")
    return kept[rows.start : rows.start + 3].astype(np.float32)


def test_natives_are_near_where_they_are_taken_for_what_they_said(tone_index: PhoneIndex) -> None:
    said = _natives(tone_index, "IY")
    right, wrong = (nearness(tone_index, said, [p] * 3) for p in ("IY", "S"))
    assert (right > wrong).all()
    assert wrong == pytest.approx(np.log(LEAST_POSTERIOR) - 0.5 * natives_own(tone_index), abs=2)


def test_what_the_own_natives_reach_is_allowed_for_in_shares(tone_index: PhoneIndex) -> None:
    said, own = _natives(tone_index, "AA"), natives_own(tone_index)
    assert own < 0
    plain = nearness(tone_index, said, ["AA"] * 3, own_share=0.0)
    assert (plain <= 0).all()
    whole = nearness(tone_index, said, ["AA"] * 3, own_share=1.0)
    assert whole - plain == pytest.approx([-own] * 3)


def test_an_index_tells_nothing_of_phones_that_it_does_not_hold(tone_index: PhoneIndex) -> None:
    said = _natives(tone_index, "M")[:2]
    assert np.isnan(nearness(tone_index, said, ["M", "ZH"])).tolist() == [False, True]
    assert nearness(tone_index, said[:0], []).shape == (0,)
