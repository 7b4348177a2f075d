import json
import math
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.native_margins import COMPANY, NativeMargins, evidence_sums
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.unheard import (
    NATIVES_FILE,
    UnheardNatives,
    spread_of,
    unheard_reference,
)

KNOWN = NativeMargins.fit(np.random.default_rng(0).normal(size=4_000), tail=0.01)


def odds(share: float) -> float:
    return share / (1 - share)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.04, 0.3, 0.9])
def test_a_sum_lies_where_its_share_says(share: float) -> None:
    for shift in (0.0, 0.7):
        natives = UnheardNatives(KNOWN, shift, 0.5, 4_000)
        at = natives.at(share)
        assert natives.log_share(np.array([at]))[0] == pytest.approx(math.log(share), abs=0.02)
        own = math.exp(KNOWN.log_quantile(np.array([at]))[0])
        assert odds(own) * math.exp(shift) == pytest.approx(odds(share), rel=0.03)


def test_new_voices_lie_on_either_side_of_what_is_asked() -> None:
    low, high = UnheardNatives(KNOWN, 0.7, 0.5, 4_000).expected(0.04)
    assert odds(high) / odds(0.04) == pytest.approx(odds(0.04) / odds(low))
    assert 0.01 < low < 0.04 < high < 0.1
    sure = UnheardNatives(KNOWN, 0.7, 0.0, 10**9).expected(0.04)
    assert sure == pytest.approx((0.04, 0.04), abs=1e-4)


def test_of_few_phones_it_is_not_known_where_a_share_lies() -> None:
    """Thresholds of so few are as far off as is told, of voices that do not differ."""
    rng = np.random.default_rng(5)
    low, high = UnheardNatives(KNOWN, 0.0, 0.0, 300).expected(0.04)
    shares = []
    for _ in range(400):
        known = NativeMargins.of_all(rng.normal(size=300))
        at = UnheardNatives(known, 0.0, 0.0, 300).at(0.04)
        shares.append((1 + math.erf(at / math.sqrt(2))) / 2)
    assert 0.02 < low < high < 0.08
    assert 0.7 < np.mean((np.array(shares) > low) & (np.array(shares) < high)) < 0.9
    assert UnheardNatives(KNOWN, 0.0, 0.0, 0).expected(0.04)[1] > 0.9


def test_company_is_half_of_the_mean_of_what_is_known_of_the_recording() -> None:
    margins = np.array([1.0, 0.0, np.nan, -1.0])
    heads = np.array([-1.0, np.nan, -1.0, -20.0])
    both, alone = evidence_sums(margins, heads, np.array([0, 0, 0, 1]))
    assert both == pytest.approx([3 + COMPANY * 3, np.nan, np.nan, -16 * 1.5], nan_ok=True)
    assert alone == pytest.approx([4, 0, np.nan, -4], nan_ok=True)


def test_retrieval_alone_hears_company_by_many_voices() -> None:
    margins, heads = np.array([1.0, 0.0, np.nan, -1.0]), np.full(4, np.nan)
    _, alone = evidence_sums(margins, heads, np.array([0, 0, 0, 1]), many_voices=True)
    assert alone == pytest.approx([5, 1, np.nan, -6], nan_ok=True)


def test_the_spread_is_that_of_speakers_with_enough_phones() -> None:
    rng = np.random.default_rng(1)
    speakers = np.repeat(np.arange(40), 500)
    sums = rng.normal(size=len(speakers)) + np.repeat(rng.normal(0, 0.3, 40), 500)
    found = spread_of(sums, speakers, float(np.quantile(sums, 0.04)))
    alike = rng.normal(size=len(speakers))
    assert found > 2 * spread_of(alike, speakers, float(np.quantile(alike, 0.04)))
    few = np.arange(len(sums)) % 500 < 10
    assert spread_of(sums[few], speakers[few], -2.0) == pytest.approx(unheard_spread_of_voices())


def unheard_spread_of_voices() -> float:
    voices = json.loads(NATIVES_FILE.with_name("voices.json").read_text(encoding="utf-8"))
    return float(voices["spread"])


def test_what_is_kept_belongs_to_the_shipped_index_and_to_no_other(tone_index: PhoneIndex) -> None:
    english = PhoneIndex.open(find_index("en-US"))
    kept = json.loads(NATIVES_FILE.read_text(encoding="utf-8"))
    assert kept["encoder"] == english.manifest.encoder.fingerprint, "run training.natives again"
    assert kept["transform"] == english.manifest.transform.fingerprint, "run training.natives again"
    reference = unheard_reference(english)
    assert reference.with_head.shift == 0
    assert reference.probability(np.array([-20.0, 2.0])) == pytest.approx([1, 0], abs=0.1)
    assert unheard_reference(tone_index).probability(np.array([0.0])) is None


def test_a_pool_of_many_speakers_needs_no_shift(tone_index: PhoneIndex) -> None:
    opened = PhoneIndex.open(tone_index.path)
    assert unheard_reference(opened).alone.shift > 0
    rows = np.arange(len(opened.vectors))
    opened.__dict__["speakers"] = (rows % 5, tuple(("x", str(s)) for s in range(5)))
    assert unheard_reference(opened).alone.shift == 0


def test_the_shipped_threshold_is_that_of_the_evidence_that_is_kept() -> None:
    from nativeear.scoring.fusion.phone_model import BEST
    from training.natives import sums_of
    from training.tables import Evidence

    folder = Path(__file__).parents[2] / "training" / "data"
    evidence = Evidence.read(folder)
    sums = sums_of(evidence)
    flawless = sums[~evidence.claimed & (evidence.expert == BEST)]
    natives = unheard_reference(PhoneIndex.open(find_index("en-US"))).with_head
    for share in (0.01, 0.04, 0.2):
        assert np.mean(flawless < natives.at(share)) == pytest.approx(share, abs=0.1 * share)
