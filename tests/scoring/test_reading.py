"""Slips that are made in native prompts are told, and what was read around them is judged."""

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import nativeear
from nativeear.indexes import unheard
from nativeear.scoring import judging
from nativeear.scoring.assessment import Assessment, ReadingEvent
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.evidence import EvidenceGatherer
from nativeear.scoring.grading import GOOD_SCORE
from nativeear.scoring.reading import NOT_OF_THIS_TEXT, TextReader, also_read, clear_of
from nativeear.service.report.page import render_page
from nativeear.service.result_textgrid import to_textgrid
from nativeear.service.terminal import render
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import Audio

FOLDER = Path(__file__).parents[2] / "service" / "data"
PROMPT, TEXT = FOLDER / "vm-msgsaved.flac", "Your message has been saved."
OTHER = FOLDER / "auth-incorrect.flac"
OTHER_TEXT = "Password incorrect. Please enter your password followed by the pound key."
FADE = 80


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return nativeear.load("en-US")


@pytest.fixture(scope="module")
def whole(assessor: Assessor) -> Assessment:
    return assessor.assess(OTHER, OTHER_TEXT)


def spliced(*pieces: np.ndarray) -> Audio:
    """Pieces one after the other, with short cross-fades."""
    sound = pieces[0]
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    for piece in pieces[1:]:
        faded = sound[-FADE:] * (1 - ramp) + piece[:FADE] * ramp
        sound = np.concatenate([sound[:-FADE], faded, piece[FADE:]])
    return Audio(np.ascontiguousarray(sound, dtype=np.float32))


def piece(result: Assessment, first: int | None = None, past: int | None = None) -> np.ndarray:
    """The sound of words of the other prompt, from its beginning or to its end."""
    samples, rate = Audio.load(OTHER).samples, 16_000
    start = 0 if first is None else round((result.words[first].start_s or 0.0) * rate)
    end = len(samples) if past is None else round((result.words[past].start_s or 0.0) * rate)
    return samples[start:end]


def events(result: Assessment, *kinds: str) -> list[ReadingEvent]:
    assert result.reading is not None
    assert result.reading.matches
    return [e for e in result.reading.events if not kinds or e.kind in kinds]


def scores(result: Assessment, words: Sequence[int]) -> list[float | None]:
    return [result.words[i].score for i in words]


def test_what_was_read_as_it_stands_has_no_events(assessor: Assessor, whole: Assessment) -> None:
    for result in (whole, assessor.assess(PROMPT, TEXT)):
        assert events(result) == []
        assert result.reading is not None
        assert result.reading.likelihood > 0.9
        assert result.score.completeness == 100


def test_a_word_that_nobody_read_is_omitted_and_harms_no_other(
    assessor: Assessor, whole: Assessment
) -> None:
    text = OTHER_TEXT.replace("enter your", "enter tomorrow your")
    result = assessor.assess(OTHER, text)
    assert [(e.kind, e.word_index, e.heard) for e in events(result)] == [("omitted", 4, None)]
    word = result.words[4]
    assert (word.word, word.omitted, word.score, word.start_s) == ("tomorrow", True, 0, None)
    assert {(p.verdict, p.score, p.feedback) for p in word.phones} == {("deleted", 0, "")}
    console = Console(record=True, width=200, file=StringIO())
    console.print(render(result))
    assert "in “tomorrow”" not in console.export_text(), "nobody tried to say its sounds"
    others = [i for i in range(len(result.words)) if i != 4]
    before = scores(whole, range(len(whole.words)))
    assert scores(result, others) == pytest.approx(before, abs=1.0)
    assert result.score.pronunciation == pytest.approx(whole.score.pronunciation, abs=1.0)
    assert result.score.completeness == pytest.approx(100 * len(others) / len(result.words))
    assert not [w for w in result.warnings if "cannot judge" in w]


def test_given_phones_are_judged_as_they_stand(assessor: Assessor) -> None:
    phones = "Y AO R | M EH S AH JH | T AH M AA R OW | HH AE Z | B IH N | S EY V D"
    result = assessor.assess(PROMPT, phones=phones)
    assert events(result) == []
    assert not any(word.omitted for word in result.words)
    assert all(phone.start_s is not None for phone in result.phones)
    assert (result.words[2].score or 0) < 50 < (result.words[1].score or 0)


def test_phones_behind_a_word_that_nobody_read_keep_the_forms_that_are_as_right(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[tuple[str, ...]]] = []
    graded = judging.grades_of_forms

    def noted(calibration: Any, evidence: Any, others: Any, **rest: Any) -> Any:
        asked.append(others)
        return graded(calibration, evidence, others, **rest)

    monkeypatch.setattr(judging, "grades_of_forms", noted)
    assessor.assess(OTHER, OTHER_TEXT)
    assessor.assess(OTHER, OTHER_TEXT.replace("enter your", "enter tomorrow your"))
    assert asked[0] == asked[1]


def test_a_word_that_was_garbled_is_judged_and_not_omitted(
    assessor: Assessor, whole: Assessment
) -> None:
    """Noise stands in its place, as long and as loud; in silence it is omitted."""
    garbled = Audio.load(OTHER).samples.copy()
    word = whole.words[9]
    start, end = (round((t or 0.0) * 16_000) for t in (word.start_s, word.end_s))
    loudness = float(np.sqrt((garbled[start:end] ** 2).mean()))
    noise = np.random.default_rng(9).standard_normal(end - start).astype(np.float32)
    garbled[start:end] = 0
    silenced = assessor.assess(Audio(garbled.copy()), OTHER_TEXT)
    assert [e.word_index for e in events(silenced, "omitted")] == [9]
    garbled[start:end] = loudness * noise
    result = assessor.assess(Audio(garbled), OTHER_TEXT)
    assert events(result, "omitted") == []
    assert result.score.completeness is not None
    assert 100 * 10 / 11 < result.score.completeness < 100, "hardly to be recognised"
    assert result.words[9].start_s is not None
    assert (result.words[9].score or 0) < GOOD_SCORE


def test_an_omitted_word_has_no_probability_where_none_is_calibrated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in every index but the shipped one: no expert was asked about it."""
    monkeypatch.setattr(unheard, "_kept_of", lambda index: None)
    ear = nativeear.load("en-US", calibration="training-free")
    result = ear.assess(OTHER, OTHER_TEXT.replace("enter your", "enter tomorrow your"))
    assert result.words[4].omitted
    assert {phone.probability_mispronounced for phone in result.phones} == {None}


def test_a_word_cut_from_the_sound_is_omitted(assessor: Assessor, whole: Assessment) -> None:
    result = assessor.assess(spliced(piece(whole, None, 5), piece(whole, 6)), OTHER_TEXT)
    assert [(e.kind, e.word_index) for e in events(result)] == [("omitted", 5)]


def test_a_word_said_twice_is_repeated_and_judged_once(
    assessor: Assessor, whole: Assessment
) -> None:
    result = assessor.assess(spliced(piece(whole, None, 7), piece(whole, 6)), OTHER_TEXT)
    (event,) = events(result)
    assert (event.kind, event.word_index, event.heard) == ("repeated", 6, "followed")
    word = result.words[6]
    assert event.end_s is not None
    assert word.start_s is not None
    assert event.end_s <= word.start_s + 0.05
    assert word.score == pytest.approx(whole.words[6].score, abs=25)
    assert result.fluency is not None
    assert result.fluency.repetitions == ((event.start_s, event.end_s),)
    tier = to_textgrid(result).tiers[-1]
    assert (tier.name, [i.label for i in tier.intervals]) == ("reading", ["repeated: followed"])
    assert "said again" in render_page(result, Audio.load(OTHER), assessor.index)


def test_a_word_that_ran_into_itself_is_repeated_and_not_begun(
    assessor: Assessor, whole: Assessment
) -> None:
    """The head does not hear the end of the first *your*; its frames are alike to the second's."""
    result = assessor.assess(spliced(piece(whole, None, 5), piece(whole, 4)), OTHER_TEXT)
    assert [(e.kind, e.word_index) for e in events(result)] == [("repeated", 4)]


def test_a_word_of_another_text_is_extra_and_is_no_insertion(
    assessor: Assessor, whole: Assessment
) -> None:
    alone = assessor.assess(PROMPT, TEXT)
    start, end = (
        round((t or 0.0) * 16_000) for t in (alone.words[1].start_s, alone.words[1].end_s)
    )
    added = Audio.load(PROMPT).samples[start:end]
    result = assessor.assess(spliced(piece(whole, None, 2), added, piece(whole, 2)), OTHER_TEXT)
    (event,) = events(result)
    assert (event.kind, event.word_index) == ("extra", 1)
    assert event.heard == "message"
    assert event.start_s is not None and event.end_s is not None
    assert event.end_s - event.start_s == pytest.approx((end - start) / 16_000, abs=0.25)
    assert not [i for i in result.insertions if event.start_s < i.start_s < event.end_s]
    assert result.score.completeness == 100
    assert "+ message" in render_page(result, Audio.load(OTHER), assessor.index)


def test_a_recording_that_stops_is_right_as_far_as_it_goes(
    assessor: Assessor, whole: Assessment
) -> None:
    result = assessor.assess(spliced(piece(whole, None, 6)), OTHER_TEXT)
    assert {e.word_index for e in events(result, "omitted")} == set(range(6, len(result.words)))
    assert result.score.completeness == pytest.approx(100 * 6 / len(result.words))
    assert (result.score.pronunciation or 0.0) > 70


@pytest.mark.parametrize(
    "text",
    [OTHER_TEXT, "Your pound key has been followed.", "Tomorrow.", "Saved been has message."],
)
def test_of_another_text_nothing_is_judged_and_that_is_said_first(
    assessor: Assessor, text: str
) -> None:
    result = assessor.assess(PROMPT, text)
    assert result.reading is not None
    assert not result.reading.matches
    assert result.reading.likelihood < 0.5
    assert set(result.score.model_dump().values()) == {None}
    assert (result.warnings[0], result.remarks) == (NOT_OF_THIS_TEXT, ())
    assert {phone.verdict for phone in result.phones} == {"uncertain"}
    page = render_page(result, Audio.load(PROMPT), assessor.index)
    file = StringIO()
    Console(file=file, width=200).print(render(result))
    for shown in (page, result._repr_html_(), file.getvalue()):
        assert shown.count(NOT_OF_THIS_TEXT) == 1
        assert " ".join(word.word for word in result.words) in shown
        for unsaid in ("cannot be judged", "not measured", "could be measured"):
            assert unsaid not in shown


def test_no_word_is_laid_on_what_was_said_beside_the_text() -> None:
    a, b = AlignedPhone("a", 0.0, 0.5, 0), AlignedPhone("b", 0.5, 1.0, 1)
    cut = clear_of((a, b), [(0.4, 0.6), (0.9, 1.2)])
    assert cut is not None
    spans = [(p.phone, p.start_s, p.end_s) for p in cut]
    silences = [(SILENCE, 0.4, 0.5), (SILENCE, 0.5, 0.6)]
    assert spans == [("a", 0.0, 0.4), *silences, ("b", 0.6, 0.9), (SILENCE, 0.9, 1.0)]
    assert clear_of((a, b), [(0.4, 1.0)]) is None


def test_a_recording_of_none_of_the_words_is_not_of_the_text(
    assessor: Assessor, whole: Assessment
) -> None:
    said = whole.words[1]
    assert said.start_s is not None
    assert said.end_s is not None
    sound = Audio.load(OTHER).samples[round(said.start_s * 16_000) : round(said.end_s * 16_000)]
    for text in ("telephone", "banana", "university"):
        found = assessor.assess(spliced(sound), text).reading
        assert found is not None
        assert not found.matches


@pytest.mark.parametrize(
    ("pieces", "text", "told"),
    [
        ([(None, None)], OTHER_TEXT, []),
        ([(None, 5), (6, None)], OTHER_TEXT, [("omitted", 5)]),
        ([(None, 7), (6, None)], OTHER_TEXT, [("repeated", 6)]),
        ([(None, 6)], OTHER_TEXT, [("omitted", i) for i in range(6, 11)]),
        ([(None, None)], OTHER_TEXT.replace("enter", "enter only"), [("omitted", 4)]),
        ([(None, None)], TEXT, None),
    ],
)
def test_without_a_phone_head_the_classes_of_the_index_tell_what_was_read(
    assessor: Assessor,
    whole: Assessment,
    pieces: list[tuple[int | None, int | None]],
    text: str,
    told: list[tuple[str, int]] | None,
) -> None:
    audio = spliced(*(piece(whole, first, past) for first, past in pieces))
    frames = replace(assessor.encoder.encode(audio), log_probs=None, labels=())
    read = TextReader(assessor.index).read(assessor.pronounce(text), frames, audio)
    assert read.matches == (told is not None)
    if told is not None:
        assert [(event.kind, event.word_index) for event in read.events] == told


def test_each_phone_knows_where_it_was_read_in_words_that_were_read_with_the_same_phones() -> None:
    laid = (
        AlignedPhone("K", 0.0, 0.1, 0),
        AlignedPhone(SILENCE, 0.1, 0.2, -1),
        AlignedPhone("AE", 0.2, 0.3, 0),
        AlignedPhone("T", 0.3, 0.4, 1),
        AlignedPhone("S", 0.4, 0.5, 2),
    )
    read = Alignment(
        (
            AlignedPhone(SILENCE, 0.0, 0.05, -1),
            AlignedPhone("K", 0.05, 0.15, 0),
            AlignedPhone("AE", 0.15, 0.35, 0),
            AlignedPhone("D", 0.35, 0.4, 1),
            AlignedPhone("S", 0.6, 0.7, 2),
        ),
        ("ca", "t", "s"),
    )
    found = also_read(laid, read)
    assert [phone.read_s for phone in found] == [(0.05, 0.15), None, (0.15, 0.35), None, (0.6, 0.7)]
    assert tuple(replace(phone, read_s=None) for phone in found) == laid


def test_a_phone_is_heard_in_both_of_its_places(assessor: Assessor) -> None:
    known = assessor.gather_evidence(Audio.load(PROMPT), assessor.pronounce(TEXT))
    gatherer = EvidenceGatherer(assessor.index)
    last = known.phones[-1]

    def margin(read_s: tuple[float, float] | None) -> float:
        phones = tuple(
            replace(phone, read_s=read_s) if phone == known.phones[0] else phone
            for phone in known.alignment.phones
        )
        alignment = replace(known.alignment, phones=phones)
        return gatherer.gather(known.frames, alignment, known.gop).retrieval[0].margin

    own = margin(None)
    assert own == pytest.approx(known.retrieval[0].margin)
    assert margin((known.phones[0].start_s, known.phones[0].end_s)) == pytest.approx(own)
    assert margin((last.start_s, last.end_s)) < own - 0.1
