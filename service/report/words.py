"""What stands behind each word: its sounds, those that need work first, and what can be heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nativeear.scoring.assessment import (
    Assessment,
    ExemplarEvidence,
    PhoneAssessment,
    Reading,
    WordAssessment,
)
from nativeear.scoring.verdicts import BESIDE_MEANINGS, FLAGGED, MEANINGS, SYMBOLS
from nativeear.service.report.clips import LEARNER, MARGIN_S, NativeClip

MAX_DETAILED = 400
"""Sounds whose evidence is shown, the worst first; of the rest, the scores alone."""


@dataclass(frozen=True)
class Listening:
    """What can be heard of a sound, as `play_list` writes it; '' where nothing can.

    `natives` has an exemplar, its sound and its word in each row.
    """

    sound: str
    word: str
    natives: tuple[tuple[ExemplarEvidence, str, str], ...]

    @property
    def sounds(self) -> str:
        """Every sound in turn."""
        return " ".join(filter(None, (self.sound, *(sound for _, sound, _ in self.natives))))

    @property
    def words(self) -> str:
        """Every word in turn."""
        return " ".join(filter(None, (self.word, *(word for _, _, word in self.natives))))

    @property
    def in_turn(self) -> bool:
        """Whether there is more than one to hear."""
        return " " in self.sounds or " " in self.words

    @property
    def silent(self) -> bool:
        """Whether no native can be heard."""
        return not any(word for _, _, word in self.natives)


@dataclass(frozen=True)
class Card:
    """A sound; `listen` is None where its evidence is not shown."""

    phone: PhoneAssessment
    opened: bool
    listen: Listening | None


@dataclass(frozen=True)
class Panel:
    """A word with its sounds."""

    word: WordAssessment
    play: str
    flagged: bool
    cards: tuple[Card, ...]


def by_need(assessment: Assessment) -> list[int]:
    """Places of the phones in the assessment: flagged ones first, the lowest scores first."""
    phones = assessment.phones

    def need(place: int) -> tuple[bool, float]:
        score = phones[place].score
        return phones[place].verdict not in FLAGGED, 101.0 if score is None else score

    return sorted(range(len(phones)), key=need)


def panels(assessment: Assessment, clips: Mapping[int, NativeClip]) -> list[Panel]:
    """One panel per word; `clips` are by row of the index."""
    detailed = set(by_need(assessment)[:MAX_DETAILED])
    made, place = [], 0
    for word in assessment.words:
        cards = []
        for phone in word.phones:
            opened = phone.verdict in FLAGGED or len(word.phones) == 1
            listen = _listening(word, phone, clips) if place in detailed else None
            cards.append(Card(phone, opened, listen))
            place += 1
        flagged = any(phone.verdict in FLAGGED for phone in word.phones)
        made.append(Panel(word, _learners(word), flagged, tuple(cards)))
    return made


def again(reading: Reading | None, place: int) -> str:
    """What was said of a word before the reading that counts; '' where nothing was."""
    events = reading.again(place) if reading else ()
    return ", ".join(BESIDE_MEANINGS[event.kind] for event in events)


def spoken(word: WordAssessment) -> str:
    """A word, its score and what was found, for those who hear the page."""
    found = dict.fromkeys(
        MEANINGS[phone.verdict] for phone in word.phones if SYMBOLS[phone.verdict]
    )
    if word.omitted:
        return f"{word.word}, left out"
    score = "not measured" if word.score is None else f"{word.score:.0f}"
    return ", ".join((word.word, score, *found))


def symbols(word: WordAssessment) -> str:
    """The marks of a word's sounds, each once."""
    return "".join(dict.fromkeys(SYMBOLS[phone.verdict] for phone in word.phones))


def note(word: WordAssessment) -> str:
    """A word's score, where it lies, and its stress."""
    if word.omitted:
        return "left out"
    score = "not measured" if word.score is None else f"{word.score:.0f} of 100"
    if word.start_s is not None and word.end_s is not None:
        score += f", {word.start_s:.2f}–{word.end_s:.2f} s"
    if word.stress is None or word.stress.observed is None:
        return score
    if word.stress.observed == word.stress.expected:
        return f"{score}, stressed where it should be"
    return (
        f"{score}, stressed on syllable {word.stress.observed + 1} "
        f"instead of {word.stress.expected + 1}"
    )


def play_list(clip: str, start_s: float, end_s: float) -> str:
    """What a button plays, as the script reads it; several, with a space between, in turn."""
    return f"{clip},{start_s:.3f},{end_s:.3f}"


def learners_stretch(start_s: float, end_s: float) -> str:
    """A stretch of the learner's recording, with a little around it."""
    return play_list(LEARNER, max(0.0, start_s - MARGIN_S), end_s + MARGIN_S)


def _learners(part: WordAssessment | PhoneAssessment) -> str:
    """A word or phone in the learner's recording; '' where it was not found."""
    if part.start_s is None or part.end_s is None:
        return ""
    return learners_stretch(part.start_s, part.end_s)


def _listening(
    word: WordAssessment, phone: PhoneAssessment, clips: Mapping[int, NativeClip]
) -> Listening:
    natives = []
    for item in phone.evidence:
        clip = clips.get(item.exemplar)
        natives.append(
            (
                item,
                play_list(clip.id, clip.start_s, clip.end_s) if clip else "",
                play_list(clip.id, 0.0, clip.duration_s) if clip else "",
            )
        )
    return Listening(_learners(phone), _learners(word), tuple(natives))
