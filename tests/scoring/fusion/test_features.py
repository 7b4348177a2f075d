"""Every column of the feature table by its definition, phone by phone."""

import math

import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.frame_evidence import FrameEvidence
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.evidence import PhoneEvidence
from nativeear.scoring.fusion.features import (
    CONTEXT,
    CONTEXT_COLUMNS,
    CONTEXT_STATISTICS,
    LOWEST,
    RATIO,
    RISING,
    FeatureTable,
    phone_features,
)
from nativeear.scoring.fusion.natives import NativeReference
from nativeear.scoring.gop_evidence import GopMeasurement, measure_gop
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory

ENGLISH = PhoneInventory.load("en-US")
LETTERS = ("<blk>", *"abdefhijklmnoprstuvwzæðŋɑɔəɛɜɡɪɹʃʊʌʒθ")
MEANT = ("M", "IY", "S", "AA", "CH", "IY", "ZH", "M")
WORDS = (0, 0, 0, 1, 2, 2, 2, 2)
N = len(MEANT)


def heard(*said: str) -> Frames:
    """A blank, two frames of each letter, a blank: surer of some letters than of others."""
    rng = np.random.default_rng(2)
    along = ["<blk>", *(part for letter in said for part in (letter, letter, "<blk>"))]
    values = rng.uniform(0.2, 1.0, size=(len(along), len(LETTERS)))
    for t, letter in enumerate(along):
        values[t, LETTERS.index(letter)] += 30 * rng.uniform(0.3, 1)
    log_probs = np.log(values / values.sum(axis=1, keepdims=True)).astype(np.float32)
    return Frames(np.zeros((len(along), 3), np.float32), 0.02, 0.01, log_probs, LETTERS)


@pytest.fixture(scope="module")
def gop() -> GopMeasurement:
    """Of a recording in which CH was said as `t s`, two labels, and the second IY as ɪ."""
    return measure_gop(heard(*"misɑtsɪʒm"), ENGLISH, MEANT)


@pytest.fixture(scope="module")
def phones() -> tuple[AlignedPhone, ...]:
    edges = np.cumsum([0.03, 0.05, 0.07, 0.06, 0.05, 0.14, 0.06, 0.0005, 0.05])
    return tuple(
        AlignedPhone(phone, float(start), float(end), word)
        for phone, word, start, end in zip(MEANT, WORDS, edges[:-1], edges[1:], strict=True)
    )


@pytest.fixture(scope="module")
def evidence(tone_index: PhoneIndex) -> tuple[PhoneEvidence, ...]:
    rng = np.random.default_rng(5)
    found = []
    for i, phone in enumerate(MEANT):
        posterior = rng.dirichlet(np.ones(len(tone_index.classes))).astype(np.float32)
        if i == 1:
            posterior[tone_index.classes.index(phone)] = 0.0
        known = phone in tone_index.classes
        models = tuple(rng.uniform(0.3, 1.0, size=2).tolist()) if known else ()
        margin = float(rng.normal(scale=0.5)) if known else math.nan
        coverage = 40 if known else 0
        share = float(rng.random())
        found.append(
            PhoneEvidence(phone, posterior, margin, share, coverage, (), (), (1, 2), models)
        )
    return tuple(found)


@pytest.fixture(scope="module")
def frame_evidence() -> FrameEvidence:
    rng = np.random.default_rng(6)
    log_posterior, margin = rng.uniform(-30, 0, size=N), rng.normal(size=N)
    log_posterior[3] = margin[6] = np.nan
    return FrameEvidence(log_posterior, margin)


@pytest.fixture(scope="module")
def table(
    tone_index: PhoneIndex,
    phones: tuple[AlignedPhone, ...],
    evidence: tuple[PhoneEvidence, ...],
    frame_evidence: FrameEvidence,
    gop: GopMeasurement,
) -> FeatureTable:
    return phone_features(
        phones=phones,
        evidence=evidence,
        frame_evidence=frame_evidence,
        gop=gop,
        natives=NativeReference(tone_index),
        inventory=ENGLISH,
    )


def test_the_head_speaks_for_all_units_of_a_phone(table: FeatureTable, gop: GopMeasurement) -> None:
    features = gop.features
    assert features is not None
    assert (np.diff(gop.units) == 2).sum() == 1, "CH is spelt"
    for i, phone in enumerate(MEANT):
        own = range(int(gop.units[i]), int(gop.units[i + 1]))
        assert table.column("sf_s")[i] == pytest.approx(max(gop.sf[i], LOWEST))
        assert table.column("sf_sd")[i] == pytest.approx(max(gop.sf_sd[i], LOWEST))
        assert table.column("gop_margin")[i] == pytest.approx(gop.margin[i])
        assert table.column("log_posterior")[i] == pytest.approx(gop.mean_log_posterior[i])
        deletion = min(float(features.deletion[u]) for u in own)
        assert table.column("deletion")[i] == pytest.approx(np.clip(deletion, LOWEST, -LOWEST))
        held = sum(float(features.occupancy[:, u].sum()) for u in own)
        assert table.column("occupied_frames")[i] == pytest.approx(held)
        rivals = {
            (u, v): float(features.substitution[u, v])
            for u in own
            for v in range(1, len(gop.columns))
            if v != features.canonical[u]
        }
        unit, column = min(rivals, key=lambda pair: rivals[pair])
        least = np.clip(rivals[unit, column], LOWEST, -LOWEST)
        assert table.column("rival")[i] == pytest.approx(least)
        name = gop.columns[column]
        distance = ENGLISH.distance(phone, name) if name in ENGLISH else math.nan
        assert table.column("rival_distance")[i] == pytest.approx(distance, nan_ok=True)
    assert table.column("rival")[5] < 0 < table.column("rival")[1], "ɪ was said for the second IY"
    assert gop.columns[int(np.nanargmin(features.substitution[gop.units[5]]))] == "IH"


def test_the_index_speaks_for_the_phone_and_its_frames(
    table: FeatureTable,
    tone_index: PhoneIndex,
    evidence: tuple[PhoneEvidence, ...],
    frame_evidence: FrameEvidence,
) -> None:
    natives = NativeReference(tone_index)
    for i, item in enumerate(evidence):
        place = tone_index.classes.index(item.phone) if item.phone in tone_index.classes else None
        posterior = math.nan if place is None else math.log(max(float(item.posterior[place]), 1e-9))
        expected = {
            "margin": item.margin,
            "canonical_share": item.canonical_share,
            "coverage": math.log1p(item.coverage),
            "own_similarity": sum(item.model_similarities) / 2 if place is not None else math.nan,
            "posterior": max(posterior, LOWEST),
            "frame_log_posterior": max(float(frame_evidence.log_posterior[i]), LOWEST)
            if i != 3
            else math.nan,
            "frame_margin": float(frame_evidence.margin[i]),
            "margin_quantile": natives.margin_quantiles([item])[0],
        }
        for name, value in expected.items():
            assert table.column(name)[i] == pytest.approx(value, nan_ok=True), name
    assert table.column("posterior")[1] == LOWEST


def test_time_is_told_by_the_natives_and_by_the_recording(
    table: FeatureTable,
    tone_index: PhoneIndex,
    phones: tuple[AlignedPhone, ...],
    gop: GopMeasurement,
) -> None:
    relative = []
    for phone in phones:
        rows = tone_index.rows_of(phone.phone)
        median = np.median(tone_index.durations_s[rows]) if rows.stop else math.nan
        relative.append(math.log(max(phone.duration_s, 0.001) / median))
    np.testing.assert_allclose(table.column("duration"), relative)
    np.testing.assert_allclose(table.column("duration_here"), relative - np.nanmedian(relative))
    for i, phone in enumerate(phones):
        middle, heard_at = (phone.start_s + phone.end_s) / 2, gop.spans_s[i].mean()
        assert table.column("gap_s")[i] == pytest.approx(abs(heard_at - middle))
    assert (table.column("gap_s") > 0.001).any()


def test_a_phone_knows_its_place(table: FeatureTable) -> None:
    assert table.column("in_word").tolist() == [0, 1, 2, 0, 0, 1, 2, 3]
    assert table.column("to_word_end").tolist() == [2, 1, 0, 0, 3, 2, 1, 0]
    assert table.column("vowel").tolist() == [0, 1, 0, 1, 0, 1, 0, 0]
    assert table.column("phones").tolist() == [N] * N


@pytest.mark.parametrize("name", CONTEXT)
def test_a_phone_is_judged_in_its_company(table: FeatureTable, name: str) -> None:
    own = table.column(name)
    assert table.column(f"{name}_before").tolist() == pytest.approx(
        [math.nan, *own[:-1]], nan_ok=True
    )
    assert table.column(f"{name}_after").tolist() == pytest.approx(
        [*own[1:], math.nan], nan_ok=True
    )
    for i, word in enumerate(WORDS):
        known = [
            v for v, other in zip(own, WORDS, strict=True) if other == word and not math.isnan(v)
        ]
        for where, value in (
            ("word", np.mean(known) if known else math.nan),
            ("word_least", min(known, default=math.nan)),
            ("recording", np.nanmean(own)),
            ("recording_low", np.nanquantile(own, 0.2)),
        ):
            found = table.column(f"{name}_{where}")[i]
            assert found == pytest.approx(value, nan_ok=True), where


def test_what_cannot_be_more_impossible_is_cut_off(table: FeatureTable) -> None:
    for name in RISING:
        column = table.column(name)
        assert (np.nan_to_num(column) >= -20).all() and (np.nan_to_num(column) <= 20).all()
    assert (
        table.column("frame_log_posterior").min() < -19
        or (table.column("frame_log_posterior") == -20).any()
    )


def test_columns_are_named_once_and_in_the_order_of_what_is_asked(table: FeatureTable) -> None:
    assert len(set(table.names)) == len(table.names) == table.values.shape[1]
    assert set(CONTEXT_COLUMNS) < set(table.names)
    assert len(CONTEXT_COLUMNS) == len(CONTEXT) * len(CONTEXT_STATISTICS)


def test_what_may_have_been_said_instead_has_a_column_by_phone(
    table: FeatureTable, gop: GopMeasurement
) -> None:
    features = gop.features
    assert features is not None
    heard = [name for name in gop.columns if name in ENGLISH]
    assert [n for n in table.names if n.startswith(RATIO)] == [RATIO + name for name in heard]
    for i in range(N):
        units = range(int(gop.units[i]), int(gop.units[i + 1]))
        for name in heard:
            column = gop.columns.index(name)
            own = any(features.canonical[u] == column for u in units)
            worst = math.nan if own else min(features.substitution[u, column] for u in units)
            expected = np.clip(worst, LOWEST, -LOWEST)
            assert table.column(RATIO + name)[i] == pytest.approx(expected, nan_ok=True)


def test_a_column_that_is_not_there_is_unknown(table: FeatureTable) -> None:
    found = table.columns(("margin", "ratio of nothing", "sf_s"))
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(
        found[:, [0, 2]].T, [table.column("margin"), table.column("sf_s")]
    )


def test_without_a_head_its_columns_are_unknown_and_the_others_are_not(
    tone_index: PhoneIndex,
    phones: tuple[AlignedPhone, ...],
    evidence: tuple[PhoneEvidence, ...],
    frame_evidence: FrameEvidence,
    table: FeatureTable,
) -> None:
    headless = Frames(np.zeros((9, 3), np.float32), 0.02, 0.01)
    found = phone_features(
        phones=phones,
        evidence=evidence,
        frame_evidence=frame_evidence,
        gop=measure_gop(headless, ENGLISH, MEANT),
        natives=NativeReference(tone_index),
        inventory=ENGLISH,
    )
    assert found.names == tuple(name for name in table.names if not name.startswith(RATIO))
    unknown = {
        "log_posterior", "log_posterior_quantile", "sf_s", "sf_sd", "gop_margin", "deletion",
        "rival", "rival_distance", "occupied_frames", "gap_s",
        *(f"log_posterior_{where}" for where in CONTEXT_STATISTICS),
    }  # fmt: skip
    for name in found.names:
        if name in unknown:
            assert np.isnan(found.column(name)).all(), name
        else:
            np.testing.assert_array_equal(found.column(name), table.column(name))


def test_no_phones_no_columns(
    tone_index: PhoneIndex, frame_evidence: FrameEvidence, gop: GopMeasurement
) -> None:
    found = phone_features(
        phones=(),
        evidence=(),
        frame_evidence=frame_evidence,
        gop=gop,
        natives=NativeReference(tone_index),
        inventory=ENGLISH,
    )
    assert (found.names, found.values.shape) == ((), (0, 0))


# ---------------------------------------------------------------- the natives


def test_quantiles_are_of_natives_of_the_same_phone(
    tone_index: PhoneIndex, evidence: tuple[PhoneEvidence, ...]
) -> None:
    natives = NativeReference(tone_index)
    found = natives.margin_quantiles(evidence)
    for item, quantile in zip(evidence, found, strict=True):
        if item.phone not in tone_index.classes:
            assert np.isnan(quantile)
            continue
        known = tone_index.native_margins[tone_index.rows_of(item.phone)]
        known = known[~np.isnan(known)]
        share = np.mean(known <= item.margin)
        if share > 0.15:
            assert math.exp(quantile) == pytest.approx(share, abs=1.5 / len(known))
        else:
            assert quantile < math.log(0.16)


def test_what_is_not_trusted_has_no_place_among_natives(tone_index: PhoneIndex) -> None:
    def asked(coverage: int) -> PhoneEvidence:
        return PhoneEvidence("S", np.ones(5, np.float32), 0.1, 1.0, coverage, (), (), (), ())

    natives = NativeReference(tone_index)
    assert np.isnan(natives.margin_quantiles([asked(9), asked(10)])).tolist() == [True, False]


def test_log_posteriors_need_ten_natives(tone_index: PhoneIndex) -> None:
    opened = PhoneIndex.open(tone_index.path)
    known = np.full(len(opened.vectors), np.nan, np.float32)
    for phone, count in (("S", 12), ("AA", 10), ("M", 9)):
        first = opened.rows_of(phone).start
        known[first : first + count] = np.linspace(-3, -1, count)
    opened.__dict__["native_log_posteriors"] = known
    found = NativeReference(opened).log_posterior_quantiles(
        ["S", "M", "S", "ZH", "AA"], np.array([-2.0, -2.0, -1.0, -2.0, -2.0])
    )
    assert np.isnan(found).tolist() == [False, True, False, True, False]
    assert found[0] == pytest.approx(math.log(0.5), abs=0.1)
    assert found[2] == pytest.approx(math.log(11.5 / 12), abs=0.01)


def test_natives_that_are_left_out_are_no_reference(tone_index: PhoneIndex) -> None:
    natives = NativeReference(tone_index)
    rows = tone_index.rows_of("S")
    nobody = np.zeros(len(tone_index.vectors), bool)
    assert natives.without(nobody) is natives
    some = nobody.copy()
    some[rows.start : rows.start + 5] = True
    fewer = natives.without(some)
    left = tone_index.native_margins[rows][5:].astype(np.float64)
    np.testing.assert_array_equal(fewer.margins["S"].ordered, np.sort(left[~np.isnan(left)]))
    np.testing.assert_array_equal(fewer.margins["M"].ordered, natives.margins["M"].ordered)
    median_s = np.median(tone_index.durations_s[rows][5:])
    assert fewer.median_durations_s(["S"])[0] == pytest.approx(median_s)


def test_every_phone_has_its_natives_and_silence_has_none() -> None:
    english = PhoneIndex.open(find_index("en-US"))
    natives = NativeReference(english)
    assert set(natives.margins) == set(natives.log_posteriors) == {*english.classes} - {"SIL"}
