"""What other people's labels for phones mean, in the symbols of an inventory."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache

from nativeear.speech.errors import InputError
from nativeear.speech.languages import primary_subtag
from nativeear.speech.phones import Phone, broader_labels, longest_pieces, normal_ipa
from nativeear.speech.recent import RecentAnswers
from nativeear.speech.tables import has_table, table

SCHEMES = ("arpabet", "mfa", "ipa", "espeak", "xsampa")
"""Notations that labels may come in, in the order in which they are tried."""

MOST_LABELS = 5_000
"""Labels whose readings are kept: whoever gives phones may write what he likes."""

_ARPABET = re.compile(r"([A-Za-z]{1,4}(?:-[Hh])?)([0-2]?)(?:_[BIES])?")

Symbols = tuple[str, ...]


class LabelReader:
    """Reads labels of an inventory's language.

    Parameters
    ----------
    language
        BCP 47 tag.
    phones
        The inventory's phones by symbol.
    notation
        `arpabet`, `ipa` or `letters`.
    """

    def __init__(self, language: str, phones: Mapping[str, Phone], notation: str) -> None:
        self._phones = phones
        self._notation = notation
        self._by_ipa = {phone.ipa: phone.symbol for phone in [*phones.values()][::-1]}
        self._table = _label_table(primary_subtag(language))
        self._read: RecentAnswers[tuple[str, str | None], Symbols] = RecentAnswers(MOST_LABELS)

    def read(self, label: str, scheme: str | None) -> Symbols:
        """The symbols that a label stands for, by one scheme or the first that knows it.

        Empty where it is unknown.
        """
        found = self._read.get((label, scheme))
        if found is None:
            if scheme is not None and scheme not in SCHEMES:
                raise InputError(
                    f"There is no label scheme {scheme!r}.", cause=f"Known: {', '.join(SCHEMES)}."
                )
            found = self._under(label.strip(), (scheme,) if scheme else SCHEMES)
            self._read.add({(label, scheme): found})
        return found

    def _under(self, label: str, schemes: Collection[str]) -> Symbols:
        if self._notation == "letters":
            # No notation of sounds applies: `ɡ` is not the letter g.
            return self._known((unicodedata.normalize("NFC", label),))
        for scheme in schemes if label else ():
            if scheme == "arpabet":
                found = self._arpabet(label)
            elif scheme == "xsampa":
                found = self._ipa(_ipa_from_xsampa(label), "ipa")
            else:
                found = self._ipa(label, scheme)
            if found:
                return found
        return ()

    def _arpabet(self, label: str) -> Symbols:
        match = _ARPABET.fullmatch(label)
        if match is None or self._notation != "arpabet":
            return ()
        symbol = match[1].upper()
        if symbol in self._phones:
            # A digit on a consonant is a slip that must not pass for stress.
            is_syllabic = self._phones[symbol].features[0] > 0
            return (symbol,) if is_syllabic or not match[2] else ()
        return self._known(self._table.get(("arpabet", symbol), ()))

    def _ipa(self, label: str, scheme: str) -> Symbols:
        # From the narrowest reading to the broadest: diacritics go last to first, then length.
        for form in broader_labels(normal_ipa(label)) if label else ():
            found = self._known(self._table.get((scheme, form), ()))
            if not found and self._notation == "ipa":
                found = self._known((form,))
            if not found and form in self._by_ipa:
                found = (self._by_ipa[form],)
            if found:
                return found
        return ()

    def _known(self, symbols: Symbols) -> Symbols:
        # An inventory made from a corpus need not have what the language's table points to.
        return symbols if all(symbol in self._phones for symbol in symbols) else ()


@cache
def _label_table(primary: str) -> dict[tuple[str, str], Symbols]:
    name = f"labels_{primary}"
    return {
        (row["scheme"], unicodedata.normalize("NFC", row["label"])): tuple(row["symbol"].split())
        for row in (table(name) if has_table(name) else ())
    }


def _ipa_from_xsampa(label: str) -> str:
    known = {row["xsampa"]: row["ipa"] for row in table("xsampa")}
    return "".join(known[piece] for piece in longest_pieces(label.lstrip('"%'), known))
