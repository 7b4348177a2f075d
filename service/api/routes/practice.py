"""Sentences to practise with, and what is told of each sound, for the page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query

from nativeear.service.api.authentication import READ, KeyedRouter, allowed
from nativeear.service.api.models import Answer, Tag
from nativeear.service.api.problems import refusals
from nativeear.service.api.state import ServiceDep
from nativeear.service.practice import Practice, practice
from nativeear.service.sounds import Sound, sounds

router = KeyedRouter(prefix="/v1", tags=["texts"], dependencies=[Depends(allowed(READ))])


@router.get(
    "/practice",
    summary="List practice sets",
    response_model=Practice,
    responses=refusals(),
)
async def practice_sets(
    language: Annotated[Tag, Query(description="BCP 47 tag.", examples=["en-US"])],
) -> Any:
    """Sentences by what they train; none for a language that has no sets yet."""
    return practice(language)


class Sounds(Answer):
    """Every sound of a language."""

    language: str
    items: tuple[Sound, ...]


@router.get(
    "/practice/sounds",
    summary="Describe the sounds of a language",
    response_model=Sounds,
    responses=refusals(404),
)
def practice_sounds(
    service: ServiceDep,
    language: Annotated[Tag, Query(description="BCP 47 tag.", examples=["en-US"])],
) -> Any:
    """An example word, a respelling and the mouth for each phone, as far as they are known."""
    reference = service.references.get(service.references.choose(None, language))
    inventory = reference.index.inventory
    return Sounds(language=inventory.language, items=sounds(inventory))
