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
from nativeear.scoring.feedback.first_language import (
    FirstLanguage,
    first_language_note,
    first_language_or_warning,
)
from nativeear.scoring.feedback.functional_load import functional_load
from nativeear.scoring.feedback.minimal_pairs import NOTHING, pairs_of
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


def with_feedback(
    assessment: Assessment, inventory: PhoneInventory, l1: str | None = None
) -> Assessment:
    """Put an assessment into words.

    Every phone to work on, see `PhoneAssessment.needs_work`, gets its sentence, and so does every
    insertion. The remarks merge the errors on one phone and are ranked by functional load times
    confidence, summed over the places; words that were left out altogether give no remarks.

    Parameters
    ----------
    assessment
        A finished one; it is not changed.
    inventory
        The phones of its index.
    l1
        The learner's first language, see `first_language.first_language`.

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
    phones = tuple(
        phone.model_copy(
            update={"feedback": _sentence(phone, inventory, _position(i, len(word.phones)))}
        )
        if phone.needs_work
        else phone
        for i, phone in enumerate(word.phones)
    )
    return word.model_copy(update={"phones": phones})


def _with_sentence(
    extra: Insertion, words: tuple[WordAssessment, ...], inventory: PhoneInventory
) -> Insertion:
    after = extra.after_word_index
    where = f" after “{words[after].word}”" if after >= 0 else " before the first word"
    return extra.model_copy(
        update={"feedback": articulation.inserted(inventory.ipa(extra.phone), where)}
    )


def _sentence(phone: PhoneAssessment, inventory: PhoneInventory, where: str) -> str:
    """`where` is said of a phone that was left out only: the others can be heard."""
    meant = inventory.phone(phone.phone)
    if phone.verdict == "deleted":
        return articulation.deleted(meant, where)
    heard = _heard(phone)
    if heard is None:
        return articulation.accented(meant)
    if phone.verdict == "accented":
        return articulation.accented(meant, inventory.phone(heard))
    return articulation.substituted(inventory.phone(heard), meant)


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
    ranked = sorted(by_phone.values(), key=lambda errors: -_importance(errors, inventory))
    for errors in ranked[:MAX_REMARKS]:
        yield _remark(errors, inventory, l1)


def _errors(words: Iterable[WordAssessment]) -> Iterator[_Error]:
    for i, word in enumerate(words):
        if word.omitted:
            continue
        for j, phone in enumerate(word.phones):
            if phone.needs_work:
                yield _Error((i, j), word.word, phone, _heard(phone))


def _importance(errors: Iterable[_Error], inventory: PhoneInventory) -> float:
    return sum(_worth(error, inventory) for error in errors)


def _worth(error: _Error, inventory: PhoneInventory) -> float:
    other = NOTHING if error.phone.verdict == "deleted" else error.heard
    load = None if other is None else functional_load(inventory, error.phone.phone, other)
    return (LOAD_FLOOR + (load or 0.0)) * error.confidence


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
    if worst.phone.verdict == "deleted":
        text = articulation.deleted(meant, where)
    elif heard is None or worst.phone.verdict == "accented":
        text = articulation.accented(meant, heard, where)
    else:
        text = articulation.substituted(heard, meant, where)
    pairs = pairs_of(inventory)
    confused = NOTHING if worst.phone.verdict == "deleted" else worst.heard
    return Remark(
        text=text,
        phone=meant.symbol,
        ipa=meant.ipa,
        heard=worst.heard,
        heard_ipa=heard and heard.ipa,
        places=tuple(error.place for error in errors),
        minimal_pairs=(
            () if pairs is None or confused is None else pairs.to_practise(meant.symbol, confused)
        ),
        l1_note=None if l1 is None else first_language_note(l1, meant, heard),
    )


def _in_words(words: Iterable[str]) -> str:
    named = [f"“{word}”" for word in dict.fromkeys(words)]
    if len(named) > _MAX_WORDS:
        return f" in {', '.join(named[:_MAX_WORDS])} and other words"
    *most, last = named
    return f" in {', '.join(most)} and {last}" if most else f" in {last}"
