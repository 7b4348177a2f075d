from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.assembly import publish_new
from nativeear.indexer.pooled_utterance import PooledUtterance
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.prosody.intonation import (
    GLISSANDO_THRESHOLD,
    fits_by_rule,
    judge_ending,
    movement,
)
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.speech.prosody.contour import sentence_type
from nativeear.speech.prosody.profile import ProsodyProfile
from tests.indexer.test_assembly import records, settings
from tests.indexer.test_prosody import profile

NONE = Exclusion()


@pytest.fixture(scope="module")
def natives(tmp_path_factory: pytest.TempPathFactory) -> NativeProsody:
    """Seven speakers whose 60 statements fall by 10 to 30 semitones per second."""
    folder = tmp_path_factory.mktemp("natives")
    made = records(folder, 60, 8, 8)
    for i, record in enumerate(made):
        own = replace(profile(i), sentence="statement", final_slope=-10.0 - i / 3)
        replace(PooledUtterance.load(record.path), prosody=own).save(record.path)
    publish_new(folder / "index", made, settings(8))
    return NativeProsody(PhoneIndex.open(folder / "index"))


def learner(slope: float, sentence: str = "statement", end: float = 3.0) -> ProsodyProfile:
    return replace(profile(0), final_slope=slope, sentence=sentence, contour=(0.0, end, end, end))


def test_natives_of_the_same_type_decide_where_they_are_several(natives: NativeProsody) -> None:
    for slope, fits in ((-20.0, True), (-60.0, True), (0.0, False), (20.0, False)):
        found = judge_ending(learner(slope), "So it is.", "en-US", natives, NONE)
        assert found is not None
        assert (found.expected, found.fits, found.judged_by) == ("fall", fits, "natives")


def test_what_moves_farther_than_nineteen_in_twenty_does_not_fit(natives: NativeProsody) -> None:
    """The natives' slopes lie evenly between -10 and -29.7 semitones per second."""
    limit = float(np.quantile([-10.0 - i / 3 for i in range(60)], 0.95))
    for slope, fits in ((limit - 0.1, True), (limit + 0.1, False)):
        found = judge_ending(learner(slope), "So it is.", "en-US", natives, NONE)
        assert found is not None
        assert (found.fits, found.judged_by) == (fits, "natives")


@pytest.mark.parametrize(("voices", "by"), [(3, "natives"), (2, "rule")])
def test_three_voices_are_a_norm(natives: NativeProsody, voices: int, by: str) -> None:
    others = Exclusion(speakers=frozenset(("random", f"s{i}") for i in range(voices, 10)))
    few = judge_ending(learner(-20.0), "So it is.", "en-US", natives, others)
    assert few is not None
    slopes, heard = natives.endings("statement", others)
    assert (len(slopes) >= 20, heard) == (voices == 3, voices)
    assert few.judged_by == by


@pytest.mark.parametrize(("end", "fits"), [(0.9, True), (1.0, False), (1.1, False)])
def test_a_voice_ends_high_a_semitone_above_its_median(
    natives: NativeProsody, end: float, fits: bool
) -> None:
    others = Exclusion(speakers=frozenset(("random", f"s{i}") for i in range(1, 10)))
    rising = replace(learner(20.0), contour=(9.0, 9.0, -5.0, end, 9.0))
    found = judge_ending(rising, "So it is.", "en-US", natives, others)
    assert found is not None
    assert (found.fits, found.judged_by) == (fits, "rule")


def test_three_voices_with_few_sentences_are_none(natives: NativeProsody) -> None:
    others = Exclusion(utterances=frozenset(("random", f"u{i:05}") for i in range(19, 60)))
    slopes, voices = natives.endings("statement", others)
    assert (len(slopes), voices) == (19, 7)
    found = judge_ending(learner(-20.0), "So it is.", "en-US", natives, others)
    assert found is not None
    assert found.judged_by == "rule"


def test_natives_who_ask_decide_how_questions_end(
    natives: NativeProsody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(natives, "endings", lambda *_: (np.linspace(10.0, 30.0, 41), 5))
    for slope, fits in ((10.9, False), (11.1, True), (99.0, True)):
        asked = learner(slope, "yes_no_question")
        found = judge_ending(asked, "Это так?", "ru", natives, NONE)
        assert found is not None
        assert (found.expected, found.fits, found.judged_by) == ("rise", fits, "natives")


def test_statements_go_by_the_rule_in_every_language(natives: NativeProsody) -> None:
    others = Exclusion(speakers=frozenset(("random", f"s{i}") for i in range(1, 10)))
    found = judge_ending(learner(-20.0), "Это так.", "ru", natives, others)
    assert found is not None
    assert (found.fits, found.judged_by) == (True, "rule")


def test_one_voice_is_no_norm(natives: NativeProsody) -> None:
    others = Exclusion(speakers=frozenset(("random", f"s{i}") for i in range(2, 10)))
    found = judge_ending(learner(0.0), "So it is.", "en-US", natives, others)
    assert found is not None
    assert (found.fits, found.judged_by) == (True, "rule")


def test_questions_without_natives_go_by_the_rule(natives: NativeProsody) -> None:
    for slope, fits in ((12.0, True), (-12.0, False)):
        asked = learner(slope, "yes_no_question")
        found = judge_ending(asked, "Is it so?", "en-US", natives, NONE)
        assert found is not None
        assert (found.expected, found.fits, found.judged_by) == ("rise", fits, "rule")


def test_russian_questions_are_not_judged_by_a_rule_that_is_not_theirs(
    natives: NativeProsody,
) -> None:
    asked = learner(-12.0, "yes_no_question")
    found = judge_ending(asked, "Это так?", "ru", natives, NONE)
    assert found is not None
    assert (found.observed, found.fits, found.judged_by) == ("fall", None, None)


@pytest.mark.parametrize("text", ["So it is", "So it is,"])
def test_without_punctuation_nothing_is_expected(natives: NativeProsody, text: str) -> None:
    found = judge_ending(learner(-20.0), text, "en-US", natives, NONE)
    assert found is not None
    assert (found.observed, found.expected, found.fits) == ("fall", None, None)


def test_what_was_not_voiced_is_not_found(natives: NativeProsody) -> None:
    found = judge_ending(learner(float("nan")), "So it is.", "en-US", natives, NONE)
    assert found is not None
    assert (found.observed, found.fits) == (None, None)
    assert judge_ending(learner(-20.0), None, "en-US", natives, NONE) is None


def test_the_rule_of_every_type() -> None:
    assert movement(GLISSANDO_THRESHOLD) == movement(GLISSANDO_THRESHOLD + 0.1) == "rise"
    assert movement(-GLISSANDO_THRESHOLD) == movement(-GLISSANDO_THRESHOLD - 0.1) == "fall"
    assert movement(GLISSANDO_THRESHOLD - 0.1) == "level"
    assert fits_by_rule("statement", "rise", high=True) is False
    assert fits_by_rule("statement", "rise", high=False) is True
    assert fits_by_rule("yes_no_question", "level", high=True) is True
    assert fits_by_rule("yes_no_question", "level", high=False) is False
    assert fits_by_rule("wh_question", "fall", high=False) is True
    assert fits_by_rule("wh_question", "rise", high=True) is None


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("Where are you?", "en-US", "wh_question"),
        ("Thank you. Where are you?", "en-US", "wh_question"),
        ("Where you are is fine. Are you there?", "en-US", "yes_no_question"),
        ("Is that so? Yes.", "en-US", "statement"),
        ("¿Dónde estás?", "es", "wh_question"),
        ("Ты здесь?", "ru", "yes_no_question"),
    ],
)
def test_the_last_sentence_is_the_one_that_ends(text: str, language: str, kind: str) -> None:
    assert sentence_type(text, language) == kind


def test_a_reading_of_the_same_words_tells_its_prominent_word(tmp_path: Path) -> None:
    made = records(tmp_path, 4, 20, 8)
    for i, record in enumerate(made):
        replace(PooledUtterance.load(record.path), prosody=profile(i)).save(record.path)
    publish_new(tmp_path / "index", made, settings(8))
    natives = NativeProsody(PhoneIndex.open(tmp_path / "index"))
    found = natives.nearest_reading(replace(profile(9), text="sentence 2"), NONE)
    assert found is not None
    assert (found.distance, found.prominent_word) == (0.0, 0)
