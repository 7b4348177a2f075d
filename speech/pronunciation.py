"""What a text sounds like: words, their pronunciations, and where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from nativeear.speech.canonical import (
    PhoneSequence,
    Pronunciation,
    WordPronunciation,
)
from nativeear.speech.english import EnglishDictionary, with_s
from nativeear.speech.errors import InputError, NativeEarError, PronunciationError
from nativeear.speech.g2p import G2P
from nativeear.speech.g2p import inventory as inventory_of_words
from nativeear.speech.g2p import load as load_g2p
from nativeear.speech.g2p.espeak_library import voice
from nativeear.speech.homographs import all_readings, readings
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.lexicon import (
    Entries,
    fold_case,
    inventory_for,
    parse_entries,
    read_entries,
)
from nativeear.speech.liaison import linked_forms
from nativeear.speech.recent import RecentAnswers
from nativeear.speech.sequences import from_table, joined
from nativeear.speech.text import SpokenText, TextWord, normalise

MOST_WORDS = 20_000
"""Words whose pronunciations are kept: more than a long book has, and some 20 MB."""

_AMERICAN = "The dictionary's pronunciations are American; {} may say some words otherwise."

Variants = tuple[PhoneSequence, ...]
Found = Mapping[tuple[str, bool], Variants]
"""Variants by the spoken word and whether it is spelt."""


class Pronouncer:
    """Turns text into phones.

    A word is looked for in the user's lexicon, then in English in CMUdict with all its variants,
    then given to espeak-ng. Where the inventory has letters, words are spelt instead.

    A language without a shipped inventory needs one: from `for_texts`, of an index that was built
    for it, or from a lexicon that has all its phones.

    Parameters
    ----------
    language
        BCP 47 tag.
    lexicon
        Pronunciations that go before all others: a mapping from a word to its pronunciations,
        each a string of space-separated phones (`{"gif": ["JH IH1 F", "G IH1 F"]}`), or a text
        file with a word and its phones per line. ARPAbet or IPA.
    g2p
        Name of the one source to ask after the lexicon, instead of the usual ones.
    inventory
        What the phones are mapped to; by default the shipped one, or the phones of the lexicon.

    Raises
    ------
    InputError
        If the language has no inventory, or the lexicon cannot be read.
    PhoneError
        If the lexicon has a phone that the inventory lacks.
    """

    def __init__(
        self,
        language: str = "en-US",
        *,
        lexicon: Entries | Path | None = None,
        g2p: str | None = None,
        inventory: PhoneInventory | None = None,
    ) -> None:
        entries = read_entries(lexicon)
        self.language = language
        self.inventory = inventory_for(language, entries) if inventory is None else inventory
        self._is_english = primary_subtag(language) == "en" and self.inventory.notation == "arpabet"
        self._sources = (g2p,) if g2p else self._usual_sources()
        self._dictionary = None
        if "cmudict" in self._sources:
            self._dictionary = EnglishDictionary(language, self.inventory)
        self._g2p: dict[str, G2P] = {}
        self._words: RecentAnswers[tuple[str, bool], Variants] = RecentAnswers(MOST_WORDS)
        self._lexicon = parse_entries(entries, self.inventory)

    @classmethod
    def for_texts(
        cls,
        language: str,
        texts: Iterable[str],
        *,
        lexicon: Entries | Path | None = None,
        g2p: str | None = None,
    ) -> Pronouncer:
        """A pronouncer for a corpus, whose inventory the texts make where none ships.

        The inventory has the phones that `g2p` gives to the words of the texts and those of the
        lexicon. A language that espeak-ng does not speak has the lexicon's alone. With `g2p` as
        `graphemes` it has the letters of the texts, in every language.

        Parameters
        ----------
        texts
            What is said in the corpus, one text per utterance.
        language, lexicon, g2p
            As for `Pronouncer`.

        Raises
        ------
        InputError
            If neither the source nor a lexicon has phones for the language.
        """
        if g2p is None and PhoneInventory.ships(language):
            return cls(language, lexicon=lexicon)
        entries = read_entries(lexicon)
        known = {fold_case(word) for word in entries}
        words = dict.fromkeys(
            word.spoken
            for text in texts
            for word in normalise(text, language, lambda word: fold_case(word) in known).words
            if fold_case(word.spoken) not in known
        )
        try:
            inventory = inventory_of_words(g2p or "espeak", language, words)
        except InputError:
            if not entries:
                raise
            inventory = inventory_for(language, entries)
        else:
            if entries and inventory.notation == "ipa" and not PhoneInventory.ships(language):
                inventory = PhoneInventory.from_labels(
                    language, inventory.symbols + inventory_for(language, entries).symbols
                )
        return cls(language, lexicon=lexicon, g2p=g2p, inventory=inventory)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where words are looked up, the first one first."""
        return (*(("lexicon",) if self._lexicon else ()), *self._sources)

    def pronounce(self, text: str) -> Pronunciation:
        """The words of a text with all their pronunciations.

        Raises
        ------
        PronunciationError
            If the text has no words, or words that nothing can pronounce; they are named.
        """
        spoken, listed = self._listed(text)
        looked_up = [word.spoken for word in spoken.words]
        words = tuple(map(self._as_read, listed, looked_up, readings(self.language, looked_up)))
        linked = linked_forms(looked_up, words, self.inventory)
        words = tuple(map(WordPronunciation, [word.word for word in words], linked))
        return Pronunciation(self.language, words, spoken.warnings + self._guesses(words))

    def listed(self, text: str) -> tuple[WordPronunciation, ...]:
        """The words of a text with all forms, also those that do not suit the sentence.

        Words that have none are an error, as in `pronounce`.
        """
        return self._listed(text)[1]

    def check(self, text: str) -> Pronunciation:
        """As `pronounce`, before anything is recorded: nothing is raised.

        A word that nothing can pronounce has no variants.
        """
        spoken, words = self._looked_up(text)
        return Pronunciation(self.language, words, spoken.warnings + self._guesses(words))

    def missing(self, text: str) -> tuple[str, ...]:
        """The words of a text that have no pronunciation, each once."""
        _, words = self._looked_up(text)
        return tuple(dict.fromkeys(word.word for word in words if not word.variants))

    def knows(self, word: str) -> bool:
        """Whether a lexicon has a word, as against a guess from its letters."""
        return bool(self._in_lexicons(word))

    def _listed(self, text: str) -> tuple[SpokenText, tuple[WordPronunciation, ...]]:
        spoken, words = self._looked_up(text)
        if not words:
            raise PronunciationError(
                "The text has no words.", fix="Give the words that are read in the recording."
            )
        missing = dict.fromkeys(f'"{word.word}"' for word in words if not word.variants)
        if missing:
            raise PronunciationError(
                f"No pronunciation is known for {', '.join(missing)}.",
                cause=f"Asked: {', '.join(('lexicon', *self._sources))}, for {self.language}.",
                fix="Give it in a lexicon, or give the phones of the text.",
            )
        return spoken, words

    def _looked_up(self, text: str) -> tuple[SpokenText, tuple[WordPronunciation, ...]]:
        spoken = normalise(text, self.language, self.knows)
        found = self._find(spoken.words)
        words = (WordPronunciation(w.text, found[w.spoken, w.spelt]) for w in spoken.words)
        return spoken, tuple(words)

    def _as_read(
        self, word: WordPronunciation, spoken: str, forms: tuple[str, ...]
    ) -> WordPronunciation:
        """A homograph with the forms that its sentence calls for, but as a lexicon of one's own.

        Forms of the dictionary that belong to no reading stay: nobody is wrong who says one.
        """
        if not forms or not self._is_english or word.variants[0].source == "lexicon":
            return word
        others = from_table(all_readings(self.language, spoken), self.inventory, "homographs")
        of_readings = {form.phones for form in others}
        rest = tuple(form for form in word.variants if form.phones not in of_readings)
        return replace(word, variants=from_table(forms, self.inventory, "homographs") + rest)

    def _usual_sources(self) -> tuple[str, ...]:
        if self.inventory.notation == "letters":
            return ("graphemes",)
        if self._is_english:
            return ("cmudict", "espeak")
        if not PhoneInventory.ships(self.language):
            try:
                voice(self.language)
            except NativeEarError:
                return ()
        return ("espeak",)

    def _source(self, name: str) -> G2P:
        # Loaded when first asked: espeak-ng takes a while, and English seldom needs it.
        if name not in self._g2p:
            self._g2p[name] = load_g2p(name, self.language, self.inventory)
        return self._g2p[name]

    def _in_lexicons(self, word: str) -> Variants:
        """Variants of the user's lexicon, or else of the English dictionary."""
        listed = self._lexicon.get(fold_case(word), ())
        return listed or (self._dictionary.variants(word) if self._dictionary else ())

    def _find(self, words: Iterable[TextWord]) -> Found:
        """Variants of every word, many in one call where a source is slow; empty where none."""
        wanted = dict.fromkeys((word.spoken, word.spelt) for word in words)
        # Letters are words of their own.
        parts = [(char, False) for word, spelt in wanted if spelt for char in _letters(word)[0]]
        asked = dict.fromkeys([*(key for key in wanted if not key[1]), *parts])
        found = {key: known for key in asked if (known := self._words.get(key)) is not None}
        new = {key: self._in_lexicons(key[0]) for key in asked if key not in found}
        for name in self._sources:
            rest = [key for key, known in new.items() if not known]
            if rest and name != "cmudict":
                answers = self._source(name).pronounce([word for word, _ in rest])
                new.update(zip(rest, answers, strict=True))
        self._words.add(new)
        found |= new
        return found | {key: self._spell(key[0], found) for key in wanted if key[1]}

    def _spell(self, word: str, found: Found) -> Variants:
        if whole := self._lexicon.get(fold_case(word)):
            return whole
        letters, plural = _letters(word)
        # The letter A is the last variant of the article.
        parts = [found[char, False][-1:] for char in letters]
        if not all(parts):
            return ()
        spelt = joined([part[0] for part in parts])
        return (with_s(spelt, self.inventory) if plural and self._is_english else spelt,)

    def _guesses(self, words: Iterable[WordPronunciation]) -> tuple[str, ...]:
        if not self._is_english:
            return ()
        region = self.language.replace("_", "-").partition("-")[2].upper()
        american = () if region in {"", "US"} else (_AMERICAN.format(self.language),)
        sources = {word.word: word.variants[0].source for word in words if word.variants}
        return american + tuple(
            f'"{word}" is in no dictionary; its pronunciation is a guess of espeak-ng.'
            for word, source in sources.items()
            if source == "espeak"
        )


def _letters(word: str) -> tuple[str, bool]:
    """Letters of a word that is spelt, in lower case, and whether a plural s is added."""
    bare = re.sub(r"'?s$", "", word) if len(word) > 1 else word
    if bare.isupper() and bare != word:
        return bare.lower(), True
    return "".join(char for char in word.lower() if char.isalpha()), False
