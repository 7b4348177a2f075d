"""Times of day: *3:00 pm*, *14h30*, *14:30 Uhr*, *ore 14.30*. `times.csv` has how they are said."""

from __future__ import annotations

import re

from nativeear.speech.tables import rows_of
from nativeear.speech.text.numerals import agree, cardinal
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
    if dotted and before not in passage.words("before-time"):
        return None
    if match["houruhr"] and primary != "de":
        return None
    groups = {name: value for name, value in match.groupdict().items() if value}
    hour = next(int(value) for name, value in groups.items() if name.startswith("hour"))
    minute = next((int(v) for name, v in groups.items() if name.startswith("minute")), 0)
    half = match["half"] or match["half12"]
    spoken = _time_words(str(hour), "half" if half and not minute else str(minute), passage)
    if match["second"]:
        spoken += f" {cardinal(int(match['second']), language)}"
    if primary == "es" and (match["unit"] or match["unitdot"]):
        spoken += " horas"
    return f"{spoken} {half.upper()}.M." if half else spoken


def _time_words(hour: str, minute: str, passage: Passage) -> str:
    """By the first row of the language that fits hour and minute, or one number after the other."""
    language = passage.language
    names = {"hour": cardinal(hour, language)}
    names["minute"] = cardinal(minute, language) if minute.isdecimal() else ""
    for row in rows_of("times", passage.primary):
        if re.fullmatch(row["hour"], hour) and re.fullmatch(row["minute"], minute):
            names["hour"] = agree(names["hour"], language, row["gender"])
            return row["spoken"].format(**names)
    return names["hour"] if minute in {"0", "half"} else "{hour} {minute}".format(**names)
