"""Signs that are spoken, and addresses: *&*, *§ 5*, *#1*, *bob@example.com*, *https://…*."""

from __future__ import annotations

import re

from nativeear.speech.tables import column
from nativeear.speech.text.numerals import Numeral, parse, plain
from nativeear.speech.text.spoken import Passage

SILENT = frozenset(".,;:!?\"'()[]{}…«»‹›„“”‚-–—―¿¡。、，！？；：「」『』")
"""Punctuation that nobody expects to hear."""

_TLD = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|tv|me|eu|uk|us|ca|au|nz|ie|de|at|ch|fr|be|"
    "es|mx|ar|cl|co|it|nl|pt|br|pl|ru|se|no|dk|fi|jp|cn|in"
)
_EXTENSION = (
    "pdf|txt|csv|docx?|xlsx?|pptx?|jpe?g|png|gif|svg|mp[34]|wav|zip|exe|html?|xml|json|js|py"
)
ADDRESS = re.compile(
    rf"""(?: (?:https?|ftp)://[^\s<>"«»“”]+ | www\.[^\s<>"«»“”]+ | mailto:[\w.+-]+@[\w.-]+
      | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
      | (?<![\w.@])[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:{_TLD})(?![\w-])(?:/[^\s<>"«»“”]*)?
      | (?<![\w.@])[A-Za-z0-9][\w-]*\.(?:{_EXTENSION})(?![\w-])
      | (?<![\w.])@\w+ ) (?<![.,:;!?)\]}}'"…])  # not the punctuation of the sentence""",
    re.VERBOSE,
)
_SHORTEST_WORD = 3  # letters; shorter words of an address are spelt, and those without a vowel


def read_address(match: re.Match[str], passage: Passage) -> str | None:
    """An address piece by piece, its protocol left out."""
    address = re.sub(r"^(?:(?:https?|ftp)://|mailto:)", "", match[0])
    names = symbols(passage.primary)
    spoken: list[str] = []
    for piece in re.findall(r"[^\W\d_]+|\d+|[@.+/_?=&#%:~-]", address):
        if piece == "-":
            spoken.append(names.get("address-", ""))
        elif piece.isalpha():
            spoken.append(_address_word(piece, passage))
        elif piece.isdecimal():
            spoken.append(plain(parse(piece, passage.language) or Numeral(piece), passage.language))
        else:
            spoken.append(names.get(piece, ""))
    return " ".join(filter(None, spoken)) or None


def _address_word(piece: str, passage: Passage) -> str:
    """A word of an address, or its letters where it is no word."""
    lower = piece.lower()
    has_vowel = re.search(r"[aeiouyà-öø-ÿ]", lower) is not None
    is_word = not lower.isascii() or (has_vowel and len(piece) >= _SHORTEST_WORD)
    return piece if is_word or lower in passage.words("address") else ".".join([*piece, ""])


def read_symbol(symbol: str, at: int, passage: Passage) -> str:
    """What a sign is called where it stands; empty where it is not spoken."""
    names, end = symbols(passage.primary), at + len(symbol)
    before, after = passage.text[at - 1 : at] if at else "", passage.text[end : end + 1]
    if symbol == "#" and (after.isdecimal() or after.isalpha()):
        return names.get("#1" if after.isdecimal() else "#a", names.get("#", ""))
    if symbol == "/" or (symbol in "*_~" and (before.isalnum() or after.isalnum())):
        return ""  # emphasis or an alternative, not a word
    if symbol in "<>" and not (after + passage.text[at + 2 : at + 3]).strip()[:1].isdecimal():
        return ""
    return names.get(symbol, "")


def symbols(primary: str) -> dict[str, str]:
    """Signs of a language and what they are called."""
    return column("symbols", primary, "symbol", "spoken")
