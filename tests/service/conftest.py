from collections.abc import Iterator

import pytest

from nativeear.scoring.assessment import (
    Assessment,
    ExemplarEvidence,
    Insertion,
    KnnEvidence,
    PhoneAssessment,
    Reading,
    ReadingEvent,
    Scores,
    SoundsLike,
    WordAssessment,
)
from nativeear.scoring.verdicts import Verdict
from tests.support.served import Served, serving

BUSY = ("--timeout", "600")
"""So that a busy machine does not have the service give up on what a test waits for."""


def phone(
    symbol: str,
    ipa: str,
    score: float | None,
    verdict: Verdict,
    span: tuple[float, float] | None = (0.0, 0.1),
    **more: object,
) -> PhoneAssessment:
    return PhoneAssessment(
        phone=symbol,
        ipa=ipa,
        start_s=span and span[0],
        end_s=span and span[1],
        score=score,
        verdict=verdict,
        probability_mispronounced=None if score is None else 1 - score / 100,
        knn=KnnEvidence(margin=0.1, canonical_share=0.5, k=20, coverage=100),
        **more,
    )


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`nativeear serve` in a process of its own, without keys."""
    with serving(tmp_path_factory.mktemp("served"), *BUSY, "--workers", "1") as served:
        yield served


@pytest.fixture
def assessment() -> Assessment:
    """“I think azure”: every verdict once, an insertion and a warning."""
    evidence = tuple(
        ExemplarEvidence(exemplar=row, phone=name, similarity=0.9, word=word, speaker="a")
        for row, (name, word) in enumerate([("S", "sink"), ("S", "since"), ("TH", "thing")])
    )
    heard = (SoundsLike(phone="S", ipa="s", probability=0.81),)
    return Assessment(
        id="me",
        language="en-US",
        index="en-US",
        encoder="spectral",
        calibration="training-free",
        duration_s=2.04,
        score=Scores(overall=62.2, pronunciation=62.2, completeness=100.0),
        words=(
            WordAssessment(
                word="I",
                start_s=0.1,
                end_s=0.3,
                score=91.0,
                phones=(phone("AY", "aɪ", 91.0, "correct", (0.1, 0.3)),),
            ),
            WordAssessment(
                word="think",
                start_s=0.4,
                end_s=0.8,
                score=33.0,
                phones=(
                    phone(
                        "TH",
                        "θ",
                        4.0,
                        "substituted",
                        (0.4, 0.5),
                        sounds_like=heard,
                        evidence=evidence,
                    ),
                    phone("IH", "ɪ", 72.0, "correct", (0.5, 0.6)),
                    phone("NG", "ŋ", 44.0, "accented", (0.6, 0.8)),
                    phone("K", "k", 0.0, "deleted", None),
                ),
            ),
            WordAssessment(
                word="azure",
                start_s=1.0,
                end_s=1.2,
                score=None,
                phones=(phone("ZH", "ʒ", None, "uncertain", (1.0, 1.2)),),
            ),
        ),
        insertions=(Insertion(after_word_index=1, phone="S", start_s=0.8, end_s=0.91),),
        warnings=("The recording has two channels; they were mixed.",),
    )


@pytest.fixture
def slipped(assessment: Assessment) -> Assessment:
    """The same where “I” was said twice, “think” left out and “so” added at the end."""
    said, left_out, last = assessment.words
    sounds = tuple(
        p.model_copy(update={"start_s": None, "end_s": None, "score": 0.0, "verdict": "deleted"})
        for p in left_out.phones
    )
    nowhere = {"start_s": None, "end_s": None, "score": 0.0, "omitted": True, "phones": sounds}
    events = (
        ReadingEvent(kind="repeated", word_index=0, heard="I", start_s=0.0, end_s=0.1),
        ReadingEvent(kind="omitted", word_index=1),
        ReadingEvent(kind="extra", word_index=2, heard="so", start_s=1.4, end_s=1.8),
    )
    return assessment.model_copy(
        update={
            "words": (said, left_out.model_copy(update=nowhere), last),
            "insertions": (),
            "reading": Reading(matches=True, likelihood=0.99, events=events),
        }
    )
