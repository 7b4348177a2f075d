"""Verdict, score and probability of a phone say one thing, on real speech through the real encoder.

Recordings of learners are taken where they are at hand; those that are shipped always.
"""

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import nativeear
from nativeear.indexer.annotated_corpus import AnnotatedUtterance, Speaker
from nativeear.indexes.reliability import phone_reliability
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.evaluation.simulated import KINDS, Simulation, claimable
from nativeear.scoring.grading import GOOD_SCORE, LIKELY, quality_of
from nativeear.scoring.verdicts import FLAGGED
from nativeear.service.demo import DONOR, PROMPT
from nativeear.speech.aligners.catalogue import load_aligner
from nativeear.speech.audio import SAMPLE_RATE, Audio
from tests.conftest import DATA

SHIPPED = Path(__file__).parents[2] / "service" / "data"
SAVED = ("vm-msgsaved.flac", "Your message has been saved.")
NATIVES = (PROMPT, DONOR, SAVED)
LEARNERS = DATA / "speechocean762-train"
ASKED = 24
"""Learners' recordings that are assessed."""

SPILLED = 0.15
"""Share of right phones that may be flagged where one phone in six is claimed to be another."""

BORDERS = {"expert": GOOD_SCORE, "training-free": 50.0}
ORDER = ("poor", "fair", "good")


@dataclass(frozen=True)
class Cut:
    """A phone that is cut out of a native's recording, by its place."""

    recording: str
    text: str
    place: int
    phone: str


CUTS = (Cut(*SAVED, 3, "M"), Cut(*DONOR, 2, "S"))


@pytest.fixture(scope="module", params=["expert", "training-free"])
def assessor(request: pytest.FixtureRequest) -> Assessor:
    return nativeear.load("en-US", calibration=request.param)


def learners() -> Iterator[tuple[Path, str]]:
    if not LEARNERS.is_dir():
        return
    with (LEARNERS / "utterances.csv").open(encoding="utf-8", newline="") as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: zlib.crc32(row["id"].encode()))
    for row in rows[:ASKED]:
        yield LEARNERS / row["audio"], row["text"]


@pytest.fixture(scope="module")
def results(assessor: Assessor) -> list[Assessment]:
    """Natives, the same as if they had meant other words, and learners."""
    others = (
        (PROMPT[0], "Thank you. Peace hold, while I attempt to collect you with your body!"),
        (DONOR[0], "Passport incorrect. Please enter your passport followed by the town key."),
        (SAVED[0], "Your massage has been shaved."),
    )
    said = [(SHIPPED / name, text) for name, text in (*NATIVES, *others)]
    return [assessor.assess(audio, text) for audio, text in (*said, *learners())]


def test_nothing_flagged_is_painted_as_native_and_all_of_it_lies_below_the_rest(
    results: list[Assessment],
) -> None:
    flagged, others = [], []
    for result in results:
        for phone in result.phones:
            if phone.verdict != "uncertain":
                assert phone.score is not None
                (flagged if phone.verdict in FLAGGED else others).append(phone.score)
        for word in result.words:
            if any(phone.verdict in FLAGGED for phone in word.phones):
                assert quality_of(word.score) in {"fair", "poor"}
                assert word.score is not None
                assert round(word.score) < GOOD_SCORE, "nor is it where scores are rounded"
            for syllable in word.syllables:
                part = word.phones[slice(*syllable.phones)]
                if any(phone.verdict in FLAGGED for phone in part):
                    assert quality_of(syllable.score) != "good"
    assert len(flagged) > 3
    border = BORDERS[results[0].calibration]
    assert round(max(flagged)) < border <= min(others)
    assert ORDER.index(quality_of(max(flagged))) < ORDER.index(quality_of(min(others)))


def test_no_remark_is_made_of_what_is_more_likely_right_than_wrong(
    results: list[Assessment],
) -> None:
    remarks = 0
    for result in results:
        for phone in result.phones:
            probability = phone.probability_mispronounced
            likely = probability is not None and probability >= LIKELY
            assert bool(phone.feedback) <= likely
            if phone.verdict in {"substituted", "deleted"}:
                assert likely, "what is doubtful is accented at most"
            if phone.verdict == "deleted":
                assert phone.score == 0.0
        for remark in result.remarks:
            for word, place in remark.places:
                chance = result.words[word].phones[place].probability_mispronounced
                assert chance is not None
                assert chance >= LIKELY
                remarks += 1
    assert remarks > 0


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.phone)
def test_a_phone_that_is_cut_out_is_deleted_and_scores_nothing(
    assessor: Assessor, cut: Cut
) -> None:
    audio = Audio.load(SHIPPED / cut.recording)
    whole = assessor.assess(audio, cut.text)
    assert whole.phones[cut.place].verdict == "correct"
    aligner = load_aligner("pocketsphinx")  # another ear than the one that is tested
    gone = aligner.align(audio, assessor.pronounce(cut.text)).spoken[cut.place]
    assert gone.phone == cut.phone
    start, end = (round(at * SAMPLE_RATE) for at in (gone.start_s, gone.end_s))
    samples = np.concatenate([audio.samples[:start], audio.samples[end:]])
    meant = " | ".join(" ".join(phone.phone for phone in word.phones) for word in whole.words)
    found = assessor.assess(Audio(samples), phones=meant)
    flagged = {i: p.verdict for i, p in enumerate(found.phones) if p.verdict in FLAGGED}
    assert flagged.pop(cut.place) == "deleted"
    assert len(flagged) <= 1, "a fault sheds little blame"
    missing = found.phones[cut.place]
    assert missing.score == 0.0
    assert missing.probability_mispronounced is not None
    assert missing.probability_mispronounced >= LIKELY
    assert any(remark.heard is None and remark.phone == cut.phone for remark in found.remarks)


def test_one_wrong_phone_does_not_have_the_right_ones_flagged(assessor: Assessor) -> None:
    claims = Simulation(
        claimable(phone_reliability(assessor.index), assessor.inventory), assessor.inventory
    )
    right, wrong = [], []
    for name, text in NATIVES:
        whole = assessor.assess(SHIPPED / name, text)
        reading = AnnotatedUtterance(name, Speaker("native"), SHIPPED / name, text)
        for kind in KINDS:
            claimed = claims.with_errors(reading, whole, kind)
            assert claimed is not None
            found = assessor.assess(SHIPPED / name, phones=claimed.given_phones)
            for meant, phone in zip(claimed.phones, found.phones, strict=True):
                (wrong if meant.mispronounced else right).append(phone.verdict in FLAGGED)
    assert np.mean(wrong) > 0.9
    assert np.mean(right) < SPILLED


@pytest.mark.parametrize(("name", "text"), NATIVES)
def test_natives_add_no_sounds(assessor: Assessor, name: str, text: str) -> None:
    assert assessor.assess(SHIPPED / name, text).insertions == ()
