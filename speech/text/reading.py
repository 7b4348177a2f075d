"""One pass over a text: at each place the first kind of writing that fits is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from nativeear.speech.text import (
    abbreviations,
    amounts,
    dates,
    fractions,
    magnitudes,
    numbers,
    ordinals,
    roman,
    symbols,
    times,
    words,
)
from nativeear.speech.text.cleaning import clean
from nativeear.speech.text.spoken import Passage, SpokenText, TextWord, spoken_words

_Reader = Callable[[re.Match[str], Passage], str | None]
_ELIDING = frozenset({"ca", "fr", "it"})
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u20e3\U000e0020-\U000e007f]+|\\S"
)


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
    cleaned, warnings = clean(text, language)
    scan = _Scan(Passage(cleaned, language, known or (lambda _: False)), warnings)
    at = 0
    while at < len(cleaned):
        at = at + 1 if cleaned[at].isspace() else scan.read(at)
    return SpokenText(tuple(scan.words), tuple(scan.warnings))


@cache
def _kinds(primary: str) -> tuple[tuple[re.Pattern[str], _Reader], ...]:
    """What is looked for at a place, in this order: the closer description first."""
    return (
        (symbols.ADDRESS, symbols.read_address),
        (dates.NUMERIC, dates.read_numeric),
        (dates.written(primary), dates.read_written),
        (abbreviations.pattern(primary), abbreviations.read),
        (times.PATTERN, times.read),
        (numbers.TELEPHONE, numbers.read_telephone),
        (amounts.money_pattern(primary), amounts.read_money),
        (ordinals.DECADE, ordinals.read_decade),
        (amounts.HEIGHT, amounts.read_height),
        (fractions.VULGAR, fractions.read_vulgar),
        (fractions.FRACTION, fractions.read_fraction),
        (amounts.unit_pattern(primary), amounts.read_unit),
        (magnitudes.pattern(primary), magnitudes.read),
        (ordinals.GERMAN, ordinals.read_german),
        (ordinals.ORDINAL, ordinals.read_ordinal),
        (numbers.VERSION, numbers.read_version),
        (numbers.TIMES, numbers.read_times),
        (numbers.RANGE, numbers.read_range),
        (numbers.NUMBER, numbers.read_number),
        (numbers.UNTIL, numbers.read_until),
        (amounts.fraction_unit_pattern(primary), amounts.read_fraction_unit),
        (roman.PATTERN, roman.read),
        (words.JOINED, words.read_joined),
        (words.LETTER_SIGN, words.read_letter_sign),
    )


class _Scan:
    """One pass over one text: the words so far, and warnings in order, each once."""

    def __init__(self, passage: Passage, warnings: tuple[str, ...]) -> None:
        self._passage = passage
        self.words: list[TextWord] = []
        self.warnings = dict.fromkeys(warnings)

    def read(self, at: int) -> int:
        """Read what begins at a place, and say where it ends."""
        passage, text = self._passage, self._passage.text
        elided = words.ELIDED.match(text, at) if passage.primary in _ELIDING else None
        if elided:
            first = len(self.words)
            end = self.read(elided.end())
            # Join it to the number after it: *l'otto*.
            word = self.words[first]
            self.words[first] = TextWord(elided[0] + word.text, elided[0] + word.spoken)
            return end
        for pattern, read in _kinds(passage.primary):
            match = pattern.match(text, at)
            spoken = read(match, passage) if match and match[0] else None
            if match and spoken is not None:
                self._add_spoken(match[0].strip(), spoken)
                return match.end()
        for pattern, each in ((words.DOTTED, words.read_dotted), (words.WORD, words.read_word)):
            match = pattern.match(text, at)
            if match:
                self._add_words(each(match, passage))
                return match.end()
        return self._symbol(at)

    def _add_spoken(self, written: str, spoken: str) -> None:
        """Add the words of a spoken form and warn of it."""
        found = spoken_words(written, spoken)
        self.words += found
        if len(found) == 1 and found[0].spelt:
            self.warnings[f'"{written}" was read letter by letter.'] = None
        elif spoken != written:
            read_as = " ".join(word.text for word in found)
            self.warnings[f'"{written}" was read as "{read_as}".'] = None

    def _add_words(self, found: Iterator[tuple[TextWord, str]]) -> None:
        for word, warning in found:
            self.words.append(word)
            if warning:
                self.warnings[warning] = None

    def _symbol(self, at: int) -> int:
        match = _EMOJI.match(self._passage.text, at)
        symbol = match[0] if match else self._passage.text[at]
        if symbol not in symbols.SILENT:
            if spoken := symbols.read_symbol(symbol, at, self._passage):
                self._add_spoken(symbol, spoken)
            else:
                self.warnings[f'"{symbol}" is not spoken and was left out.'] = None
        return at + len(symbol)
