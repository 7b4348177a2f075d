"""A result whose advice is in a language that its learner reads."""

from __future__ import annotations

from nativeear.scoring.assessment import Assessment, PhoneAssessment, Remark, WordAssessment
from nativeear.scoring.feedback.remarks import advice_on_insertion
from nativeear.scoring.feedback.sentences import languages, note_on_new_sound, sentence
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory


def check_advice_language(language: str) -> None:
    """Refuse a language that advice is not given in."""
    if language not in languages():
        raise InputError(
            f"No advice is given in {language!r}.", fix=f"Take one of {', '.join(languages())}."
        )


def with_advice_in(assessment: Assessment, language: str, inventory: PhoneInventory) -> Assessment:
    """The same result with `feedback`, the remarks' `text` and `l1_note` in another language.

    Parameters
    ----------
    assessment
        A result with its remarks; it is not changed. Judgements, scores and warnings stay.
    language
        One of `sentences.languages()`, whatever language was spoken.
    inventory
        The phones of its index.

    Raises
    ------
    InputError
        If no advice is given in the language.
    """
    check_advice_language(language)
    insertions = tuple(
        extra.model_copy(
            update={
                "feedback": sentence(
                    advice_on_insertion(extra, assessment.words, inventory), language
                )
            }
        )
        for extra in assessment.insertions
    )
    return assessment.model_copy(
        update={
            "words": tuple(_word(word, language) for word in assessment.words),
            "insertions": insertions,
            "remarks": tuple(_remark(remark, language) for remark in assessment.remarks),
        }
    )


def _word(word: WordAssessment, language: str) -> WordAssessment:
    return word.model_copy(update={"phones": tuple(_phone(each, language) for each in word.phones)})


def _phone(phone: PhoneAssessment, language: str) -> PhoneAssessment:
    if phone.advice is None:
        return phone
    return phone.model_copy(update={"feedback": sentence(phone.advice, language)})


def _remark(remark: Remark, language: str) -> Remark:
    said = {} if remark.advice is None else {"text": sentence(remark.advice, language)}
    if remark.new_sound is not None:
        said["l1_note"] = note_on_new_sound(
            remark.new_sound, remark.ipa, remark.heard_ipa, language
        )
    return remark.model_copy(update=said)
