"""Times of day: *3:00 pm*, *14h30*, *14:30 Uhr*, *ore 14.30*."""

from __future__ import annotations

import re

from nativeear.speech.tables import word_set
from nativeear.speech.text.numerals import agree, cardinal, word
from nativeear.speech.text.spoken import Passage

_HALF = r"(?P<half{}>[ap])\.?\ ?m(?:\.|\b)"
PATTERN = re.compile(
    rf"""(?<![\w:.,])(?:
        (?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])
            (?:\ ?{_HALF.format("")})?(?:\ ?(?P<unit>uhr|hrs?|horas?|heures?|h)\b(?!\.\w)\.?)?
      | (?P<hour12>1[0-2]|0?[1-9])(?:\.(?P<minute12>[0-5]\d))?\ ?{_HALF.format("12")}
      | (?P<hourh>[01]?\d|2[0-4])\ ?h\ ?(?P<minuteh>[0-5]\d)(?:\ ?min)?(?!\w)
      | (?P<hourdot>[01]?\d|2[0-4])\.(?P<minutedot>[0-5]\d)(?![\d.,])(?:\ ?(?P<unitdot>uhr|h)\b)?
      | (?P<houruhr>[01]?\d|2[0-4])\ uhr\b )""",
    re.VERBOSE | re.IGNORECASE,
)


def read(match: re.Match[str], passage: Passage) -> str | None:
    """A time in words; None where it is something else."""
    primary, language = passage.primary, passage.language
    dotted = match["hourdot"] and not match["unitdot"]
    before = passage.word_before(match.start()).lower()
    if dotted and before not in word_set("before-time", primary):
        return None
    if match["houruhr"] and primary != "de":
        return None
    hour = next(int(match[name]) for name in _HOURS if match[name])
    minute = next((int(match[name]) for name in _MINUTES if match[name]), 0)
    half = match["half"] or match["half12"]
    if half and not minute:
        said = agree(cardinal(hour, language), language, _GENDERS.get(primary, ""))
    else:
        said = _READERS.get(primary, _plain)(hour, minute, language)
    if match["second"]:
        said += f" {cardinal(int(match['second']), language)}"
    if primary == "es" and (match["unit"] or match["unitdot"]):
        said += " horas"
    return f"{said} {half.upper()}.M." if half else said


_HOURS = ("hour", "hour12", "hourh", "hourdot", "houruhr")
_MINUTES = ("minute", "minute12", "minuteh", "minutedot")
_GENDERS = {"es": "f", "it": "f", "fr": "f"}


def _english(hour: int, minute: int, language: str) -> str:
    said = cardinal(hour, language)
    if minute >= 10:
        return f"{said} {cardinal(minute, language)}"
    if minute:
        return f"{said} {word('oh', language)} {cardinal(minute, language)}"
    return f"{said} {word('oclock' if 1 <= hour <= 12 else 'hundred', language)}"


def _french(hour: int, minute: int, language: str) -> str:
    said = agree(cardinal(hour, language), language, "f")
    name = word("hour" if hour < 2 else "hours", language)
    return f"{said} {name} {cardinal(minute, language) if minute else ''}".strip()


def _german(hour: int, minute: int, language: str) -> str:
    said = agree(cardinal(hour, language), language, "m")
    return (
        f"{said} {word('hours', language)} {cardinal(minute, language) if minute else ''}".strip()
    )


def _romance(hour: int, minute: int, language: str) -> str:
    """Spanish and Italian: the hour is feminine, and minutes below ten have a nought."""
    said = agree(cardinal(hour, language), language, "f")
    if not minute:
        return said
    zero = word("zero", language) if minute < 10 else ""
    parts = (said, word("time", language), zero, cardinal(minute, language))
    return " ".join(filter(None, parts))


def _plain(hour: int, minute: int, language: str) -> str:
    said = cardinal(hour, language)
    return f"{said} {cardinal(minute, language)}" if minute else said


_READERS = {"en": _english, "fr": _french, "de": _german, "es": _romance, "it": _romance}
