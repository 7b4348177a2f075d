"""One set of boundaries, whoever shows them: those by which the evidence was gathered."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import nativeear
from nativeear.retriever.evidence import gather_evidence
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.service.report.clips import MARGIN_S
from nativeear.service.report.page import render_page
from nativeear.service.result_textgrid import to_textgrid
from nativeear.speech.audio import Audio
from nativeear.speech.pooling import pool
from nativeear.speech.steadying import steadied
from tests.support.treatments import noisy

PROMPT = Path(__file__).parents[2] / "service" / "data" / "vm-msgsaved.flac"
TEXT = "Your message has been saved."
DECIBELS = 10.0
MOVED_S = 0.1
"""How far noise may move a boundary here: it once let faint ends fall into silence, 0.2 s away."""

Span = tuple[float | None, float | None]


@pytest.fixture(scope="module", params=["expert", "training-free"])
def assessor(request: pytest.FixtureRequest) -> Assessor:
    return nativeear.load("en-US", calibration=request.param)


@pytest.fixture(scope="module")
def in_noise() -> Audio:
    return noisy(Audio.load(PROMPT), DECIBELS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def clean(assessor: Assessor) -> Assessment:
    return assessor.assess(PROMPT, TEXT)


@pytest.fixture(scope="module")
def phones(clean: Assessment) -> str:
    """The forms of the words that were said, so that noise has no say in them."""
    return " | ".join(" ".join(phone.phone for phone in word.phones) for word in clean.words)


@pytest.fixture(scope="module")
def result(assessor: Assessor, in_noise: Audio, phones: str) -> Assessment:
    return assessor.assess(in_noise, TEXT, phones=phones)


def farthest_s(one: Sequence[Span], other: Sequence[Span]) -> float:
    return float(np.abs(np.array(one) - np.array(other)).max())


def test_noise_hardly_moves_what_is_shown(clean: Assessment, result: Assessment) -> None:
    shown: list[Span] = [(phone.start_s, phone.end_s) for phone in result.phones]
    without_noise: list[Span] = [(phone.start_s, phone.end_s) for phone in clean.phones]
    assert farthest_s(shown, without_noise) < MOVED_S


def test_words_textgrid_and_report_have_the_same_boundaries(
    assessor: Assessor, in_noise: Audio, result: Assessment
) -> None:
    phones: list[Span] = [(phone.start_s, phone.end_s) for phone in result.phones]
    words: list[Span] = [(word.start_s, word.end_s) for word in result.words]
    for word in result.words:
        assert (word.start_s, word.end_s) == (word.phones[0].start_s, word.phones[-1].end_s)
    tiers = {tier.name: tier.intervals for tier in to_textgrid(result).tiers}
    for name in ("phones", "scores", "verdicts"):
        assert [(i.start_s, i.end_s) for i in tiers[name]] == phones
    assert [(i.start_s, i.end_s) for i in tiers["words"]] == words
    page = render_page(result, in_noise, assessor.index)
    for start_s, end_s in (*phones, *words):
        assert start_s is not None
        assert end_s is not None
        heard = f"learner,{max(0.0, start_s - MARGIN_S):.3f},{end_s + MARGIN_S:.3f}"
        assert f'data-play="{heard}"' in page


def test_the_evidence_is_gathered_where_it_is_shown(
    assessor: Assessor, in_noise: Audio, result: Assessment
) -> None:
    heard = steadied(in_noise)
    frames = assessor.encoder.encode(heard.audio)
    spans_s = [
        ((phone.start_s or 0.0) - heard.start_s, (phone.end_s or 0.0) - heard.start_s)
        for phone in result.phones
    ]
    vectors = pool(frames, spans_s, assessor.index.manifest.pooling)
    canonical = [phone.phone for phone in result.phones]
    told = [phone.knn.margin for phone in result.phones]
    found = gather_evidence(assessor.index, vectors, canonical)
    # to and fro, a frame on the edge of a middle third may tip over; elsewhere it is off by 0.07
    assert told == pytest.approx([evidence.margin for evidence in found], abs=0.01)
