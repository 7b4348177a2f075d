"""What natives can be heard saying: the model of a text, and examples of a sound."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from fastapi import Depends, Path, Query

from nativeear.service.api.authentication import READ, KeyedRouter, allowed
from nativeear.service.api.models import Answer, Plain
from nativeear.service.api.problems import NotThereError, refusals
from nativeear.service.api.routes.indexes import IndexName
from nativeear.service.api.state import ServiceDep
from nativeear.service.native_speech import Example, SpokenWord

router = KeyedRouter(prefix="/v1", tags=["indexes"], dependencies=[Depends(allowed(READ))])

_NAMED = refusals(404)


class TextModel(Answer):
    """How natives say a text: whole, where it was recorded, and the words that were.

    Each lies in the recording of an utterance, between `start_s` and `end_s`.
    """

    sentence: SpokenWord | None
    words: tuple[SpokenWord, ...]


class Examples(Answer):
    """Examples of a phone; `start_s` and `end_s` are the sound's, `within` is its word."""

    items: tuple[Example, ...]


@router.get(
    "/indexes/{name}/model",
    summary="How natives say a text",
    response_model=TextModel,
    responses=_NAMED,
)
def model(
    name: IndexName,
    service: ServiceDep,
    text: Annotated[str, Query(min_length=1, max_length=1000, description="What is said."), Plain],
) -> Any:
    """Native recordings of a text and of its words, as far as the index keeps any."""
    sentence, words = service.references.get(name).native_speech.said(text)
    return TextModel(sentence=sentence, words=words)


@router.get(
    "/indexes/{name}/phones/{phone}/examples",
    summary="Hear a sound in natives' words",
    response_model=Examples,
    responses=_NAMED,
)
def examples(
    name: IndexName,
    phone: Annotated[str, Path(max_length=20, description="A phone of the index."), Plain],
    service: ServiceDep,
    word: Annotated[str | None, Query(max_length=100, description="Wanted most."), Plain] = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 3,
) -> Any:
    """Examples of a phone by natives whose recordings are kept, the most typical first."""
    reference = service.references.get(name)
    if phone not in reference.index.inventory:
        raise NotThereError(
            f"The index {name} has no phone {phone!r}.",
            fix=f"See /v1/indexes/{name} for its phones.",
        )
    wanted = (word.lower(),) if word else ()
    found = reference.native_speech.examples_of(phone, wanted)
    return Examples(items=tuple(islice(found, limit)))
