"""What is chosen to be practised, from histories made for the purpose."""

from datetime import date, datetime, timedelta, timezone

import pytest

from nativeear.service.database.summaries import (
    DayFigures,
    LearnerProgress,
    PhoneProgress,
    Sentence,
)
from nativeear.service.today import RESTS_DAYS, SOUNDS, WORDS, today
from nativeear.speech.inventory import PhoneInventory

ENGLISH = PhoneInventory.load("en-US")
DAY = date(2026, 3, 20)


def phone(name: str, *days: tuple[int, int, float], language: str = "en-US") -> PhoneProgress:
    """A phone from (days ago, count, flagged share)."""
    figures = tuple(DayFigures(DAY - timedelta(ago), n, 50.0, share) for ago, n, share in days)
    return PhoneProgress(
        language=language,
        phone=name,
        ipa=ENGLISH.ipa(name),
        count=sum(n for _, n, _ in days),
        mean_score=50.0,
        flagged_share=None,
        days=figures,
    )


def history(*phones: PhoneProgress, said: tuple[int, ...] = ()) -> LearnerProgress:
    def sentence(ago: int) -> Sentence:
        at = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=timezone.utc) - timedelta(ago)
        return Sentence(str(ago), at, "en-US", "I see.", None, None, None, None, None, None)

    return LearnerProgress("ana", tuple(sentence(ago) for ago in said), phones)


def chosen(*phones: PhoneProgress) -> list[str]:
    return [drill.phone for drill in today(history(*phones), ENGLISH, DAY).drills]


def test_what_goes_wrong_oftener_comes_first() -> None:
    assert chosen(phone("S", (0, 20, 0.3)), phone("S", (0, 20, 0.9)))[0] == "S"
    assert chosen(phone("T", (0, 20, 0.3)), phone("D", (0, 20, 0.9))) == ["D", "T"]


def test_what_more_hangs_on_comes_first() -> None:
    assert chosen(phone("ZH", (0, 20, 0.6)), phone("IY", (0, 20, 0.6))) == ["IY", "ZH"]


def test_what_was_said_once_is_believed_less() -> None:
    assert chosen(phone("D", (0, 1, 1.0)), phone("T", (0, 20, 0.7)))[0] == "T"


def test_there_are_three_and_none_without_an_error() -> None:
    assert len(chosen(*(phone(name, (0, 9, 0.5)) for name in ("T", "D", "S", "Z")))) == SOUNDS
    assert chosen(phone("T", (0, 9, 0.0))) == []


@pytest.mark.parametrize("good", range(1, len(RESTS_DAYS) + 1))
def test_a_sound_that_goes_well_rests_twice_as_long_each_time(good: int) -> None:
    rest = RESTS_DAYS[min(good, len(RESTS_DAYS) - 1)]
    for ago, due in ((rest - 1, False), (rest, True)):
        days = [(ago + good, 9, 0.9), *((ago + good - 1 - i, 9, 0.1) for i in range(good))]
        assert bool(chosen(phone("T", *days))) is due


def test_where_nothing_is_due_the_next_day_is_told() -> None:
    found = today(history(phone("T", (1, 9, 0.9), (0, 9, 0.1))), ENGLISH, DAY)
    assert found.drills == ()
    assert found.next_day == DAY + timedelta(RESTS_DAYS[1])


def test_words_have_the_sound_and_those_of_natives_come_first() -> None:
    native = {"both", "teeth", "then"}
    drill = today(history(phone("TH", (0, 9, 0.9))), ENGLISH, DAY, native).drills[0]
    assert len(drill.words) == WORDS
    assert set(drill.words[:2]) == {"both", "teeth"}
    assert all("th" in word for word in drill.words)
    assert {"both", "teeth"} <= set(drill.native)
    assert drill.pairs
    assert all(len(pair) == 2 for pair in drill.pairs)


def test_other_languages_are_left_aside() -> None:
    assert chosen(phone("T", (0, 9, 0.9), language="de-DE")) == []


@pytest.mark.parametrize(
    ("said", "streak"), [((), 0), ((0,), 1), ((1,), 1), ((2,), 0), ((0, 1, 2, 4), 3), ((0, 0), 1)]
)
def test_a_streak_is_of_days_in_a_row(said: tuple[int, ...], streak: int) -> None:
    found = today(history(said=said), ENGLISH, DAY)
    assert found.streak_days == streak
    assert found.sentences == said.count(0)
