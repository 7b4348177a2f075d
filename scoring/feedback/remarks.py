"""The sentences of an assessment: one per faulty phone, and the few that are worth most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from nativeear.scoring.assessment import (
    Advice,
    Assessment,
    Insertion,
    NewSound,
    PhoneAssessment,
    Remark,
    WordAssessment,
)
from nativeear.scoring.feedback import articulation
from nativeear.scoring.feedback.minimal_pairs import NOTHING, pairs_of
from nativeear.scoring.feedback.sentences import sentence
from nativeear.speech.first_languages import FirstLanguage, first_language_or_warning
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import Phone

MAX_REMARKS = 3

LOAD_FLOOR = 0.1
"""Added to the functional load: a contrast that parts no common words is still worth saying."""

_MAX_WORDS = 3


@dataclass(frozen=True)
class _Error:
    """One faulty phone, and where it is."""

    place: tuple[int, int]
    word: str
    phone: PhoneAssessment
    heard: str | None

    @property
    def confidence(self) -> float:
        """Probability of an error; where none is known, how far the score falls short."""
        probability = self.phone.probability_mispronounced
        return 1 - (self.phone.score or 0.0) / 100 if probability is None else probability

    @property
    def confused_with(self) -> str | None:
        """What was heard instead, `NOTHING` for a phone that was left out; None if not known."""
        return NOTHING if self.phone.verdict == "deleted" else self.heard


def with_feedback(
    assessment: Assessment, inventory: PhoneInventory, l1: str | None = None
) -> Assessment:
    """Put an assessment into words.

    Every phone to work on, see `PhoneAssessment.needs_work`, gets its sentence, and so does every
    insertion. The remarks merge the errors on one phone and are ranked by functional load times
    confidence, summed over the places; words that were left out altogether give neither.

    Parameters
    ----------
    assessment
        A finished one; it is not changed.
    inventory
        The phones of its index.
    l1
        The learner's first language, see `speech.first_languages.first_language`.

    Returns
    -------
    Assessment
        The same with `feedback` and `remarks`, and a warning if the first language is not known.

    Raises
    ------
    InputError
        If the first language is named by a table that cannot be read.
    """
    spoken_first, warning = (None, None) if l1 is None else first_language_or_warning(l1)
    words = tuple(_with_sentences(word, inventory) for word in assessment.words)
    return assessment.model_copy(
        update={
            "words": words,
            "insertions": tuple(
                extra.model_copy(
                    update={"feedback": sentence(advice_on_insertion(extra, words, inventory))}
                )
                for extra in assessment.insertions
            ),
            "remarks": tuple(_remarks(words, inventory, spoken_first)),
            "warnings": (*assessment.warnings, *([warning] if warning else [])),
        }
    )


def _with_sentences(word: WordAssessment, inventory: PhoneInventory) -> WordAssessment:
    phones = list(word.phones)
    for i, phone in enumerate(phones):
        if phone.needs_work and not word.omitted:
            # what was said can be heard in its place; what was left out cannot
            place = _position(i, len(phones)) if phone.verdict == "deleted" else None
            advice = _advice(phone, _heard(phone), inventory).model_copy(update={"place": place})
            phones[i] = phone.model_copy(update={"feedback": sentence(advice), "advice": advice})
    return word.model_copy(update={"phones": tuple(phones)})


def advice_on_insertion(
    extra: Insertion, words: tuple[WordAssessment, ...], inventory: PhoneInventory
) -> Advice:
    """What is told of a sound that does not belong there."""
    after = extra.after_word_index
    where = {"place": "before"} if after < 0 else {"place": "after", "words": (words[after].word,)}
    return articulation.inserted(inventory.ipa(extra.phone)).model_copy(update=where)


def _advice(phone: PhoneAssessment, heard: str | None, inventory: PhoneInventory) -> Advice:
    meant = inventory.phone(phone.phone)
    if phone.verdict == "deleted":
        return articulation.deleted(meant)
    other = None if heard is None else inventory.phone(heard)
    if other is None or phone.verdict == "accented":
        return articulation.accented(meant, other)
    return articulation.substituted(other, meant)


def _position(i: int, phones: int) -> Literal["beginning", "middle", "end"] | None:
    if phones == 1:
        return None
    if i == 0:
        return "beginning"
    return "end" if i == phones - 1 else "middle"


def _heard(phone: PhoneAssessment) -> str | None:
    """The other phone that the sound resembles most; None where there is none."""
    if phone.verdict == "deleted":
        return None
    return next((each.phone for each in phone.sounds_like if each.phone != phone.phone), None)


def _remarks(
    words: tuple[WordAssessment, ...], inventory: PhoneInventory, l1: FirstLanguage | None
) -> Iterator[Remark]:
    by_phone: dict[str, list[_Error]] = {}
    for error in _errors(words):
        by_phone.setdefault(error.phone.phone, []).append(error)
    ranked = sorted(
        by_phone.values(), key=lambda errors: -sum(_worth(error, inventory) for error in errors)
    )
    for errors in ranked[:MAX_REMARKS]:
        yield _remark(errors, inventory, l1)


def _errors(words: Iterable[WordAssessment]) -> Iterator[_Error]:
    for i, word in enumerate(words):
        if word.omitted:
            continue
        for j, phone in enumerate(word.phones):
            if phone.needs_work:
                yield _Error((i, j), word.word, phone, _heard(phone))


def _worth(error: _Error, inventory: PhoneInventory) -> float:
    other, pairs = error.confused_with, pairs_of(inventory)
    load = 0.0 if other is None or pairs is None else pairs.load(error.phone.phone, other)
    return (LOAD_FLOOR + load) * error.confidence


def _remark(errors: list[_Error], inventory: PhoneInventory, l1: FirstLanguage | None) -> Remark:
    """All errors on one phone; what is said is that of the worst one and of those like it."""
    worst = max(errors, key=lambda error: _worth(error, inventory))
    meant = inventory.phone(worst.phone.phone)
    heard = None if worst.heard is None else inventory.phone(worst.heard)
    alike = [
        error
        for error in errors
        if (error.phone.verdict, error.heard) == (worst.phone.verdict, worst.heard)
    ]
    words = tuple(dict.fromkeys(error.word for error in alike))
    advice = _advice(worst.phone, worst.heard, inventory).model_copy(
        update={
            "place": "in",
            "words": words[:_MAX_WORDS],
            "more": len(words) > _MAX_WORDS,
        }
    )
    pairs = pairs_of(inventory)
    confused = worst.confused_with
    return Remark(
        text=sentence(advice),
        phone=meant.symbol,
        ipa=meant.ipa,
        heard=worst.heard,
        heard_ipa=heard and heard.ipa,
        places=tuple(error.place for error in errors),
        minimal_pairs=(
            () if pairs is None or confused is None else pairs.to_practise(meant.symbol, confused)
        ),
        l1_note=None if l1 is None else l1.note(meant, heard),
        advice=advice,
        new_sound=None if l1 is None else _new_sound(l1, meant, heard),
    )


def _new_sound(l1: FirstLanguage, meant: Phone, heard: Phone | None) -> NewSound | None:
    if not l1.lacks(meant):
        return None
    return NewSound(language=l1.tag or l1.name, has_heard=heard is not None and l1.knows(heard))
