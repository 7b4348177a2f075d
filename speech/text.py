"""Running text to the words that are spoken: numbers, abbreviations, symbols, hyphens, case.

What a language writes and says lies in tables (`languages.csv`, `symbols.csv`, `currencies.csv`,
`abbreviations.csv` under `speech/data`); numbers are spelt out by num2words. Whatever is read in
a way that a person may not expect, or left out, is named in a warning; ordinary punctuation is
silent and passes without one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module

from speech.inventory import primary_subtag
from speech.tables import table

_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ＇′`´"), "'")
_HYPHENS = dict.fromkeys(map(ord, "‐‑"), "-")
_THIN_SPACE = "\u2009"
# Spaces that only ever stand inside a number where digits are on both sides.
_INNER_SPACES = f"\u00a0\u202f{_THIN_SPACE}"
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"), None)
_SILENT = frozenset(".,;:!?\"'()[]{}…«»‹›„“”‚-–—―¿¡。、，！？；：「」『』")

# Letters with their combining marks; Indic, Thai and Arabic vowel signs are marks to Unicode.
_LETTER = (
    r"(?:(?![\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u218b])[^\W\d_]|[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0670"
    r"\u0900-\u0963\u0971-\u0e30\u0e31\u0e34-\u0e4e])"
)
_TOKEN = re.compile(
    rf"""
    (?P<address>https?://\S+ | www\.[\w.-]*\w | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
        | (?<![\w.])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|io)\b)
  | (?P<dotted>(?<!\w)(?:{_LETTER}\.){{1,}}{_LETTER}(?:\.|(?!\w)))
  | (?P<money>(?P<coin>[$€£¥₽])\s?(?P<amount>\d+(?:[.,\u2009]\d+)*)
        (?:\s(?P<scale>hundred|thousand|million|billion|trillion)\b)?)
  | (?P<price>(?P<sum>\d+(?:[.,\u2009]\d+)*)\s?(?P<mint>[$€£¥₽]))
  | (?P<time>(?<!\d)(?:[01]?\d|2[0-4]):[0-5]\d(?!\d))
  | (?P<plural>(?:(?<!\w)'|(?<![\d.,]))\d+s\b)
  | (?P<ordinal>\b\d+(?:st|nd|rd|th|er|re|e|ème|º|ª)\b|\b\d+[ºª])
  | (?P<joined>(?-i:\b[A-Z]{{1,3}}&[A-Z]{{1,3}}\b))
  | (?P<range>\b\d+(?:-\d+)+\b)
  | (?P<number>(?:(?<![\w.)])[-−])?\d+(?:[.,\u2009]\d+)*)
  | (?P<word>'?{_LETTER}+(?:['-]{_LETTER}+)*'?)
  | (?P<symbol>\S)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LONGEST_INITIALISM = 4  # letters; longer unknown ones in capitals are mostly said as words
_LONGEST_NUMBER = 6  # digits; longer ones without separators are telephone numbers and the like


@dataclass(frozen=True)
class TextWord:
    """One spoken word.

    Attributes
    ----------
    text
        As displayed.
    spoken
        As looked up; mostly the same.
    spelt
        Said letter by letter (`PBX`).
    """

    text: str
    spoken: str
    spelt: bool = False


@dataclass(frozen=True)
class SpokenText:
    """The words of a text in reading order, and what was done to it."""

    words: tuple[TextWord, ...]
    warnings: tuple[str, ...] = ()


def normalise(
    text: str, language: str = "en-US", known: Callable[[str], bool] | None = None
) -> SpokenText:
    """The spoken words of a text.

    Parameters
    ----------
    text
        Running text with punctuation, or none.
    language
        BCP 47 tag.
    known
        Whether a lexicon has a word: it decides on hyphens, apostrophes at the edges, and
        whether capitals are spelt. Without it nothing is known.
    """
    return _Reading(language, known or (lambda _: False)).read(text)


@dataclass
class _Reading:
    """One pass over one text."""

    language: str
    known: Callable[[str], bool]
    words: list[TextWord] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    text: str = ""

    def read(self, text: str) -> SpokenText:
        text = unicodedata.normalize("NFC", text)
        self.text = text.translate(_APOSTROPHES | _HYPHENS | _INVISIBLE)
        self.text = re.sub(r"(?<=\d)[–—](?=\d)", "-", self.text)
        self.text = self._grouped(self.text)
        at = 0
        while match := _TOKEN.search(self.text, at):
            # A handler that looked ahead (an abbreviation takes its full stop) says how far.
            at = self._take(match) or match.end()
        return SpokenText(tuple(self.words), tuple(self.warnings))

    @property
    def _primary(self) -> str:
        return primary_subtag(self.language)

    def _grouped(self, text: str) -> str:
        """Digits in groups of three made one token: *1 234 567*."""
        row = _languages().get(self._primary)
        # An ordinary space may also part two numbers; only these languages group with it.
        spaces = _INNER_SPACES + (" " if row is not None and row["group"].isspace() else "")
        return re.sub(
            rf"(?<![\d.,])(?<!\d[{spaces}])\d{{1,3}}(?:[{spaces}]\d{{3}})+(?![{spaces}]?\d)",
            lambda match: re.sub(r"\s", _THIN_SPACE, match[0]),
            text,
        )

    @property
    def _mixed_case(self) -> bool:
        return any(char.islower() for char in self.text)

    def _take(self, match: re.Match[str]) -> int | None:
        kind, token = match.lastgroup, match[0]
        if match["money"] or match["price"]:
            self._money(match)
        elif kind == "word":
            return self._word(match)
        elif kind == "symbol":
            self._symbol(match)
        elif kind == "address":
            self._address(token)
        elif kind == "dotted":
            return self._dotted(match)
        elif kind == "time":
            self._say(token, self._time(token))
        elif kind == "plural":
            self._say(token, self._plural(token))
        elif kind == "joined":
            self._joined(token)
        elif kind == "ordinal":
            self._say(token, _number(int(re.match(r"\d+", token)[0]), self.language, "ordinal"))  # type: ignore[index]
        elif kind == "range":
            self._say(token, self._range(token))
        else:
            self._say(token, self._number(token))
        return None

    # Words --------------------------------------------------------------------------------------

    def _word(self, match: re.Match[str]) -> int | None:
        token = match[0]
        spoken, end = self._abbreviation(match)
        if spoken:
            self._say(token, spoken)
            return end
        token = self._trim(token)
        if "-" not in token or self.known(token):
            self._add(token)
        elif self.known(token.replace("-", "")):
            self.words.append(TextWord(token, token.replace("-", "")))
        else:
            for part in token.split("-"):
                self._add(self._trim(part))
        return None

    def _trim(self, token: str) -> str:
        """Without the apostrophes that are quotation marks: *'hello'*, but not *'cause*."""
        for form in (token, token.removeprefix("'"), token.removesuffix("'")):
            if self.known(form):
                return form
        return token.strip("'")

    def _add(self, token: str) -> None:
        if not token:
            return
        spelt = self._is_initialism(token)
        if spelt:
            self.warnings[f'"{token}" was read letter by letter.'] = None
        self.words.append(TextWord(token, token, spelt))

    def _is_initialism(self, token: str) -> bool:
        # Elsewhere espeak-ng decides by itself what it spells.
        letters = re.sub(r"(?:'?s)$", "", token)
        if self._primary != "en" or len(letters) < 2 or not letters.isupper():
            return False
        if self.known(token) or not letters.isalpha():
            return False
        if not re.search("[AEIOUY]", letters):
            return True
        if self._mixed_case:
            return len(letters) <= _LONGEST_INITIALISM
        # All in capitals: case says nothing, and only a short word alone is likely to be one.
        return len(letters) < _LONGEST_INITIALISM and self.text.strip() == token

    def _abbreviation(self, match: re.Match[str]) -> tuple[str, int]:
        token, end = match[0], match.end()
        stopped = self.text[end : end + 1] == "."
        before, after = self.text[: match.start()].rstrip(), self.text[end:].lstrip(". ")
        for spoken, rule in _abbreviations().get((self._primary, token.lower()), ()):
            if rule == "upper":
                fits = token.isupper() and self._mixed_case
            elif rule == "after-number":
                fits = before[-1:].isdigit()
            elif rule == "before-name":
                fits = stopped and after[:1].isupper()
            elif rule == "before-number":
                fits = stopped and after[:1].isdigit()
            else:
                fits = stopped
            if fits:
                return spoken, end + (stopped and rule != "upper")
        return "", end

    def _dotted(self, match: re.Match[str]) -> int | None:
        token = match[0]
        bare = token.rstrip(".")
        spoken = _abbreviations().get((self._primary, bare.lower()), ())
        if spoken:
            self._say(token, spoken[0][0])
        elif token.count(".") == 1 and not token.endswith("."):
            # Two sentences run together, or a clock "p.m" without its second stop.
            self._spelt(token) if token.lower() in {"a.m", "p.m"} else self._apart(token)
        else:
            self._spelt(token)
        return None

    def _spelt(self, token: str) -> None:
        self.words.append(TextWord(token, token.replace(".", ""), spelt=True))

    def _joined(self, token: str) -> None:
        """Letters around an ampersand: *AT&T*, *R&B*."""
        first, second = token.split("&")
        joint = _symbols().get(self._primary, {}).get("&", "")
        said = [TextWord(first, first, spelt=True)]
        said += [TextWord(word, word) for word in joint.split()]
        self.words += [*said, TextWord(second, second, spelt=True)]
        self.warnings[
            f'"{token}" was read as "{" ".join(word.text for word in said)} {second}".'
        ] = None

    def _apart(self, token: str) -> None:
        for part in token.split("."):
            self._add(part)

    def _say(self, written: str, spoken: str) -> None:
        """Add the words of a spoken form and say so."""
        if re.fullmatch(r"(?:\w\.)+", spoken):
            self.warnings[f'"{written}" was read letter by letter.'] = None
            self.words.append(TextWord(written, spoken.replace(".", ""), spelt=True))
        elif spoken != written:
            self.warnings[f'"{written}" was read as "{spoken}".'] = None
            self.words += [TextWord(word, word) for word in spoken.split()]
        else:
            self.words.append(TextWord(written, written))

    # Symbols ------------------------------------------------------------------------------------

    def _symbol(self, match: re.Match[str]) -> None:
        symbol = match[0]
        if symbol in _SILENT:
            return
        table = _symbols().get(self._primary, {})
        before = self.text[match.start() - 1 : match.start()] if match.start() else ""
        after = self.text[match.end() : match.end() + 1]
        spoken = table.get(symbol, "")
        if symbol == "#" and after.isdigit():
            spoken = table.get("#1", spoken)
        elif symbol == "#" and after.isalpha():
            spoken = table.get("#a", spoken)
        elif symbol in "*_~" and (before.isalnum() or after.isalnum()):
            spoken = ""  # emphasis, not a word
        if spoken:
            self._say(symbol, spoken)
        else:
            self.warnings[f'"{symbol}" is not spoken and was left out.'] = None

    def _address(self, token: str) -> None:
        table = _symbols().get(self._primary, {})
        said: list[TextWord] = []
        for piece in re.findall(r"[^\W\d_]+|\d+|[@.+]", re.sub(r"^https?://", "", token)):
            if piece in {"@", ".", "+"}:
                said += [TextWord(word, word) for word in table.get(piece, "").split()]
            elif piece.isdigit():
                said += [TextWord(word, word) for word in self._number(piece).split()]
            else:
                vowel = re.search("[aeiouy]", piece, re.IGNORECASE)
                said.append(TextWord(piece, piece, spelt=not vowel and self._primary == "en"))
        self.words += said
        self.warnings[f'"{token}" was read as "{" ".join(word.text for word in said)}".'] = None

    # Numbers ------------------------------------------------------------------------------------

    def _number(self, token: str) -> str:
        sign = token[0] in "-−"
        digits = token.lstrip("-−")
        value = _parse_number(digits, self._primary)
        if value is None:
            spoken = " ".join(
                self._number(part)
                if part.isdigit()
                else _symbols().get(self._primary, {}).get(".", "")
                for part in re.findall(r"\d+|\.", digits)
            )
        elif digits.isdigit() and _is_code(digits):
            spoken = self._digits(digits)
        else:
            year = digits.isdigit() and len(digits) == 4 and _is_year(int(digits))
            spoken = _number(value, self.language, "year" if year else "cardinal")
        minus = _symbols().get(self._primary, {}).get("−", "") if sign else ""
        return f"{minus} {spoken}".strip()

    def _digits(self, digits: str) -> str:
        return " ".join(_number(int(digit), self.language) for digit in digits if digit.isdigit())

    def _range(self, token: str) -> str:
        parts = token.split("-")
        if len(parts) > 2 or any(_is_code(part) for part in parts) or len(parts[0]) == 3:
            return self._digits(token)
        to = _symbols().get(self._primary, {}).get("-", "")
        return f" {to} ".join(self._number(part) for part in parts)

    def _time(self, token: str) -> str:
        hour, minute = map(int, token.split(":"))
        said = _number(hour, self.language)
        if self._primary == "en" and minute < 10:
            return f"{said} o'clock" if not minute else f"{said} oh {_number(minute, 'en')}"
        return said if not minute else f"{said} {_number(minute, self.language)}"

    def _plural(self, token: str) -> str:
        number = re.sub(r"\D", "", token)
        if self._primary != "en":
            return self._number(number)
        to = "year" if len(number) > 2 and number.endswith("0") else "cardinal"
        *front, last = _number(int(number), self.language, to).split()
        if last.endswith("y"):
            last = f"{last[:-1]}ies"
        else:
            last += "es" if last.endswith("x") else "s"
        return " ".join([*front, last])

    def _money(self, match: re.Match[str]) -> None:
        sign, amount = match["coin"] or match["mint"], match["amount"] or match["sum"]
        names = _currencies().get((self._primary, sign))
        value = _parse_number(amount, self._primary)
        if names is None or value is None:
            self._say(amount, self._number(amount))
            self.warnings[f'"{sign}" is not spoken and was left out.'] = None
            return
        whole, cents = int(value), int(value % 1 * 100)
        if match["scale"]:
            spoken = f"{_number(value, self.language)} {match['scale'].lower()} {names['many']}"
        else:
            spoken = f"{_number(whole, self.language)} {names['one' if whole == 1 else 'many']}"
            if cents and names["cents"]:
                joint = "and " if self._primary == "en" else ""
                coin = names["cent" if cents == 1 else "cents"]
                spoken += f" {joint}{_number(cents, self.language)} {coin}"
        self._say(match[0], spoken)


def script_of(language: str) -> str | None:
    """The script that a language is written in (`LATIN`), None where no table says."""
    row = _languages().get(primary_subtag(language))
    return row["script"] if row else None


def _number(value: int | Decimal, language: str, to: str = "cardinal") -> str:
    """A number in words; in digits, which espeak-ng reads, where num2words lacks the language."""
    if value % 1 and primary_subtag(language) == "en":
        # Digit by digit: *two point five zero*.
        whole, _, digits = str(value).partition(".")
        said = " ".join(_number(int(digit), language) for digit in digits)
        return f"{_number(int(whole), language)} point {said}"
    # num2words drops the fraction of a Decimal in some languages.
    plain = float(value) if value % 1 else int(value)
    for name in (language.replace("-", "_"), primary_subtag(language)):
        try:
            spoken = str(import_module("num2words").num2words(plain, lang=name, to=to))
        except (NotImplementedError, KeyError, AttributeError):
            continue
        spoken = re.sub(r"[-,]+", " ", spoken.replace("­", ""))
        if language in {"en", "en-US"}:
            spoken = spoken.replace(" and ", " ")
        return " ".join(spoken.split())
    return str(value)


def _parse_number(digits: str, primary: str) -> Decimal | None:
    digits = digits.replace(_THIN_SPACE, "")
    row = _languages().get(primary, {"decimal": ".", "group": ","})
    decimal, group = row["decimal"], row["group"]
    if re.fullmatch(
        rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(decimal)}\d+)?", digits
    ):
        digits = digits.replace(group, "")
    try:
        value = Decimal(digits.replace(decimal, "."))
    except InvalidOperation:
        return None
    return value


def _is_year(value: int) -> bool:
    return 1100 <= value < 2000 or 2010 <= value < 2100


def _is_code(digits: str) -> bool:
    return len(digits) > _LONGEST_NUMBER or (len(digits) > 1 and digits[0] == "0")


@cache
def _languages() -> dict[str, dict[str, str]]:
    return {row["language"]: row for row in table("languages")}


@cache
def _symbols() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in table("symbols"):
        found.setdefault(row["language"], {})[row["symbol"]] = row["spoken"]
    return found


@cache
def _currencies() -> dict[tuple[str, str], dict[str, str]]:
    return {(row["language"], row["symbol"]): row for row in table("currencies")}


@cache
def _abbreviations() -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    found: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for row in table("abbreviations"):
        key = row["language"], row["written"].lower()
        found[key] = (*found.get(key, ()), (row["spoken"], row["rule"]))
    return found
