"""One pass over a text: at each place the first kind of writing that fits is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from nativeear.speech.text import (
    abbreviations,
    dates,
    fractions,
    magnitudes,
    money,
    numbers,
    ordinals,
    roman,
    symbols,
    times,
    units,
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
    passage = Passage(cleaned, language, known or (lambda _: False))
    return _Scan(passage, dict.fromkeys(warnings)).read()


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
        (money.pattern(primary), money.read),
        (ordinals.DECADE, ordinals.read_decade),
        (units.HEIGHT, units.read_height),
        (fractions.VULGAR, fractions.read_vulgar),
        (fractions.FRACTION, fractions.read_fraction),
        (units.pattern(primary), units.read),
        (magnitudes.pattern(primary), magnitudes.read),
        (ordinals.GERMAN, ordinals.read_german),
        (ordinals.ORDINAL, ordinals.read_ordinal),
        (numbers.VERSION, numbers.read_version),
        (numbers.TIMES, numbers.read_times),
        (numbers.RANGE, numbers.read_range),
        (numbers.NUMBER, numbers.read_number),
        (numbers.UNTIL, numbers.read_until),
        (units.after_fraction(primary), units.read_after_fraction),
        (roman.PATTERN, roman.read),
        (words.JOINED, words.read_joined),
        (words.LETTER_SIGN, words.read_letter_sign),
    )


@dataclass
class _Scan:
    """One pass over one text."""

    passage: Passage
    warnings: dict[str, None]
    said: list[TextWord] = field(default_factory=list)

    def read(self) -> SpokenText:
        """Everything, from the start to the end."""
        text, at = self.passage.text, 0
        while at < len(text):
            at = at + 1 if text[at].isspace() else self._next(at)
        return SpokenText(tuple(self.said), tuple(self.warnings))

    def _next(self, at: int) -> int:
        """Read what begins at a place, and say where it ends."""
        text = self.passage.text
        elided = words.ELIDED.match(text, at) if self.passage.primary in _ELIDING else None
        if elided:
            first = len(self.said)
            end = self._next(elided.end())
            self._lean(elided[0], first)
            return end
        for pattern, read in _kinds(self.passage.primary):
            match = pattern.match(text, at)
            spoken = read(match, self.passage) if match and match[0] else None
            if match and spoken is not None:
                written = match[0]
                if pattern is symbols.ADDRESS:
                    written = symbols.trimmed(written)
                self._say(written.strip(), spoken)
                return at + len(written)
        for pattern, each in ((words.DOTTED, words.read_dotted), (words.WORD, words.read_word)):
            match = pattern.match(text, at)
            if match:
                self._add(each(match, self.passage))
                return match.end()
        return self._symbol(at)

    def _lean(self, elided: str, first: int) -> None:
        """Join an elided word to the number after it: *l'otto*."""
        word = self.said[first]
        self.said[first] = TextWord(elided + word.text, elided + word.spoken)

    def _say(self, written: str, spoken: str) -> None:
        """Add the words of a spoken form and say so."""
        found = spoken_words(written, spoken)
        self.said += found
        if len(found) == 1 and found[0].spelt:
            self.warnings[f'"{written}" was read letter by letter.'] = None
        elif spoken != written:
            told = " ".join(word.text for word in found)
            self.warnings[f'"{written}" was read as "{told}".'] = None

    def _add(self, found: Iterator[tuple[TextWord, str]]) -> None:
        for word, warning in found:
            self.said.append(word)
            if warning:
                self.warnings[warning] = None

    def _symbol(self, at: int) -> int:
        match = _EMOJI.match(self.passage.text, at)
        symbol = match[0] if match else self.passage.text[at]
        if symbol not in symbols.SILENT:
            spoken = symbols.read_symbol(symbol, at, self.passage)
            if spoken:
                self._say(symbol, spoken)
            else:
                self.warnings[f'"{symbol}" is not spoken and was left out.'] = None
        return at + len(symbol)
