"""What a text sounds like: words, their pronunciations, and where they come from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from nativeear.speech.canonical import (
    SOURCES,
    CanonicalPhone,
    PhoneSequence,
    Pronunciation,
    WordPronunciation,
)
from nativeear.speech.errors import InputError, NativeEarError, PhoneError, PronunciationError
from nativeear.speech.homographs import all_readings, readings
from nativeear.speech.inventory import PhoneInventory, normal_ipa, phone_from_ipa, primary_subtag
from nativeear.speech.liaison import linked_forms
from nativeear.speech.listed_forms import new_words, weak_forms
from nativeear.speech.remembered import Remembered
from nativeear.speech.syllables import syllabify
from nativeear.speech.text import SpokenText, TextWord, normalise

if TYPE_CHECKING:
    from nativeear.speech.g2p import G2P

__all__ = (
    "SOURCES",
    "CanonicalPhone",
    "PhoneSequence",
    "Pronouncer",
    "Pronunciation",
    "WordPronunciation",
    "given_phones",
)

WORDS_REMEMBERED = 20_000
"""Words whose pronunciations are kept: more than a long book has, and some 20 MB."""

_AMERICAN = "The dictionary's pronunciations are American; {} may say some words otherwise."


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
        lexicon: Mapping[str, Sequence[str]] | Path | None = None,
        g2p: str | None = None,
        inventory: PhoneInventory | None = None,
    ) -> None:
        entries = _entries(lexicon)
        self.language = language
        self.inventory = _inventory(language, entries) if inventory is None else inventory
        self._is_english = primary_subtag(language) == "en" and self.inventory.notation == "arpabet"
        self._sources = (g2p,) if g2p else self._usual_sources()
        self._g2p: dict[str, G2P] = {}
        self._words: Remembered[tuple[str, bool], tuple[PhoneSequence, ...]] = Remembered(
            WORDS_REMEMBERED
        )
        self._lexicon = {
            _fold_case(word): tuple(self._entry(word, each) for each in pronunciations)
            for word, pronunciations in entries.items()
        }

    @classmethod
    def for_texts(
        cls,
        language: str,
        texts: Iterable[str],
        *,
        lexicon: Mapping[str, Sequence[str]] | Path | None = None,
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
        entries = _entries(lexicon)
        known = {_fold_case(word) for word in entries}
        words = dict.fromkeys(
            word.spoken
            for text in texts
            for word in normalise(text, language, lambda word: _fold_case(word) in known).words
            if _fold_case(word.spoken) not in known
        )
        try:
            inventory = import_module("nativeear.speech.g2p").inventory(
                g2p or "espeak", language, words
            )
        except InputError:
            if not entries:
                raise
            inventory = _inventory(language, entries)
        else:
            if entries and inventory.notation == "ipa" and not PhoneInventory.ships(language):
                inventory = PhoneInventory.from_labels(
                    language, inventory.symbols + _inventory(language, entries).symbols
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
        read = readings(self.language, [word.spoken for word in spoken.words])
        words = tuple(map(self._as_read, listed, spoken.words, read))
        linked = linked_forms([word.spoken for word in spoken.words], words, self.inventory)
        words = tuple(map(WordPronunciation, [word.word for word in words], linked))
        return Pronunciation(self.language, words, spoken.warnings + self._guesses(words))

    def listed(self, text: str) -> tuple[WordPronunciation, ...]:
        """The words of a text with all forms, also those that do not suit the sentence.

        Raises
        ------
        PronunciationError
            As `pronounce`.
        """
        return self._listed(text)[1]

    def _listed(self, text: str) -> tuple[SpokenText, tuple[WordPronunciation, ...]]:
        spoken = normalise(text, self.language, self._knows)
        if not spoken.words:
            raise PronunciationError(
                "The text has no words.", fix="Give the words that are read in the recording."
            )
        found = self._find(spoken.words)
        missing = _missing(spoken.words, found)
        if missing:
            names = ", ".join(f'"{word}"' for word in missing)
            raise PronunciationError(
                f"No pronunciation is known for {names}.",
                cause=f"Asked: {', '.join(('lexicon', *self._sources))}, for {self.language}.",
                fix="Give it in a lexicon, or give the phones of the text.",
            )
        return spoken, tuple(
            WordPronunciation(word.text, found[word.spoken, word.spelt]) for word in spoken.words
        )

    def _as_read(
        self, word: WordPronunciation, spoken: TextWord, forms: tuple[str, ...]
    ) -> WordPronunciation:
        """A homograph with the forms that its sentence calls for, but as a lexicon of one's own.

        Forms of the dictionary that belong to no reading stay: nobody is wrong who says one.
        """
        if not forms or not self._is_english or word.variants[0].source == "lexicon":
            return word
        told = all_readings(self.language, spoken.spoken)
        known = {form.phones for form in self._tabled(told, "homographs")}
        rest = tuple(form for form in word.variants if form.phones not in known)
        return replace(word, variants=self._tabled(forms, "homographs") + rest)

    def check(self, text: str) -> Pronunciation:
        """As `pronounce`, before anything is recorded: nothing is raised.

        A word that nothing can pronounce has no variants.
        """
        spoken = normalise(text, self.language, self._knows)
        found = self._find(spoken.words)
        words = tuple(
            WordPronunciation(word.text, found[word.spoken, word.spelt]) for word in spoken.words
        )
        said = tuple(word for word in words if word.variants)
        return Pronunciation(self.language, words, spoken.warnings + self._guesses(said))

    def missing(self, text: str) -> tuple[str, ...]:
        """The words of a text that have no pronunciation, each once."""
        words = normalise(text, self.language, self._knows).words
        return _missing(words, self._find(words))

    def _usual_sources(self) -> tuple[str, ...]:
        if self.inventory.notation == "letters":
            return ("graphemes",)
        if self._is_english:
            return ("cmudict", "espeak")
        if PhoneInventory.ships(self.language) or _espeak_speaks(self.language):
            return ("espeak",)
        return ()

    def _entry(self, word: str, phones: str) -> PhoneSequence:
        try:
            sequence = _given_word(phones.split(), self.inventory, _scheme(phones, self.inventory))
        except PhoneError as error:
            raise PhoneError(
                f'The lexicon entry for "{word}" cannot be used: {error.message}',
                cause=error.cause,
                fix=error.fix,
            ) from error
        if not sequence.phones:
            raise InputError(f'The lexicon has no phones for "{word}".')
        return replace(sequence, source="lexicon")

    def _source(self, name: str) -> G2P:
        # Loaded when first asked: espeak-ng takes a while, and English seldom needs it.
        if name not in self._g2p:
            self._g2p[name] = import_module("nativeear.speech.g2p").load(
                name, self.language, self.inventory
            )
        return self._g2p[name]

    def _knows(self, word: str) -> bool:
        """Whether a lexicon has a word, as against a guess from its letters."""
        return bool(self._lexicon.get(_fold_case(word)) or self._dictionary(word))

    def _dictionary(self, word: str) -> tuple[PhoneSequence, ...]:
        """Variants from CMUdict: the word, the word without accents, or its stem with an s."""
        if "cmudict" not in self._sources:
            return ()
        for form in dict.fromkeys((word, _without_accents(word))):
            found = self._entered(form)
            if found:
                return found
        stem = re.fullmatch(r"(\w+[^\Ws])('?s)|(\w+s)'s?", word, re.IGNORECASE)
        if not stem:
            return ()
        found = self._entered(stem[1] or stem[3])
        if stem[3] and not word.lower().endswith("'s"):
            return found  # users' sounds like users
        return tuple(self._with_s(sequence) for sequence in found)

    def _entered(self, word: str) -> tuple[PhoneSequence, ...]:
        """What CMUdict has for a word as it is written, or a table of words younger than it."""
        newer = new_words(self.language, _fold_case(word))
        if newer:
            return self._tabled(newer, "new words")
        (found,) = self._source("cmudict").pronounce([word])
        return found

    def _tabled(self, forms: Iterable[str], source: str) -> tuple[PhoneSequence, ...]:
        """Phones of a table of English words."""
        read = (_given_word(phones.split(), self.inventory, "arpabet") for phones in forms)
        return tuple(replace(form, source=source) for form in read)

    def _with_s(self, sequence: PhoneSequence) -> PhoneSequence:
        ending: tuple[str, ...] = ("Z",)
        if sequence.phones[-1] in {"S", "Z", "SH", "ZH", "CH", "JH"}:
            ending = ("IH", "Z")
        elif sequence.phones[-1] in {"P", "T", "K", "F", "TH"}:
            ending = ("S",)
        phones = sequence.phones + ending
        return replace(
            sequence,
            phones=phones,
            stress=sequence.stress + ((0, None) if len(ending) > 1 else (None,)),
            syllables=syllabify(phones, self.inventory),
        )

    def _find(self, words: Iterable[TextWord]) -> dict[tuple[str, bool], tuple[PhoneSequence, ...]]:
        """Variants of every word, many in one call where a source is slow; empty where none."""
        wanted = dict.fromkeys((word.spoken, word.spelt) for word in words)
        # Letters are words of their own.
        parts = [(char, False) for word, spelt in wanted if spelt for char in _letters(word)[0]]
        asked = dict.fromkeys([*(key for key in wanted if not key[1]), *parts])
        found = {key: known for key in asked if (known := self._words.get(key)) is not None}
        new = {key: self._pronounced(key[0]) for key in asked if key not in found}
        for name in self._sources:
            rest = [key for key, known in new.items() if not known]
            if rest and name != "cmudict":
                said = self._source(name).pronounce([word for word, _ in rest])
                new.update(zip(rest, said, strict=True))
        self._words.add(new)
        found |= new
        return found | {key: self._spell(key[0], found) for key in wanted if key[1]}

    def _pronounced(self, word: str) -> tuple[PhoneSequence, ...]:
        listed = self._lexicon.get(_fold_case(word))
        if listed:
            return listed
        found = self._dictionary(word)
        return found + self._reduced(word, found) if found else ()

    def _reduced(self, word: str, listed: tuple[PhoneSequence, ...]) -> tuple[PhoneSequence, ...]:
        """The weak forms of an English word, but those that the dictionary has already."""
        known = {form.phones for form in listed}
        forms = self._tabled(weak_forms(self.language, _fold_case(word)), "weak forms")
        return tuple(form for form in forms if form.phones not in known)

    def _spell(
        self, word: str, found: Mapping[tuple[str, bool], tuple[PhoneSequence, ...]]
    ) -> tuple[PhoneSequence, ...]:
        whole = self._lexicon.get(_fold_case(word))
        if whole:
            return whole
        letters, plural = _letters(word)
        # The letter A is the last variant of the article.
        parts = [found[char, False][-1:] for char in letters]
        if not all(parts):
            return ()
        sequence = _join([part[0] for part in parts])
        return (self._with_s(sequence) if plural and self._is_english else sequence,)

    def _guesses(self, words: Iterable[WordPronunciation]) -> tuple[str, ...]:
        if not self._is_english:
            return ()
        region = self.language.replace("_", "-").partition("-")[2].upper()
        american = () if region in {"", "US"} else (_AMERICAN.format(self.language),)
        guessed = dict.fromkeys(w.word for w in words if w.variants[0].source == "espeak")
        return american + tuple(
            f'"{word}" is in no dictionary; its pronunciation is a guess of espeak-ng.'
            for word in guessed
        )


def given_phones(
    phones: str,
    inventory: PhoneInventory,
    text: str | None = None,
    pronouncer: Pronouncer | None = None,
) -> Pronunciation:
    """Canonical phones as the user gave them: every one is kept as it stands, in order.

    Parameters
    ----------
    phones
        ARPAbet or IPA (found out for the whole string), space-separated, ` | ` between words.
        Stress digits or marks are optional.
    inventory
        What the phones are mapped to, one each.
    text
        What was read. With `|` it names the words. Without, the phones are laid over its words
        where dictionary variants cover them exactly; else all are one word.
    pronouncer
        Knows the variants of the words of `text`.

    Raises
    ------
    PhoneError
        If a phone is unknown; the nearest known ones are listed.
    InputError
        If there is no phone, an empty word, or another number of words than in `text`.
    """
    groups = [group.split() for group in phones.split("|")]
    if not all(groups):
        raise InputError(
            "The phones have an empty word." if any(groups) else "There are no phones.",
            fix="Write phones separated by spaces, with | between words.",
        )
    scheme = _scheme(phones.replace("|", " "), inventory)
    sequences = [_given_word(group, inventory, scheme) for group in groups]
    language = inventory.language
    if len(sequences) > 1:
        names = _word_names(text, len(sequences), pronouncer, language) if text else ()
        return Pronunciation(
            language,
            tuple(
                WordPronunciation(name, (sequence,))
                for name, sequence in zip(
                    names or (" ".join(group) for group in groups), sequences, strict=True
                )
            ),
        )
    (whole,) = sequences
    name = " ".join((text or "").split())
    laid = _lay(whole, text, pronouncer, inventory) if text and pronouncer else None
    if laid:
        return Pronunciation(language, laid)
    one = (WordPronunciation(name or " ".join(groups[0]), (whole,)),)
    warning = (
        "The phones given do not divide into the words of the text; they are judged as one word. "
        "Write | between words to divide them."
    )
    return Pronunciation(language, one, (warning,) if len(name.split()) > 1 else ())


def _given_word(labels: Sequence[str], inventory: PhoneInventory, scheme: str) -> PhoneSequence:
    phones = tuple(inventory.symbol(label, scheme) for label in labels)
    stress: list[int | None] = []
    for label, phone in zip(labels, phones, strict=True):
        mark = None
        if inventory.is_syllabic(phone):
            digit = re.search(r"[0-2]$", label) if scheme == "arpabet" else None
            if digit:
                mark = int(digit[0])
            elif label[0] in "ˈˌ":
                mark = 1 if label[0] == "ˈ" else 2
        stress.append(mark)
    return PhoneSequence(phones, tuple(stress), syllabify(phones, inventory), "given")


def _scheme(phones: str, inventory: PhoneInventory) -> str:
    """ARPAbet or IPA, for the whole string: `b` alone could be either."""
    if inventory.notation != "arpabet":
        return "ipa"
    labels = phones.split()
    known = sum(inventory.knows(label, "arpabet") for label in labels)
    ipa = sum(inventory.knows(label, "ipa") for label in labels)
    # Where neither knows all, the closer one gives the more useful error.
    return "ipa" if ipa > known else "arpabet"


def _word_names(
    text: str, count: int, pronouncer: Pronouncer | None, language: str
) -> tuple[str, ...]:
    written = tuple(filter(None, (word.strip('.,;:!?"()[]«»“”…') for word in text.split())))
    if len(written) == count:
        return written
    words = normalise(text, language, pronouncer._knows if pronouncer else None).words
    if len(words) == count:
        return tuple(word.text for word in words)
    raise InputError(
        f"The phones are divided into {count} words, and the text has {len(words)}.",
        cause=f"Words of the text: {' '.join(word.text for word in words)}.",
        fix="Write one | between each two words of the text.",
    )


def _lay(
    whole: PhoneSequence, text: str, pronouncer: Pronouncer, inventory: PhoneInventory
) -> tuple[WordPronunciation, ...] | None:
    """The phones cut where variants of the words of `text` cover them exactly."""
    try:
        words = pronouncer.listed(text)
    except PronunciationError:
        return None
    # reached[i]: a way to cover the first i phones with the words so far, one variant each.
    reached: dict[int, tuple[PhoneSequence, ...]] = {0: ()}
    for word in words:
        following: dict[int, tuple[PhoneSequence, ...]] = {}
        for start, taken in reached.items():
            for variant in word.variants:
                end = start + len(variant)
                if whole.phones[start:end] == variant.phones:
                    following.setdefault(end, (*taken, variant))
        reached = following
    if len(whole) not in reached:
        return None
    laid, start = [], 0
    unmarked = all(mark is None for mark in whole.stress)
    for word, variant in zip(words, reached[len(whole)], strict=True):
        end = start + len(variant)
        sequence = PhoneSequence(
            variant.phones,
            variant.stress if unmarked else whole.stress[start:end],
            syllabify(variant.phones, inventory),
            "given",
        )
        laid.append(WordPronunciation(word.word, (sequence,)))
        start = end
    return tuple(laid)


def _join(sequences: Sequence[PhoneSequence]) -> PhoneSequence:
    phones: tuple[str, ...] = ()
    stress: tuple[int | None, ...] = ()
    syllables: tuple[tuple[int, int], ...] = ()
    for part in sequences:
        syllables += tuple((a + len(phones), b + len(phones)) for a, b in part.syllables)
        phones += part.phones
        stress += part.stress
    return PhoneSequence(phones, stress, syllables, sequences[0].source)


def _letters(word: str) -> tuple[str, bool]:
    """Letters of a word that is spelt, in lower case, and whether a plural s is added."""
    bare = re.sub(r"'?s$", "", word) if len(word) > 1 else word
    if bare.isupper() and bare != word:
        return bare.lower(), True
    return "".join(char for char in word.lower() if char.isalpha()), False


def _missing(
    words: Iterable[TextWord], found: Mapping[tuple[str, bool], tuple[PhoneSequence, ...]]
) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w.text for w in words if not found[w.spoken, w.spelt]))


def _fold_case(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold().replace("’", "'")


def _without_accents(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn")


def _inventory(language: str, entries: Mapping[str, Sequence[str]]) -> PhoneInventory:
    """The shipped inventory, or else that of a lexicon's phones, which are IPA."""
    if not entries or PhoneInventory.ships(language):
        return PhoneInventory.load(language)
    labels: dict[str, None] = {}
    for word, pronunciations in entries.items():
        for label in " ".join(pronunciations).split():
            if label in labels:
                continue
            try:
                phone_from_ipa(normal_ipa(label))
            except PhoneError as error:
                raise PhoneError(
                    f'The lexicon entry for "{word}" cannot be used: {error.message}',
                    fix=f"Write the phones in IPA: no inventory ships for {language}.",
                ) from error
            labels[label] = None
    return PhoneInventory.from_labels(language, labels)


def _espeak_speaks(language: str) -> bool:
    try:
        import_module("nativeear.speech.g2p.espeak").voice(language)
    except NativeEarError:
        return False
    return True


def _entries(
    lexicon: Mapping[str, Sequence[str]] | Path | None,
) -> Mapping[str, Sequence[str]]:
    if lexicon is None or isinstance(lexicon, Mapping):
        return lexicon or {}
    return _read_lexicon(Path(lexicon))


def _read_lexicon(path: Path) -> dict[str, tuple[str, ...]]:
    """Words and phones of a text file; probabilities as in MFA's dictionaries are skipped."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The lexicon {path} cannot be read.", cause=str(error)) from error
    entries: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith((";;;", "#")):
            continue
        word, *rest = line.split()
        word = re.sub(r"\(\d+\)$", "", word)
        phones = " ".join(item for item in rest if not re.fullmatch(r"-?\d+(?:\.\d+)?", item))
        if not phones:
            raise InputError(
                f"Line {number} of the lexicon {path} has no phones.", cause=line.strip()
            )
        entries[word] = (*entries.get(word, ()), phones)
    return entries
