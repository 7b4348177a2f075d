"""What a catalogue of texts in another language has to have beside English."""

import re
from collections.abc import Mapping

PLURALS = {  # the forms of whole numbers, by Unicode's rules
    "en": ("one", "other"),
    "de": ("one", "other"),
    "es": ("one", "other"),
    "fr": ("one", "other"),
    "it": ("one", "other"),
    "ru": ("one", "few", "many", "other"),
    "zh": ("other",),
}
_FORM = re.compile(r"\.(?:zero|one|two|few|many|other)$")
_PLACE = re.compile(r"\{\w+\}")


def lacks(own: Mapping[str, str], english: Mapping[str, str], tag: str) -> list[str]:
    """What a catalogue lacks or has too much of: keys, forms of numbers, and places in texts."""
    counted = {
        stem for key in english if key.endswith(".other") and (stem := key[:-6]) + ".one" in english
    }
    wanted = {key for key in english if _FORM.sub("", key) not in counted}
    wanted |= {f"{stem}.{form}" for stem in counted for form in PLURALS[tag]}
    found = sorted(wanted ^ set(own))
    for key in wanted & set(own):
        stem = _FORM.sub("", key)
        told = english[f"{stem}.other" if stem in counted else key]
        places = sorted(_PLACE.findall(told))
        given = sorted(_PLACE.findall(own[key]))
        whole = set(given) <= set(places) if stem in counted else given == places  # “one” is a word
        if not (own[key].strip() and whole):
            found.append(key)
    return found
