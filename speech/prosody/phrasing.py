"""Where a reader may pause: what the punctuation asks for, and what the words allow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.languages import primary_subtag
from nativeear.speech.prosody.pauses import Span
from nativeear.speech.tables import word_set

BreakKind = Literal["expected", "unexpected", "missing"]
Judge = Literal["punctuation", "words"]

LONG_PHRASE = 7
"""Words after which a reader may take breath behind any word that does not lean on the next."""

_STOP = re.compile(r"[.;:!?…]\W*$")
_MARK = re.compile(r"[.,;:!?…–—-]\W*$")


@dataclass(frozen=True)
class PlacedPause:
    """A pause, after the word that was said before it; `inside` it, if it goes on behind."""

    after_word: int
    span: Span
    inside: bool = False


@dataclass(frozen=True)
class Phrasing:
    """Where a text may be parted, by its words: after each of `marks`, and of these of `stops`."""

    words: tuple[str, ...]
    marks: frozenset[int]
    stops: frozenset[int]
    language: str

    @classmethod
    def of(cls, text: str, words: Sequence[str], language: str) -> Phrasing | None:
        """The phrasing of a text; None where it has another number of words than were read."""
        tokens = text.split()
        written = [i for i, token in enumerate(tokens) if re.search(r"\w", token)]
        if len(written) != len(words):
            return None
        marks, stops = set(), set()
        for word, at in enumerate(written):
            past = written[word + 1] if word + 1 < len(written) else len(tokens)
            token = " ".join(tokens[at:past])  # with a dash that stands alone
            if _MARK.search(token):
                marks.add(word)
            if _STOP.search(token):
                stops.add(word)
        return cls(tuple(words), frozenset(marks), frozenset(stops), primary_subtag(language))

    def judged(self, pause: PlacedPause, before: int) -> tuple[BreakKind, Judge] | None:
        """Whether a native would pause there; None where the language has no word lists.

        Parameters
        ----------
        before
            The word after which the reader paused, or could by a mark, last before; -1 for none.
        """
        if pause.after_word in self.marks and not pause.inside:
            return "expected", "punctuation"
        leaning = word_set("leaning-words", self.language)
        if not leaning or pause.after_word + 1 >= len(self.words):
            return None
        word, following = (_bare(self.words[i]) for i in (pause.after_word, pause.after_word + 1))
        if pause.inside or word in leaning:
            return "unexpected", "words"
        opens = following in word_set("phrase-openers", self.language)
        is_long = pause.after_word - before >= LONG_PHRASE
        return ("expected" if opens or is_long else "unexpected"), "words"


def place(pauses: Sequence[Span], said: Sequence[AlignedPhone]) -> tuple[PlacedPause, ...]:
    """Pauses, each after a word; those before the first phone or behind the last are none."""
    found = []
    for start_s, end_s in pauses:
        middle_s = (start_s + end_s) / 2
        before = [phone for phone in said if phone.end_s <= middle_s]
        after = [phone for phone in said if phone.start_s >= middle_s]
        if before and after:
            word = before[-1].word_index
            found.append(PlacedPause(word, (start_s, end_s), after[0].word_index == word))
    return tuple(found)


def parts(
    count: int, stops: frozenset[int], said: Mapping[int, object]
) -> tuple[tuple[int, int], ...]:
    """Half-open ranges of words that end at a stop, of those of which a word was said."""
    ends = sorted({stop + 1 for stop in stops if stop < count} | {count})
    ranges = zip([0, *ends[:-1]], ends, strict=True)
    return tuple((a, b) for a, b in ranges if any(word in said for word in range(a, b)))


def _bare(word: str) -> str:
    return word.casefold().strip("'’")
