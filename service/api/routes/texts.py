"""What a text sounds like, and whether that is known, before anything is recorded."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Depends

from service.api.keys import ASSESS, allowed
from service.api.models import (
    Pronunciations,
    TextCheck,
    TextRequest,
    Variant,
    WordCheck,
    WordVariants,
)
from service.api.problems import responses
from service.api.references import Reference
from service.api.state import Parts, Service
from speech.inventory import PhoneInventory
from speech.pronunciation import PhoneSequence
from speech.text import normalise

router = APIRouter(prefix="/v1", tags=["texts"], dependencies=[Depends(allowed(ASSESS))])

_PROBLEMS = responses(400, 401, 403, 413, 422, 429, 503)


@router.post(
    "/validate",
    summary="Which words of a text can be pronounced",
    response_model=TextCheck,
    responses=_PROBLEMS,
)
async def validate(asked: TextRequest, parts: Parts) -> Any:
    """The words of a text in reading order; those that are not known cannot be assessed."""

    def checked() -> TextCheck:
        reference = _reference(parts, asked)
        pronouncer = reference.assessor.pronouncer
        missing = set(pronouncer.missing(asked.text))
        if not missing:
            found = pronouncer.pronounce(asked.text)
            words = tuple(
                _known(word.word, word.variants[0], pronouncer.inventory) for word in found.words
            )
            warnings = found.warnings
        else:
            spoken = normalise(asked.text, pronouncer.language)
            words = tuple(
                WordCheck(word=word.text, known=word.text not in missing) for word in spoken.words
            )
            words = tuple(_looked_up(word, reference) for word in words)
            warnings = spoken.warnings
        return TextCheck(
            language=reference.index.language,
            index=reference.name,
            words=words,
            warnings=warnings,
        )

    return await to_thread.run_sync(checked)


def _looked_up(word: WordCheck, reference: Reference) -> WordCheck:
    pronouncer = reference.assessor.pronouncer
    if not word.known:
        return word
    found = pronouncer.pronounce(word.word)
    return _known(word.word, found.words[0].variants[0], pronouncer.inventory)


def _known(word: str, variant: PhoneSequence, inventory: PhoneInventory) -> WordCheck:
    return WordCheck(word=word, known=True, phones=variant.phones, ipa=_ipa(variant, inventory))


def _ipa(variant: PhoneSequence, inventory: PhoneInventory) -> tuple[str, ...]:
    return tuple(inventory.ipa(phone) for phone in variant.phones)


@router.post(
    "/pronunciations",
    summary="How a text is pronounced",
    response_model=Pronunciations,
    responses=_PROBLEMS,
)
async def pronunciations(asked: TextRequest, parts: Parts) -> Any:
    """Every word of a text with all its pronunciations, the commonest first."""

    def found() -> Pronunciations:
        reference = _reference(parts, asked)
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
                            phones=variant.phones,
                            ipa=_ipa(variant, inventory),
                            stress=variant.stress,
                            syllables=variant.syllables,
                            source=variant.source,
                        )
                        for variant in word.variants
                    ),
                )
                for word in spoken.words
            ),
            warnings=spoken.warnings,
        )

    return await to_thread.run_sync(found)


def _reference(parts: Service, asked: TextRequest) -> Reference:
    return parts.references.get(parts.references.choose(asked.index, asked.language))
