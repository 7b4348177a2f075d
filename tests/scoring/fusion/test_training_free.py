import math
from dataclasses import replace

import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.reliability import MIN_COVERAGE
from nativeear.indexes.unheard import native_sums, unheard_reference
from nativeear.retriever.evidence import PhoneEvidence
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.fusion.natives import NativeReference
from nativeear.scoring.fusion.training_free import Scale, TrainingFree
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.grading import Grade
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.frames import Frames


def evidence(index: PhoneIndex, margin: float, coverage: int = 50) -> PhoneEvidence:
    return PhoneEvidence(
        phone="S",
        posterior=np.full(len(index.classes), 1 / len(index.classes), np.float32),
        margin=margin,
        canonical_share=1.0,
        coverage=coverage,
        neighbours=(),
        similarities=(),
        models=(),
        model_similarities=(),
    )


def natives_asked(index: PhoneIndex) -> list[list[PhoneEvidence]]:
    """The index's own natives, left out, recording by recording."""
    spoken = index.rows_of("SIL").start
    margins, recordings = index.native_margins[:spoken], index.utterances[0][:spoken]
    return [
        [evidence(index, m) for m in margins[recordings == r].tolist() if not math.isnan(m)]
        for r in np.unique(recordings)
    ]


def grades(
    index: PhoneIndex, asked: list[PhoneEvidence], deleted: bool = False, rate: float = 0.04
) -> tuple[Grade, ...]:
    return TrainingFree(index, false_rejections=rate).grades(
        recording_evidence(index, asked, deleted)
    )


def recording_evidence(
    index: PhoneIndex, asked: list[PhoneEvidence], deleted: bool = False
) -> RecordingEvidence:
    natives = NativeReference(index)
    phones = tuple(AlignedPhone(e.phone, 0.0, 0.1, 0) for e in asked)
    frames = Frames(np.zeros((10, 3), np.float32), 0.01, 0.005)
    table = FeatureTable(
        ("margin", "log_posterior", "margin_quantile"),
        np.column_stack(
            [
                [e.margin for e in asked],
                np.full(len(asked), np.nan),
                natives.margin_quantiles(asked),
            ]
        ),
    )
    return RecordingEvidence(
        frames,
        Alignment(phones, ("word",), (0,), "test"),
        phones,
        tuple(asked),
        measure_gop(frames, index.inventory, [e.phone for e in asked]),
        table,
        np.full(len(asked), deleted),
        (),
    )


def test_scores_rise_with_the_margin_and_no_probability_is_stated(
    tone_index: PhoneIndex,
) -> None:
    found = grades(tone_index, [evidence(tone_index, m) for m in np.linspace(-1.5, 1.5, 31)])
    scores = [grade.score for grade in found if grade.score is not None]
    assert len(scores) == len(found)
    assert all(0 <= score <= 100 for score in scores)
    assert scores == sorted(scores)
    assert found[0].verdict == "substituted"
    assert found[-1].verdict == "correct"
    assert {grade.probability_mispronounced for grade in found} == {None}


@pytest.mark.parametrize("rate", [0.04, 0.1, 0.3])
def test_of_new_voices_as_many_are_flagged_as_were_allowed(
    tone_index: PhoneIndex, rate: float
) -> None:
    """The index's own natives are one voice: fewer of them are, by the shift between voices."""
    own = unheard_reference(tone_index).alone
    odds = rate / (1 - rate) * math.exp(-own.shift)
    found = [g for part in natives_asked(tone_index) for g in grades(tone_index, part, rate=rate)]
    flagged = [grade.verdict != "correct" for grade in found]
    assert own.shift > 0
    assert np.mean(flagged) == pytest.approx(odds / (1 + odds), abs=0.02)
    assert all((g.score or 0.0) < 50 for g, bad in zip(found, flagged, strict=True) if bad)
    assert all((g.score or 0.0) >= 50 for g, bad in zip(found, flagged, strict=True) if not bad)
    low, high = TrainingFree(tone_index, false_rejections=rate).expected_rejections
    assert low < rate < high


def test_a_flagged_phone_is_accented_while_it_is_still_the_nearest(tone_index: PhoneIndex) -> None:
    lowest = evidence(tone_index, -1.5)
    for margin, verdict in ((-0.01, "substituted"), (0.0, "accented"), (0.01, "accented")):
        found = recording_evidence(tone_index, [lowest])
        told = replace(found, retrieval=(replace(lowest, margin=margin),))
        (grade,) = TrainingFree(tone_index, false_rejections=0.3).grades(told)
        assert grade.verdict == verdict


def test_the_scale_is_longer_below_than_above() -> None:
    scale = Scale(good=2.0, fair=0.0)
    sums = np.array([-4.0, -3.0, -1.5, 0.0, 1.0, 2.0, 5.0])
    assert scale.scores(sums).tolist() == [0, 0, 25, 50, 75, 100, 100]


def test_a_phone_is_believed_sooner_in_good_company_but_not_by_few_voices_alone(
    tone_index: PhoneIndex,
) -> None:
    many = TrainingFree(PhoneIndex.open(find_index("en-US")))
    for judge, head, differing in (
        (many, -1.0, 3),
        (many, np.nan, 3),
        (TrainingFree(tone_index), np.nan, 1),
    ):
        scores = [
            judge.judge(
                FeatureTable(
                    ("margin", "log_posterior"), np.array([[-0.1, head], *[[other, head]] * 5])
                )
            ).scores[0]
            for other in (-0.5, -0.1, 0.2)
        ]
        assert scores == sorted(scores)
        assert len(set(scores)) == differing


def test_the_head_counts_where_it_tells_a_phone_and_margins_alone_where_not(
    tone_index: PhoneIndex,
) -> None:
    opened = PhoneIndex.open(tone_index.path)
    spoken = opened.rows_of("SIL").start
    told = np.random.default_rng(0).uniform(-4, 0, size=len(opened.vectors)).astype(np.float32)
    told[spoken:] = -30  # silence is no phone
    opened.__dict__["native_log_posteriors"] = told
    table = FeatureTable(
        ("margin", "log_posterior"), np.array([[0.3, -1.0], [0.3, np.nan], [np.nan, -1.0]])
    )
    both, alone = native_sums(opened)
    assert len(both) == len(alone) == spoken
    found = TrainingFree(opened).judge(table)
    reference = unheard_reference(opened)
    own = (0.2 * 1.5, reference.with_head), (1.2, reference.alone)  # half of the mean, too
    for i, (total, natives) in enumerate(own):
        assert found.log_shares[i] == pytest.approx(natives.log_share(np.array([total]))[0])
        expected = Scale.of(natives, 0.04).scores(np.array([total]))[0]
        assert found.scores[i] == pytest.approx(expected)
    assert np.isnan(found.scores[2]) and np.isnan(found.log_shares[2])
    # An index that never heard its natives with the head judges by margins alone.
    opened.__dict__["native_log_posteriors"] = np.full_like(told, np.nan)
    without = TrainingFree(opened).judge(table).scores
    assert without[0] == without[1] == found.scores[1]


def test_an_index_without_silence_is_all_speech(tone_index: PhoneIndex) -> None:
    opened = PhoneIndex.open(tone_index.path)
    opened.classes = tuple("X" if phone == "SIL" else phone for phone in opened.classes)
    assert len(native_sums(opened)[1]) == len(opened.vectors)


def test_an_index_that_knows_nothing_of_its_natives_judges_nobody(tone_index: PhoneIndex) -> None:
    opened = PhoneIndex.open(tone_index.path)
    opened.__dict__["native_margins"] = np.full(len(opened.vectors), np.nan, np.float32)
    table = FeatureTable(("margin", "log_posterior"), np.array([[0.3, np.nan]]))
    found = TrainingFree(opened).judge(table)
    assert np.isnan(found.scores[0]) and np.isnan(found.log_shares[0])


def test_a_probability_is_stated_where_experts_were_asked() -> None:
    judge = TrainingFree(PhoneIndex.open(find_index("en-US")))
    table = FeatureTable(
        ("margin", "log_posterior"), np.array([[0.3, -0.1], [-0.2, -3.0], [-1.0, -9.0]])
    )
    probabilities = judge.judge(table).probabilities
    assert probabilities is not None
    assert 0 <= probabilities[0] < probabilities[1] < probabilities[2] <= 1


@pytest.mark.parametrize(
    "missing",
    [{"coverage": MIN_COVERAGE - 1}, {"margin": math.nan}, {"phone": "ZH"}],
)
def test_what_cannot_be_judged_is_uncertain_and_not_guessed(
    tone_index: PhoneIndex, missing: dict[str, object]
) -> None:
    asked = replace(evidence(tone_index, 0.3), **missing)  # type: ignore[arg-type]
    (grade,) = grades(tone_index, [asked])
    assert (grade.score, grade.probability_mispronounced, grade.verdict) == (
        None,
        None,
        "uncertain",
    )


def test_a_deleted_phone_scores_nothing_unless_natives_are_no_better(
    tone_index: PhoneIndex,
) -> None:
    asked = [evidence(tone_index, -1.5), evidence(tone_index, 0.5)]
    gone, there = grades(tone_index, asked, deleted=True)
    assert (gone.score, gone.verdict) == (0.0, "deleted")
    assert there.verdict == "correct"
    assert (there.score or 0.0) > 50
