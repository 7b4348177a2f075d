"""What a text sounds like, and whether that is known, before anything is recorded."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import Depends

from nativeear.service.api.authentication import ASSESS, KeyedRouter, allowed
from nativeear.service.api.models import (
    Pronunciations,
    TextCheck,
    TextRequest,
    Variant,
    WordCheck,
    WordVariants,
)
from nativeear.service.api.problems import refusals_of_body
from nativeear.service.api.references import Reference
from nativeear.service.api.state import Service, ServiceDep
from nativeear.speech.canonical import PhoneSequence, WordPronunciation
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.spelling import graphemes

router = KeyedRouter(
    prefix="/v1",
    tags=["texts"],
    dependencies=[Depends(allowed(ASSESS))],
)

_PROBLEMS = refusals_of_body()


@router.post(
    "/validate",
    summary="Which words of a text can be pronounced",
    response_model=TextCheck,
    responses=_PROBLEMS,
)
def validate(asked: TextRequest, service: ServiceDep) -> Any:
    """The words of a text in reading order, and how it is read where that may surprise.

    Words that are not known cannot be assessed; those whose `source` is `espeak` in English are
    guesses from their letters.
    """
    reference = _reference(service, asked)
    pronouncer = reference.assessor.pronouncer
    found = pronouncer.check(asked.text)
    if all(word.variants for word in found.words):
        found = pronouncer.pronounce(asked.text)
    return TextCheck(
        language=reference.index.language,
        index=reference.name,
        words=tuple(_checked(word, pronouncer.inventory) for word in found.words),
        warnings=found.warnings,
    )


def _checked(word: WordPronunciation, inventory: PhoneInventory) -> WordCheck:
    if not word.variants:
        return WordCheck(word=word.word, known=False)
    first = word.variants[0]
    return WordCheck(
        word=word.word,
        known=True,
        source=first.source,
        phones=first.phones,
        ipa=_ipa(first, inventory),
    )


def _ipa(variant: PhoneSequence, inventory: PhoneInventory) -> tuple[str, ...]:
    return tuple(inventory.ipa(phone) for phone in variant.phones)


@router.post(
    "/pronunciations",
    summary="How a text is pronounced",
    response_model=Pronunciations,
    responses=_PROBLEMS,
)
def pronunciations(asked: TextRequest, service: ServiceDep) -> Any:
    """Every word of a text with all its pronunciations, the commonest first."""
    reference = _reference(service, asked)
    inventory = reference.assessor.inventory
    spoken = reference.assessor.pronounce(asked.text)
    return Pronunciations(
        language=reference.index.language,
        index=reference.name,
        words=tuple(
            WordVariants(
                word=word.word,
                variants=tuple(
                    Variant(
                        **asdict(variant),
                        ipa=_ipa(variant, inventory),
                        graphemes=graphemes(word.word, variant, inventory) or (),
                    )
                    for variant in word.variants
                ),
            )
            for word in spoken.words
        ),
        warnings=spoken.warnings,
    )


def _reference(service: Service, asked: TextRequest) -> Reference:
    return service.references.get(service.references.choose(asked.index, asked.language))
