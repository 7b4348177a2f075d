"""Words and scores of speechocean762, in the shape that both of its releases share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nativeear.indexer.annotated_corpus import DELETED, AnnotatedPhone, AnnotatedWord

SCORE_NAMES = ("accuracy", "completeness", "fluency", "prosodic", "total")


def scored_words(scored: Any) -> tuple[AnnotatedWord, ...]:
    """The words of one utterance, as `scores.json` has them.

    Raises
    ------
    ValueError
        In a plain sentence, if they have another shape.
    """
    words = []
    try:
        for word in scored["words"]:
            phones = word["phones"]  # older releases write one string
            labels = phones.split() if isinstance(phones, str) else list(phones)
            ratings = [float(rating) for rating in word["phones-accuracy"]]
            if not labels or len(labels) != len(ratings):
                raise ValueError(
                    f"{word['text']}: {len(labels)} phones have {len(ratings)} scores."
                )
            heard = {
                int(item["index"]): _heard(item["pronounced-phone"])
                for item in word.get("mispronunciations", ())
            }
            rated = (
                AnnotatedPhone.rated(label, rating, heard.get(place))
                for place, (label, rating) in enumerate(zip(labels, ratings, strict=True))
            )
            words.append(AnnotatedWord(word["text"], tuple(rated), number(word, "accuracy")))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"its scores have another shape ({error!r}).") from error
    if not words:
        raise ValueError("it has no words.")
    return tuple(words)


def _heard(written: str) -> str | None:
    """What was heard; experts write `<unk>` for what is no phone, and mark a shade with `*`."""
    label = re.sub(r"[^A-Z]", "", written.upper())
    if label in {"DEL", "SIL", ""}:
        return DELETED
    return None if label == "UNK" else label


def number(scored: Mapping[str, Any], name: str) -> float | None:
    """A score of the utterance or word; None where there is none."""
    value = scored.get(name)
    return float(value) if isinstance(value, int | float) else None
