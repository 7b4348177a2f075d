"""Sentences to practise with, for the page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from nativeear.service.api.authentication import READ, allowed
from nativeear.service.api.models import Tag
from nativeear.service.api.problems import responses
from nativeear.service.practice import Practice, practice

router = APIRouter(prefix="/v1", tags=["texts"], dependencies=[Depends(allowed(READ))])


@router.get(
    "/practice",
    summary="List practice sets",
    response_model=Practice,
    responses=responses(401, 403, 422, 429, 503),
)
async def practice_sets(
    language: Annotated[Tag, Query(description="BCP 47 tag.", examples=["en-US"])],
) -> Any:
    """Sentences by what they train; none for a language that has no sets yet."""
    return practice(language)
