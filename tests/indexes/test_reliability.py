import numpy as np
import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.reliability import (
    MIN_COVERAGE,
    MIN_RELIABILITY,
    PhoneReliability,
    phone_reliability,
    wilson_lower_bound,
)
from nativeear.retriever.evidence import PhoneEvidence
from nativeear.scoring.fusion.natives import NativeReference


def test_the_bound_is_wilsons() -> None:
    z = 1.2816
    for successes, trials in ((0, 7), (3, 10), (99, 100), (10, 10)):
        low = wilson_lower_bound(successes, trials)
        # The bound is the share from which what was seen lies z standard errors away.
        assert abs(successes / trials - low) == pytest.approx(
            z * np.sqrt(low * (1 - low) / trials), abs=1e-9
        )
    assert wilson_lower_bound(0, 0) == 0


def test_reliability_takes_exemplars_and_right_answers() -> None:
    assert PhoneReliability(500, 500, 450).judged()
    assert not PhoneReliability(500, 500, 250).judged()
    assert not PhoneReliability(MIN_COVERAGE - 1, MIN_COVERAGE - 1, MIN_COVERAGE - 1).judged()
    assert PhoneReliability(MIN_COVERAGE, MIN_COVERAGE, MIN_COVERAGE).judged()
    many = PhoneReliability(50, 50, 50)
    assert not many.judged(MIN_COVERAGE - 1)
    assert (
        many.lower_bound(MIN_COVERAGE)
        == many.lower_bound()
        > PhoneReliability(50, 50, 40).lower_bound()
    )


def test_an_assessment_is_uncertain_where_the_index_is_not_trusted(tone_index: PhoneIndex) -> None:
    natives = NativeReference(tone_index)
    reliability = phone_reliability(tone_index)
    asked = [
        PhoneEvidence(phone, np.zeros(0, np.float32), 0.1, 1.0, coverage, (), (), (), ())
        for phone in ("IY", "M", "AE")
        for coverage in (MIN_COVERAGE - 1, 50)
    ]
    known = ~np.isnan(natives.margin_quantiles(asked))
    assert known.tolist() == [False, True, False, True, False, False]
    assert reliability["IY"].lower_bound() >= MIN_RELIABILITY

    margins = tone_index.native_margins.copy()
    margins[tone_index.rows_of("M")] *= -1  # as if its natives sounded like something else
    deaf = PhoneIndex(tone_index.path, tone_index.manifest, tone_index.transform, tone_index.table)
    deaf.__dict__["native_margins"] = margins
    assert phone_reliability(deaf)["M"].lower_bound() < MIN_RELIABILITY
    known = ~np.isnan(NativeReference(deaf).margin_quantiles(asked))
    assert known.tolist() == [False, True, False, False, False, False]
