"""Real recordings, with the shipped encoder: as they are, and with one sound changed.

The errors are in the sound and nowhere else, so it is known what was said; see tests/stored for
how they are made. Words and phones are named: which form of a word is taken is not the question.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
import pytest

import nativeear
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import Assessment, PhoneAssessment
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.aligners.catalogue import load_aligner
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.audio import SAMPLE_RATE, Audio
from tests.stored.evidence import PROMPTS, TEXTS, spliced, without

Place = tuple[str, str]
"""A word and a phone of it."""


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return nativeear.load()


def load(name: str) -> Audio:
    return Audio.load(PROMPTS / f"{name}.flac")


def lies(assessor: Assessor, name: str, place: Place) -> AlignedPhone:
    """Where a phone lies in a prompt."""
    aligner = load_aligner("pocketsphinx")  # another ear than the one that is tested
    laid = aligner.align(load(name), assessor.pronouncer.pronounce(TEXTS[name]))
    return next(
        phone
        for phone in laid.spoken
        if (laid.words[phone.word_index].casefold(), phone.phone) == place
    )


def named(result: Assessment) -> Iterator[tuple[Place, PhoneAssessment]]:
    for word in result.words:
        for phone in word.phones:
            yield (word.word.casefold().strip(".,!"), phone.phone), phone


def flagged(result: Assessment) -> set[Place]:
    return {place for place, phone in named(result) if phone.verdict in FLAGGED}


def told(result: Assessment) -> set[Place]:
    """What a learner is told to work on."""
    return {place for place, phone in named(result) if phone.needs_work}


def of(result: Assessment, place: Place) -> PhoneAssessment:
    return next(phone for other, phone in named(result) if other == place)


@pytest.mark.parametrize("name", TEXTS)
def test_a_native_is_right(assessor: Assessor, name: str) -> None:
    result = assessor.assess(load(name), TEXTS[name])
    assert flagged(result) == set()
    assert (result.score.pronunciation or 0.0) > 80
    assert result.score.completeness == 100


@pytest.mark.parametrize(
    ("name", "place", "donor", "said"),
    [
        ("auth-incorrect", ("pound", "N"), "vm-msgsaved", ("saved", "S")),
        ("auth-incorrect", ("password", "S"), "vm-msgsaved", ("been", "N")),
        ("auth-incorrect", ("key", "IY"), "vm-msgsaved", ("saved", "S")),
    ],
)
def test_a_phone_that_another_was_put_in_place_of_is_blamed_and_its_neighbours_are_not(
    assessor: Assessor, name: str, place: Place, donor: str, said: Place
) -> None:
    recording = spliced(
        load(name), lies(assessor, name, place), load(donor), lies(assessor, donor, said)
    )
    result = assessor.assess(recording, TEXTS[name])
    assert told(result) == {place}
    assert len(flagged(result)) <= 2  # a sound beside it may seem off, which is not told
    blamed = of(result, place)
    assert blamed.verdict == "substituted"
    assert blamed.sounds_like[0].phone == said[1]
    assert (blamed.score or 0.0) < 50
    assert (blamed.probability_mispronounced or 0.0) > 0.5
    assert (blamed.knn.margin or 0.0) < 0
    (remark, *_) = result.remarks
    assert (remark.phone, remark.heard) == (place[1], said[1])


def test_what_experts_might_let_pass_is_flagged_and_not_told(assessor: Assessor) -> None:
    """A short vowel in the midst of flawless sounds, with a fricative in its place."""
    name, place = "priv-introsaved", ("connect", "EH")
    donor = lies(assessor, "auth-incorrect", ("password", "S"))
    recording = spliced(load(name), lies(assessor, name, place), load("auth-incorrect"), donor)
    result = assessor.assess(recording, TEXTS[name])
    assert flagged(result) == {place}
    assert told(result) == set()
    blamed = of(result, place)
    assert (blamed.score or 0.0) < 50
    assert (blamed.probability_mispronounced or 0.0) > 0.25


@pytest.mark.parametrize(
    ("name", "place"),
    [("vm-msgsaved", ("message", "M")), ("auth-incorrect", ("key", "K"))],
)
def test_a_phone_that_was_cut_out_is_deleted_and_its_neighbours_are_not(
    assessor: Assessor, name: str, place: Place
) -> None:
    result = assessor.assess(without(load(name), lies(assessor, name, place)), TEXTS[name])
    assert of(result, place).verdict == "deleted"
    assert flagged(result) == {place}


def test_a_phone_that_nobody_meant_is_an_insertion_where_it_was_put(assessor: Assessor) -> None:
    name, donor = "auth-incorrect", "vm-msgsaved"
    whole, source = load(name), lies(assessor, donor, ("saved", "S"))
    joint = lies(assessor, name, ("the", "DH")).start_s
    nothing = AlignedPhone("DH", joint, joint, 0)
    recording = spliced(whole, nothing, load(donor), source)
    assert assessor.assess(whole, TEXTS[name]).insertions == ()
    result = assessor.assess(recording, TEXTS[name])
    (found,) = result.insertions
    assert found.phone == "S"
    assert result.words[found.after_word_index].word.casefold() in ("by", "the")
    middle = joint + source.duration_s / 2
    assert found.start_s - 0.03 < middle < found.end_s + 0.03


def test_boundaries_follow_the_speech_and_nothing_else_changes(assessor: Assessor) -> None:
    """Half a second of the recording's own silence before it moves every phone by as much."""
    name = "auth-incorrect"
    whole = load(name)
    quiet = np.resize(whole.samples[:800] * np.float32(0.1), SAMPLE_RATE // 2)
    later = Audio(np.concatenate([quiet, whole.samples]))
    first, second = (assessor.assess(audio, TEXTS[name]) for audio in (whole, later))
    assert flagged(second) == set()
    before, after = (
        np.array([(phone.start_s, phone.end_s) for phone in result.phones])
        for result in (first, second)
    )
    moved = after - before
    assert np.median(np.abs(moved - 0.5)) < 0.011
    assert np.mean(np.abs(moved - 0.5) < 0.05) > 0.9
    aligner = load_aligner("pocketsphinx")
    laid = aligner.align(whole, assessor.pronouncer.pronounce(TEXTS[name])).spoken
    apart = [
        abs(phone.start_s - (other.start_s or 0.0))
        for phone, other in zip(laid, first.phones, strict=True)
    ]
    assert np.median(apart) < 0.03


@pytest.mark.parametrize("name", TEXTS)
def test_scores_of_the_whole_are_made_of_those_of_the_parts(name: str) -> None:
    """By the weights that the documentation names, of what was measured, without experts."""
    assessor = nativeear.load(calibration="training-free")
    result = assessor.assess(load(name), TEXTS[name])
    score, prosody, fluency = result.score, result.prosody, result.fluency
    assert prosody is not None and fluency is not None and score.pronunciation is not None
    parts: list[tuple[float, float]] = []

    def mean_of(measures: tuple[str, ...]) -> float | None:
        found = [g.score for g in (*fluency.grades, *prosody.grades) if g.measure in measures]
        return float(np.mean(found)) if found else None

    stresses = [word.stress.score for word in result.words if word.stress is not None]
    for weight, part in (
        (0.4, float(np.mean(stresses)) if stresses else None),
        (0.3, mean_of(("npvi_v", "percent_v", "varco_c"))),
        (0.3, mean_of(("range_semitones", "final_slope"))),
    ):
        parts += [] if part is None else [(weight, part)]
    assert len(parts) >= 2
    weights, values = zip(*parts, strict=True)
    assert score.prosody == pytest.approx(np.average(values, weights=weights))
    assert score.fluency == pytest.approx(
        mean_of(("syllables_per_s", "articulation_rate", "pause_ratio"))
    )
    assert score.pronunciation == pytest.approx(np.mean([word.score for word in result.words]))
    whole = 0.7 * score.pronunciation + 0.15 * score.fluency + 0.15 * score.prosody
    assert score.overall == pytest.approx(whole)
    heard = [word.stress for word in result.words if word.stress is not None]
    right = [stress.observed == stress.expected for stress in heard]
    assert prosody.stress_accuracy == pytest.approx(100 * np.mean(right))
    for word in result.words:
        assert (word.start_s, word.end_s) == (word.phones[0].start_s, word.phones[-1].end_s)


def test_natives_of_the_index_are_right_without_their_own_help(assessor: Assessor) -> None:
    kept = pq.read_table(assessor.index.path / "prosody.parquet", columns=["utterance", "text"])
    texts = dict(zip(kept["utterance"].to_pylist(), kept["text"].to_pylist(), strict=True))
    phones = wrong = 0
    for name in ("agent-incorrect", "conf-invalid", "ss-noservice"):
        (utterance,) = (u for u in texts if u.split("/")[-1] == name)
        clip = assessor.index.path / assessor.index.clips["asterisk-en", utterance]
        result = assessor.assess(
            clip,
            texts[utterance],
            exclusion=Exclusion(utterances=frozenset({("asterisk-en", utterance)})),
        )
        phones += len(result.phones)
        wrong += len(flagged(result))
        for phone in result.phones:
            for item in phone.evidence:
                assert assessor.index.exemplar(item.exemplar).utterance != utterance
    assert phones > 60
    assert wrong <= 0.06 * phones
