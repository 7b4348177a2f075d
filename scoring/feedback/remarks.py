"""The sentences of an assessment: one per faulty phone, and the few that are worth most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nativeear.scoring.assessment import (
    Assessment,
    Insertion,
    PhoneAssessment,
    Remark,
    WordAssessment,
)
from nativeear.scoring.feedback import articulation
from nativeear.scoring.feedback.minimal_pairs import NOTHING, pairs_of
from nativeear.speech.first_languages import FirstLanguage, first_language_or_warning
from nativeear.speech.inventory import PhoneInventory

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
        return self.phone.probability_mispronounced or 0.0

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
                _with_sentence(extra, words, inventory) for extra in assessment.insertions
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
            where = _position(i, len(phones)) if phone.verdict == "deleted" else ""
            sentence = _sentence(phone, _heard(phone), inventory, where)
            phones[i] = phone.model_copy(update={"feedback": sentence})
    return word.model_copy(update={"phones": tuple(phones)})


def _with_sentence(
    extra: Insertion, words: tuple[WordAssessment, ...], inventory: PhoneInventory
) -> Insertion:
    after = extra.after_word_index
    where = f" after “{words[after].word}”" if after >= 0 else " before the first word"
    return extra.model_copy(
        update={"feedback": articulation.inserted(inventory.ipa(extra.phone), where)}
    )


def _sentence(
    phone: PhoneAssessment, heard: str | None, inventory: PhoneInventory, where: str
) -> str:
    meant = inventory.phone(phone.phone)
    if phone.verdict == "deleted":
        return articulation.deleted(meant, where)
    other = None if heard is None else inventory.phone(heard)
    if other is None or phone.verdict == "accented":
        return articulation.accented(meant, other, where)
    return articulation.substituted(other, meant, where)


def _position(i: int, phones: int) -> str:
    if phones == 1:
        return ""
    if i == 0:
        return " at the beginning"
    return " at the end" if i == phones - 1 else " in the middle"


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
    where = _in_words(error.word for error in alike)
    pairs = pairs_of(inventory)
    confused = worst.confused_with
    return Remark(
        text=_sentence(worst.phone, worst.heard, inventory, where),
        phone=meant.symbol,
        ipa=meant.ipa,
        heard=worst.heard,
        heard_ipa=heard and heard.ipa,
        places=tuple(error.place for error in errors),
        minimal_pairs=(
            () if pairs is None or confused is None else pairs.to_practise(meant.symbol, confused)
        ),
        l1_note=None if l1 is None else l1.note(meant, heard),
    )


def _in_words(words: Iterable[str]) -> str:
    named = [f"“{word}”" for word in dict.fromkeys(words)]
    if len(named) > _MAX_WORDS:
        return f" in {', '.join(named[:_MAX_WORDS])} and other words"
    *most, last = named
    return f" in {', '.join(most)} and {last}" if most else f" in {last}"
