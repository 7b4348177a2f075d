"""How much work a contrast does in a language: how many common words it alone keeps apart.

Functional load in its simplest form, the count of minimal pairs (Martinet 1955; used to choose
what to teach by Brown 1988), here over the words of `minimal_pairs`. Counts of one
phone against another, and of a phone against nothing, are each divided by their largest.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from nativeear.scoring.feedback.minimal_pairs import NOTHING, pairs_of
from nativeear.speech.inventory import PhoneInventory


def functional_load(inventory: PhoneInventory, meant: str, heard: str) -> float | None:
    """Load of one contrast, from 0 to 1.

    Parameters
    ----------
    inventory
        The phones of the language.
    meant, heard
        Two symbols; `heard` is `minimal_pairs.NOTHING` for a phone that was left out.

    Returns
    -------
    float | None
        0 where no common word hangs on it; None where no lexicon ships.
    """
    loads = _loads(inventory)
    if loads is None:
        return None
    return loads.get((meant, heard), loads.get((heard, meant), 0.0))


@cache
def _loads(inventory: PhoneInventory) -> Mapping[tuple[str, str], float] | None:
    pairs = pairs_of(inventory)
    if pairs is None:
        return None
    counts = {contrast: len(found) for contrast, found in pairs.by_contrast.items()}
    largest: dict[bool, int] = {}
    for contrast, count in counts.items():
        sort = NOTHING in contrast
        largest[sort] = max(count, largest.get(sort, 1))
    return {contrast: count / largest[NOTHING in contrast] for contrast, count in counts.items()}
