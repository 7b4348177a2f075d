"""What a page tells a learner to do, worked out for every phone and every pair of phones.

Nothing of it depends on a recording, so that a page looks it up and works out nothing.
"""

from __future__ import annotations

from typing import Any

from nativeear.scoring.feedback.articulation import Cue, how_to_change, how_to_make
from nativeear.scoring.feedback.minimal_pairs import NOTHING, pairs_of
from nativeear.scoring.feedback.sentences import ENGLISH, texts
from nativeear.speech.first_languages import known_first_languages
from nativeear.speech.inventory import PhoneInventory


def advice_of(inventory: PhoneInventory) -> dict[str, Any]:
    """Advice by phone, pairs of words by contrast, and which sounds first languages have.

    `make` `{phone: advice}` and `change` `{heard: {meant: advice}}` number what is in `cues`, whose
    texts `texts` has in English by their keys;
    `contrasts` has under two phones, parted by a space, how much hangs on them and words to
    practise, that of the first phone first; `first_languages` say which phones each `has` and
    `lacks`, of those that can be told.
    """
    cues: dict[tuple[Cue, ...], int] = {}

    def numbered(told: tuple[Cue, ...]) -> int:
        return cues.setdefault(told, len(cues))

    make = {phone.symbol: numbered(how_to_make(phone)) for phone in inventory}
    change = {
        heard.symbol: {
            meant.symbol: numbered(how_to_change(heard, meant))
            for meant in inventory
            if meant is not heard
        }
        for heard in inventory
    }
    return {
        "texts": texts(ENGLISH),
        "cues": list(cues),
        "make": make,
        "change": change,
        "contrasts": _contrasts(inventory),
        "first_languages": _first_languages(inventory),
    }


def _contrasts(inventory: PhoneInventory) -> dict[str, Any]:
    pairs = pairs_of(inventory)
    symbols = (NOTHING, *inventory.symbols)
    return {
        f"{meant} {heard}": [pairs.load(meant, heard), pairs.to_practise(meant, heard)]
        for meant in inventory.symbols
        for heard in symbols
        if pairs is not None and pairs.of(meant, heard)
    }


def _first_languages(inventory: PhoneInventory) -> list[dict[str, Any]]:
    return [
        {
            "names": names,
            "tag": language.tag,
            "name": language.name,
            "has": [
                phone.symbol
                for phone in inventory
                if phone.kind != "diphthong" and language.has(phone.ipa)
            ],
            "lacks": [phone.symbol for phone in inventory if language.note(phone)],
        }
        for names, language in known_first_languages()
    ]
