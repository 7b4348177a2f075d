"""What a learner is to practise today, from how his sounds went on the days before.

The sounds that cost most come first: how much hangs on a sound (its functional load) times how
often it goes wrong times how sure that is. A sound that goes well rests for a while, twice as long
each time (Leitner's boxes), and comes back before it is forgotten. Everything follows from the
history; nothing else is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from nativeear.scoring.feedback.minimal_pairs import Pair, pairs_of
from nativeear.scoring.feedback.remarks import LOAD_FLOOR
from nativeear.service.database.summaries import LearnerProgress, PhoneFigures, PhoneProgress
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.tables import has_table, table

SOUNDS = 3
WORDS = 6
RECENT_DAYS = 3
"""How a sound goes is told by the last days on which it was said."""

SETTLED_SHARE = 0.25
"""A day on which fewer were flagged was a good one."""

DOUBTED = 5
"""As many times a sound must be said until half is believed of how it goes."""

RESTS_DAYS = (1, 2, 4, 8, 16)
"""How long a sound rests after no, one, two … good days in a row."""


@dataclass(frozen=True)
class Drill:
    """A sound to practise: words that have it, and pairs that it alone keeps apart.

    `flagged_share` is of the last days on which it was said; `native` has the words that can be
    heard from a native.
    """

    phone: str
    ipa: str
    flagged_share: float
    count: int
    last_day: date
    words: tuple[str, ...]
    pairs: tuple[Pair, ...]
    native: tuple[str, ...]


@dataclass(frozen=True)
class Today:
    """What is due; `next_day` is when more will be, where nothing is.

    `streak_days` counts the days in a row, up to today or yesterday, on which something was said.
    """

    day: date
    sentences: int
    streak_days: int
    drills: tuple[Drill, ...]
    next_day: date | None


@dataclass(frozen=True)
class _Course:
    """How one sound went lately."""

    phone: PhoneProgress
    flagged_share: float
    count: int
    due: date

    def cost(self, inventory: PhoneInventory) -> float:
        return _cost(self.phone.phone, self.flagged_share, self.count, inventory)


def costly(phones: Iterable[PhoneFigures], language: str) -> tuple[PhoneFigures, ...]:
    """The sounds of a language that cost most, of all that was said; only such as went wrong."""
    if not PhoneInventory.ships(language):
        return ()
    inventory = PhoneInventory.load(language)
    costs = [
        (_cost(figures.phone, figures.flagged_share, figures.count, inventory), figures)
        for figures in phones
        if figures.flagged_share and figures.language == language and figures.phone in inventory
    ]
    costs.sort(key=lambda item: (-item[0], item[1].phone))
    return tuple(figures for _, figures in costs[:SOUNDS])


def today(
    progress: LearnerProgress,
    inventory: PhoneInventory,
    day: date,
    native_words: Collection[str] = (),
) -> Today:
    """Choose what to practise on a day.

    Parameters
    ----------
    progress
        A learner's history.
    inventory
        The phones of the language that is practised; others' are left aside.
    day
        In UTC, as the history has its days.
    native_words
        Words that a native can be heard saying, in lower case; they are chosen first.
    """
    said = {sentence.created_at.date() for sentence in progress.sentences}
    courses = [
        _course(phone)
        for phone in progress.phones
        if primary_subtag(phone.language) == primary_subtag(inventory.language)
        and phone.phone in inventory
    ]
    wanting = [course for course in courses if course.flagged_share > 0]
    due = sorted(
        (course for course in wanting if course.due <= day),
        key=lambda course: (-course.cost(inventory), course.phone.phone),
    )
    later = [course.due for course in wanting if course.due > day]
    return Today(
        day=day,
        sentences=sum(sentence.created_at.date() == day for sentence in progress.sentences),
        streak_days=_streak(said, day),
        drills=tuple(_drill(course, inventory, native_words) for course in due[:SOUNDS]),
        next_day=min(later) if later and not due else None,
    )


def _course(phone: PhoneProgress) -> _Course:
    days = [day for day in phone.days if day.flagged_share is not None]
    recent = days[-RECENT_DAYS:]
    count = sum(day.count for day in recent)
    flagged = sum(day.count * (day.flagged_share or 0.0) for day in recent)
    good = 0
    for spoken in reversed(days):
        if (spoken.flagged_share or 0.0) >= SETTLED_SHARE:
            break
        good += 1
    rest = timedelta(days=RESTS_DAYS[min(good, len(RESTS_DAYS) - 1)] if good else 0)
    last = phone.days[-1].day
    return _Course(phone, flagged / count if count else 0.0, count, last + rest)


def _cost(phone: str, flagged_share: float, count: int, inventory: PhoneInventory) -> float:
    load, _ = _heaviest(phone, inventory)
    return (LOAD_FLOOR + load) * flagged_share * count / (count + DOUBTED)


def _streak(said: set[date], day: date) -> int:
    """Days in a row; today may still come."""
    at = day if day in said else day - timedelta(days=1)
    length = 0
    while at in said:
        length += 1
        at -= timedelta(days=1)
    return length


def _heaviest(phone: str, inventory: PhoneInventory) -> tuple[float, str | None]:
    """The largest functional load of a contrast of a phone, and the other phone of it."""
    pairs = pairs_of(inventory)
    if pairs is None:
        return 0.0, None
    loads = [(pairs.load(phone, other.symbol), other.symbol) for other in inventory]
    load, other = max(loads, default=(0.0, None))
    return load, other if load else None


def _drill(course: _Course, inventory: PhoneInventory, native: Collection[str]) -> Drill:
    phone = course.phone
    _, other = _heaviest(phone.phone, inventory)
    pairs = pairs_of(inventory)
    practised = pairs.to_practise(phone.phone, other) if pairs and other else ()
    words = _words_with(phone.phone, inventory.language, native)
    spoken = {*words, *(word for pair in practised for word in pair)}
    return Drill(
        phone=phone.phone,
        ipa=phone.ipa,
        flagged_share=course.flagged_share,
        count=course.count,
        last_day=phone.days[-1].day,
        words=words,
        pairs=practised,
        native=tuple(sorted(spoken & set(native))),
    )


def _words_with(phone: str, language: str, native: Collection[str]) -> tuple[str, ...]:
    """Common words that have a phone, those of natives first."""
    name = f"common_words_{primary_subtag(language)}"
    if not has_table(name):
        return ()
    words = [row["word"] for row in table(name) if phone in row["phones"].split()]
    heard = [word for word in words if word in native]
    return (*heard, *(word for word in words if word not in native))[:WORDS]
