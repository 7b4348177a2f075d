"""Which letters of a word each of its phones is written with."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.tables import has_table, table

MOST_LETTERS = 60
"""Of longer words nothing is told: a text whose phones do not divide into its words is one."""

LONGEST = 4
"""Letters that write one phone or two, as the tables have them: *eigh*, *ough*."""

UNKNOWN = 12.0
FURTHER_LETTER = 4.0
UNWRITTEN = 10.0
"""Costs in nats of what no table has: a letter for a phone, each letter more, and no letter."""

SILENT = 4.0
"""By how much less it counts what a letter would write that is not heard."""

Costs = Mapping[tuple[str, ...], Mapping[str, float]]
"""Of one phone or two in a row, what it costs that some letters write them: `-log p`, in nats."""

_VOWELS = frozenset("aeiouyæœøıаеёиіїоуыэєюяαεηιουωː")


def graphemes(word: str, form: PhoneSequence, inventory: PhoneInventory) -> tuple[str, ...] | None:
    """The letters of a word that write each phone of one of its forms.

    Joined they are the word. Letters that are not heard, and signs such as an apostrophe, go with
    a neighbour. Where the same letters write two phones, as in *six*, the first one has them, and
    the second has none.

    Parameters
    ----------
    word
        As it is displayed.
    form
        How it is pronounced.
    inventory
        What the phones of `form` are symbols of.

    Returns
    -------
    tuple of str, or None
        One per phone. None where the letters do not tell: a word that is the names of its phones,
        has no letters or more than `MOST_LETTERS`.
    """
    if form.source == "given" and _names_phones(word, form.phones, inventory):
        return None
    pieces = _pieces(word)
    if not form.phones or not 0 < len(pieces) <= MOST_LETTERS or len(form) > MOST_LETTERS:
        return None
    language = primary_subtag(inventory.language)
    ends = _ends(
        tuple(_folded(piece) for piece in pieces),
        form.phones,
        tuple(inventory.is_syllabic(phone) for phone in form.phones),
        tuple(_folded(inventory.ipa(phone).strip("⟨⟩")) for phone in form.phones),
        language,
    )
    starts = (0, *ends[:-1])
    return tuple("".join(pieces[a:b]) for a, b in zip(starts, ends, strict=True))


def _names_phones(word: str, phones: Sequence[str], inventory: PhoneInventory) -> bool:
    """Whether a word is the labels or the IPA of its phones, as where phones alone were given."""
    ipa = [inventory.ipa(phone) for phone in phones]
    labels = word.split()
    return word == "".join(ipa) or (
        len(labels) == len(phones)
        and all(
            inventory.knows(label) and inventory.split(label) == (phone,)
            for label, phone in zip(labels, phones, strict=True)
        )
    )


def _pieces(word: str) -> list[str]:
    """A word as its letters, each with the marks and signs behind it, or before the first."""
    pieces: list[str] = []
    before = ""
    for char in word:
        if char.isalpha():
            pieces.append(before + char)
            before = ""
        elif pieces:
            pieces[-1] += char
        else:
            before += char
    return pieces


def _folded(piece: str) -> str:
    """The letter of a piece in lower case, without signs; accents stay."""
    return (
        "".join(char for char in unicodedata.normalize("NFC", piece.lower()) if char.isalpha())
        or piece
    )


@cache
def _costs(language: str) -> dict[tuple[str, ...], dict[str, float]]:
    """The table of a language; empty where it has none."""
    found: dict[tuple[str, ...], dict[str, float]] = {}
    name = f"spelling_{language}"
    for row in table(name) if has_table(name) else ():
        found.setdefault(tuple(row["phones"].split()), {})[row["letters"]] = float(row["cost"])
    return found


@lru_cache(maxsize=1 << 14)
def _ends(
    letters: tuple[str, ...],
    phones: tuple[str, ...],
    syllabic: tuple[bool, ...],
    ipa: tuple[str, ...],
    language: str,
) -> tuple[int, ...]:
    """How many letters are written when each phone is, `[N]`; the last one has all."""
    costs = _costs(language)
    alike = None if costs else _alike(letters, syllabic, ipa)
    return cheapest(letters, phones, costs, alike)


def cheapest(
    letters: Sequence[str],
    phones: Sequence[str],
    costs: Costs,
    alike: Sequence[Sequence[float]] | None = None,
) -> tuple[int, ...]:
    """The cheapest way to part letters among phones, in order.

    Parameters
    ----------
    letters
        `[L]`, as the table writes them.
    phones
        `[N]`.
    costs
        The table.
    alike
        `[N, L]`, what each letter costs as the first or only one that writes a phone where the
        table has nothing; `UNKNOWN` if None.

    Returns
    -------
    tuple of int
        `[N]`, how many letters are written when each phone is.
    """
    count, last = len(letters), len(phones)
    infinite = float("inf")
    best = [[infinite] * (count + 1) for _ in range(last + 1)]
    came: list[list[tuple[int, int]]] = [[(0, 0)] * (count + 1) for _ in range(last + 1)]
    best[0][0] = 0.0
    longest = max(LONGEST, count - last + 1)

    def reach(phone: int, letter: int, cost: float, of: int, at: int) -> None:
        if cost < best[phone][letter]:
            best[phone][letter], came[phone][letter] = cost, (of, at)

    for i in range(last):
        alone = costs.get((phones[i],), {})
        pair = costs.get((phones[i], phones[i + 1]), {}) if i + 1 < last else {}
        first = alike[i] if alike else [UNKNOWN] * count
        for j in range(count + 1):
            so_far = best[i][j]
            if so_far == infinite:
                continue
            if i:
                reach(i + 1, j, so_far + UNWRITTEN, i, j)
            for k in range(j + 1, min(count, j + longest) + 1):
                chunk = "".join(letters[j:k])
                known = alone.get(chunk)
                if known is None:
                    # one of the letters writes it, and the others, best of its kind, are silent
                    each = [alone.get(letters[n], first[n]) for n in range(j, k)]
                    silent = sum(each) - min(each)
                    known = min(each) + FURTHER_LETTER * (len(each) - 1) + silent / SILENT
                reach(i + 1, k, so_far + known, i, j)
                if chunk in pair:
                    reach(i + 2, k, so_far + pair[chunk], i, j)
    ends = [count] * last
    i, j = last, count
    while i:
        of, at = came[i][j]
        # the first of two phones has the letters of both
        ends[of:i] = [j] * (i - of)
        i, j = of, at
    return tuple(ends)


def is_vowel_letter(letter: str) -> bool:
    """Whether a letter, of Latin, Cyrillic or Greek, mostly writes a vowel."""
    return _bare(letter) in _VOWELS


def _bare(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]


def _alike(
    letters: Sequence[str], syllabic: Sequence[bool], ipa: Sequence[str]
) -> list[list[float]]:
    """What it costs, `[N, L]`, that a letter writes a phone, by what both look like.

    A letter that IPA writes the phone with costs nothing, another of its kind, vowel or consonant,
    little.
    """

    def cost(letter: str, vowel: bool, sound: str) -> float:
        if letter[0] == sound[0] or _bare(letter) == _bare(sound):
            return 0.0
        return UNKNOWN / 6 if is_vowel_letter(letter) == vowel else UNKNOWN / 2

    return [
        [cost(letter, vowel, sound) for letter in letters]
        for vowel, sound in zip(syllabic, ipa, strict=True)
    ]
