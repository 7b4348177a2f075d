"""Roman numerals of kings, centuries, wars and chapters: *Henry VIII*, *XXe siècle*, *Part II*."""

from __future__ import annotations

import re

from nativeear.speech.tables import table
from nativeear.speech.text.nouns import gender_of
from nativeear.speech.text.numerals import cardinal, ordinal
from nativeear.speech.text.ordinals import apocope, says_before
from nativeear.speech.text.spoken import Passage

PATTERN = re.compile(
    r"(?<![\w'.-])(?P<roman>[IVXLCDM]+)"
    r"(?P<mark>'s|ère|ème|er|re|e|\.(?=\ [a-zäöü]|\ ?$))?(?![\w'-])"
)
"""What could be a Roman numeral, with what is written after one."""

_VALID = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_LETTERS = frozenset("LCDM")  # Part C and type D have letters; Le, Ce, De, Mer, Mère are words
_LONGEST_FUNCTION_WORD = 3  # letters
_SURELY_NUMBER = 5  # letters; shorter ones with L, C, D or M are initialisms (CD, MD)
_SHORTEST_IN_CAPITALS = 3  # letters, where the whole text is in capitals
_HIGHEST_SPANISH_ORDINAL = 10


def read(match: re.Match[str], passage: Passage) -> str | None:
    """A Roman numeral by what stands before and after it; None for a word or an initialism."""
    value = _value(match["roman"])
    readers = (_after_noun, _after_name, _with_suffix, _alone) if value else ()
    return next((spoken for each in readers if (spoken := each(value, match, passage))), None)


def _value(numeral: str) -> int:
    """The value of a Roman numeral; 0 where it is not well formed."""
    if not _VALID.fullmatch(numeral):
        return 0
    values = [_VALUES[char] for char in numeral]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _after_noun(value: int, match: re.Match[str], passage: Passage) -> str:
    """*chapter IV*, *siglo XX*."""
    says = says_before(passage.primary, passage.word_before(match.start()))
    if says == "version" or match["roman"] in _LETTERS:
        return ""
    if says == "ordinal":
        return _limited_ordinal(value, passage, "m")
    return cardinal(value, passage.language) if says else ""


def _after_name(value: int, match: re.Match[str], passage: Passage) -> str:
    """*Henry VIII*."""
    language, primary = passage.language, passage.primary
    name = passage.word_before(match.start())
    gender = next((row["gender"] for row in table("regnal_names") if row["name"] == name), "")
    if not gender or (match[0] == "I" and primary == "en" and _is_pronoun(name, match, passage)):
        return ""
    if primary == "en":
        possessive = "'s" if match["mark"] == "'s" else ""
        return f"the {ordinal(value, language)}{possessive}"
    if primary == "de":
        return f"{'die' if gender == 'f' else 'der'} {ordinal(value, language)}e"
    if primary == "fr":
        return ordinal(1, language, gender) if value == 1 else cardinal(value, language)
    return _limited_ordinal(value, passage, gender)


def _is_pronoun(name: str, match: re.Match[str], passage: Passage) -> bool:
    """Whether an I after a name goes on: *Henry I think*, but *King Henry I*, *Henry I was*."""
    following = passage.word_after(match.end())
    title = passage.word_before(match.start() - len(name) - 1).lower()
    kingly = title in passage.words("titles") or following in passage.words("after-first")
    return bool(following) and not kingly


def _with_suffix(value: int, match: re.Match[str], passage: Passage) -> str:
    """*XXe siècle*, *Ier*."""
    mark = match["mark"]
    is_french = passage.primary == "fr" and mark in {"e", "er", "re", "ère", "ème"}
    if not is_french or match["roman"] in _LETTERS:
        return ""
    return ordinal(value, passage.language, "f" if mark in {"re", "ère"} else "m")


def _alone(value: int, match: re.Match[str], passage: Passage) -> str:
    """*XIV*, *II Guerra Mundial*, *the XXI century*."""
    primary, roman = passage.primary, match["roman"]
    following = passage.word_after(match.end())
    single_letter = primary == "es" and roman in {"I", "V", "X"} and following[:1].isupper()
    shortest = 2 if passage.mixed_case else _SHORTEST_IN_CAPITALS
    sure = set(roman) <= set("IVX") or len(roman) >= _SURELY_NUMBER
    number = len(roman) >= shortest and sure and not passage.known(roman)
    counts = primary in {"es", "it"} and len(following) > _LONGEST_FUNCTION_WORD
    counts = counts or following.lower() in passage.words("counted-in-roman")
    if single_letter or (number and counts):
        gender = gender_of(following, primary) or "m"
        return apocope(ordinal(value, passage.language, gender), primary)
    return cardinal(value, passage.language) if number else ""


def _limited_ordinal(value: int, passage: Passage, gender: str) -> str:
    """Spanish counts kings and centuries with ordinals up to ten; Italian always."""
    if value > _HIGHEST_SPANISH_ORDINAL and passage.primary != "it":
        return cardinal(value, passage.language)
    return ordinal(value, passage.language, gender)
