"""What an encoder's CTC labels say in terms of a phone inventory.

A phone head names sounds in its own way: espeak writes lengthened, toned and r-coloured vowels as
labels of their own, ZIPA writes IPA letter by letter. Pooling adds up the posteriors of all labels
that say one phone, so that scores are about phones and not about spellings; every label's
probability goes somewhere, and frames stay normalised.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.errors import EncoderError, PhoneError
from nativeear.speech.frames import FloatArray, Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import VOWEL_KINDS, feature_names, normal_ipa, phone_from_ipa
from nativeear.speech.tables import DATA, table

BLANK = "<blank>"
OTHER = "<other>"
"""Column of labels that are sounds, but none of the inventory: it competes, and is never meant."""

NEAR = 0.03
"""Largest PanPhon distance at which an unknown label still counts as the nearest phone: less than
one feature of full weight, so that ʂ counts as ʃ, while y, which a learner may say for u, does
not count as u. Consonants must agree in voicing, which PanPhon weighs little."""

MIN_PROBABILITY = 1e-300
"""Stands for 0 where no label says a phone, so that logarithms stay finite."""

Kind = Literal["arpabet", "ipa"]
Pieces = tuple[int, ...]

# What a CTC head emits that is no sound: its probability joins the blank's.
# fmt: off
_SILENT = frozenset((
    "", "<pad>", "[pad]", "<s>", "</s>", "<sos/eos>", "<blk>", "<blank>", "<eps>", "<sil>",
    "[sil]", "sil", "sp", "|", "▁", "_", "h#",
))
# fmt: on
_IN_BRACKETS = re.compile(r"[<\[].*[>\]]")
# fmt: off
_ARPABET_PAIRS = frozenset((
    "AA", "AE", "AH", "AO", "AW", "AY", "CH", "DH", "EH", "ER", "EY", "HH",
    "IH", "IY", "JH", "NG", "OW", "OY", "SH", "TH", "UH", "UW", "ZH",
))
# fmt: on
_MIN_ARPABET_PAIRS = 12
_MIN_IPA_SHARE = 1 / 5


@dataclass(frozen=True, eq=False)
class LabelMap:
    """How V labels of a head become columns: the blank, P phones, and perhaps `OTHER`.

    Attributes
    ----------
    labels
        The head's labels, blank first.
    inventory
        The phones they are read as.
    columns
        Names of the columns: `BLANK`, the inventory's symbols in order, `OTHER` if needed.
    pieces
        Columns of every label, `[V]`. A label of several says one phone after the other, as
        espeak's `ɑːɹ` does.
    spelling
        Columns that say each phone, by symbol. More than one where the head has no label for the
        phone but spells it, as ZIPA spells `tʃ` with `t` and `ʃ`.
    approximate
        Labels that were read as the nearest phone, with that phone and its distance.
    absent
        Phones that the head cannot tell. Their `spelling` is the nearest phone that it can.
    """

    labels: tuple[str, ...]
    inventory: PhoneInventory
    columns: tuple[str, ...]
    pieces: tuple[Pieces, ...]
    spelling: dict[str, Pieces]
    approximate: dict[str, tuple[str, float]]
    absent: frozenset[str]

    def units(self, canonical: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Spell N canonical phones in columns.

        Returns
        -------
        columns
            int64 `[M]`, M ≥ N: the columns that say them, one after the other.
        starts
            int64 `[N + 1]`: phone i is `columns[starts[i]:starts[i + 1]]`.
        """
        spelling = [self.spelling[symbol] for symbol in canonical]
        starts = np.cumsum([0, *map(len, spelling)], dtype=np.int64)
        return np.array([c for columns in spelling for c in columns], dtype=np.int64), starts

    def mean_over_units(
        self, values: NDArray[np.float64], canonical: Sequence[str], starts: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Mean of values `[M]` over each phone's units, `[N]`; NaN where the head cannot tell."""
        return np.array(
            [
                np.nan if symbol in self.absent else values[first:end].mean()
                for symbol, first, end in zip(canonical, starts[:-1], starts[1:], strict=True)
            ]
        )

    def pool(self, log_probs: FloatArray) -> NDArray[np.float64]:
        """Add up the posteriors of the labels of each column.

        A label that says several phones is heard as the first in the frame of its peak and as the
        others in the frames after it, whose blanks give way.

        Parameters
        ----------
        log_probs
            Normalised log posteriors `[T, V]`.

        Returns
        -------
        ndarray
            Normalised log posteriors `[T, len(columns)]`, float64, finite.
        """
        probabilities = np.exp(np.asarray(log_probs, dtype=np.float64))
        first = np.zeros((len(self.labels), len(self.columns)))
        first[np.arange(len(self.labels)), [pieces[0] for pieces in self.pieces]] = 1.0
        pooled = probabilities @ first
        composites: dict[Pieces, list[int]] = {}
        for row, pieces in enumerate(self.pieces):
            if len(pieces) > 1:
                composites.setdefault(pieces, []).append(row)
        for pieces, rows in composites.items():
            _unroll(pooled, probabilities[:, rows].sum(axis=1), pieces)
        log_pooled: NDArray[np.float64] = np.log(np.maximum(pooled, MIN_PROBABILITY))
        return log_pooled


def pool_log_probs(
    frames: Frames, inventory: PhoneInventory
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Posteriors of an inventory's phones from an encoder's frames.

    Returns
    -------
    log_probs
        float64 `[T, 1 + P]` or `[T, 2 + P]`, normalised; column 0 is the blank.
    columns
        Their names, see `LabelMap.columns`.

    Raises
    ------
    EncoderError
        If the encoder has no CTC head, or one whose labels are not phones.
    """
    if frames.log_probs is None:
        raise _no_posteriors(head_refusal(frames, inventory))
    head = label_map(frames.labels, inventory)
    return head.pool(frames.log_probs), head.columns


def head_refusal(frames: Frames, inventory: PhoneInventory) -> str:
    """Why an inventory's phones cannot be scored by posteriors; empty if they can."""
    if frames.log_probs is None:
        return "The encoder has no phone CTC head."
    return labels_refusal(frames.labels, inventory)


def labels_refusal(labels: Sequence[str], inventory: PhoneInventory | None = None) -> str:
    """Why a CTC head's labels cannot be read as phones, or as those of an inventory; else empty."""
    if inventory is not None and _of_inventory(labels, inventory):
        return ""
    if inventory is not None and inventory.notation == "letters":
        return "The encoder's CTC head hears phones, and this inventory has letters."
    if inventory is not None and _notation(labels) == "arpabet":
        if any(inventory.knows(label, "arpabet") for label in labels):
            return ""
        return f"The encoder's CTC head hears English phones, and none of {inventory.language}."
    if are_phones(labels):
        return ""
    shown = " ".join([text for text in labels if not _IN_BRACKETS.fullmatch(text)][:6])
    return f"The encoder's CTC head writes letters or word pieces ({shown} …), not phones."


def _of_inventory(labels: Sequence[str], inventory: PhoneInventory) -> bool:
    """Whether a head's labels, after the blank, are symbols of the inventory itself."""
    return len(labels) > 1 and {*labels[1:]} <= {*inventory.symbols}


def are_phones(labels: Sequence[str]) -> bool:
    """Whether a CTC head's labels look like phones and not like letters or word pieces.

    They do if twelve are two-letter ARPAbet symbols, or a fifth have letters that only the IPA has
    (U+0250 to U+02AF) or a length mark. Orthographies borrow few of these (Ewe ɖ, ɛ, ƒ).
    """
    plain = [label for label in labels if not re.fullmatch(r"[<\[].*[>\]]|\|", label)]
    ipa = [label for label in plain if re.search("[\u0250-\u02af\u02d0]", label)]
    return _notation(labels) == "arpabet" or len(ipa) >= _MIN_IPA_SHARE * len(plain) > 0


def _notation(labels: Sequence[str]) -> Kind:
    pairs = {label.upper().rstrip("012") for label in labels} & _ARPABET_PAIRS
    return "arpabet" if len(pairs) >= _MIN_ARPABET_PAIRS else "ipa"


@lru_cache(maxsize=16)
def label_map(labels: tuple[str, ...], inventory: PhoneInventory) -> LabelMap:
    """Read every label of a phone head, blank first, in terms of an inventory.

    Raises
    ------
    EncoderError
        If the labels are not phones, or the inventory has letters in place of phones.
    """
    reason = labels_refusal(labels, inventory)
    if reason:
        raise _no_posteriors(reason)
    reader = _LabelReader(inventory, _notation(labels))
    own = _of_inventory(labels, inventory)
    readings = [(BLANK,), *((label,) if own else reader(label) for label in labels[1:])]
    has_other = any(OTHER in reading for reading in readings)
    columns = (BLANK, *inventory.symbols, *((OTHER,) if has_other else ()))
    ids = {name: column for column, name in enumerate(columns)}
    pieces = tuple(tuple(ids[name] for name in reading) for reading in readings)
    spelling, absent = _spell(inventory, dict(zip(labels, pieces, strict=True)), ids)
    return LabelMap(
        labels,
        inventory,
        columns,
        pieces,
        spelling,
        reader.approximate,
        absent,
    )


def _no_posteriors(reason: str) -> EncoderError:
    return EncoderError(
        "This encoder gives no phone posteriors.",
        cause=reason,
        fix="Score without GOP, or choose an encoder with a phone CTC head.",
    )


class _LabelReader:
    """Reads labels one by one, and keeps account of those that are not quite what they say."""

    def __init__(self, inventory: PhoneInventory, notation: Kind) -> None:
        self._inventory = inventory
        self._notation = notation
        self.approximate: dict[str, tuple[str, float]] = {}

    def __call__(self, label: str) -> tuple[str, ...]:
        """Names of the columns that a label says, one after the other; never empty."""
        text = unicodedata.normalize("NFC", label)
        if text.lower() in _SILENT:
            return (BLANK,)
        if _IN_BRACKETS.fullmatch(text):
            return (OTHER,)
        if self._notation == "arpabet":
            return self._known(text, "arpabet") or (OTHER,)
        reading = _readings().get(text, text)
        if not reading or _is_modifier(reading):
            return (BLANK,)
        return self._known(text, "espeak") or tuple(
            name for piece in reading.split() for name in self._piece(piece, label)
        )

    def _known(self, text: str, *schemes: str) -> tuple[str, ...]:
        for scheme in schemes:
            if self._inventory.knows(text, scheme):
                return self._inventory.split(text, scheme)
        return ()

    def _piece(self, ipa: str, label: str) -> tuple[str, ...]:
        known = self._known(ipa, "espeak", "ipa")
        if known:
            return known
        try:
            phone = phone_from_ipa(normal_ipa(ipa))
        except PhoneError:
            return (OTHER,)
        nearest, distance = self._inventory.nearest(phone)
        found = self._inventory.phone(nearest)
        voicing = feature_names().index("voi")
        is_vowel = phone.kind in VOWEL_KINDS
        if (
            distance <= NEAR
            and is_vowel == (found.kind in VOWEL_KINDS)
            and (phone.kind == "diphthong") == (found.kind == "diphthong")
            and (is_vowel or phone.features[voicing] == found.features[voicing])
        ):
            self.approximate[label] = (nearest, distance)
            return (nearest,)
        letters = _letters(ipa)
        if phone.kind in {"diphthong", "affricate"} and len(letters) > 1:
            # a language that does not have it as one phone says its two parts
            return tuple(name for letter in letters for name in self._piece(letter, label))
        return (OTHER,)


def _spell(
    inventory: PhoneInventory, pieces: dict[str, Pieces], ids: dict[str, int]
) -> tuple[dict[str, Pieces], frozenset[str]]:
    """Columns that say each phone, and the phones that none do."""
    said = {column for label in pieces.values() for column in label}
    spelling: dict[str, Pieces] = {phone.symbol: (ids[phone.symbol],) for phone in inventory}
    phones = {ids[phone.symbol] for phone in inventory}
    absent = set()
    for phone in inventory:
        if ids[phone.symbol] in said:
            continue
        letters = [pieces.get(letter, ()) for letter in _letters(phone.ipa)]
        if len(letters) > 1 and all(
            len(columns) == 1 and columns[0] in phones for columns in letters
        ):
            spelling[phone.symbol] = tuple(columns[0] for columns in letters)
            continue
        absent.add(phone.symbol)
        present = [own for own in inventory if ids[own.symbol] in said]
        nearest = min(present, key=lambda own: inventory.distance(own.symbol, phone.symbol))
        spelling[phone.symbol] = (ids[nearest.symbol],)
    return spelling, frozenset(absent)


def _unroll(pooled: NDArray[np.float64], mass: NDArray[np.float64], pieces: Pieces) -> None:
    """Move the posterior of a label of several phones on in time, in place.

    `pooled` `[T, C]` has all of `mass` `[T]` in the first phone. Phone k is due k frames later; it
    takes what the label itself still holds there, and what is missing from the blank.
    """
    held = mass.copy()
    for delay, column in enumerate(pieces[1:], start=1):
        due = np.zeros_like(mass)
        due[delay:] = mass[:-delay] if delay < len(mass) else 0.0
        own = np.minimum(held, due)
        held -= own
        silent = np.minimum(pooled[:, 0], due - own)
        pooled[:, pieces[0]] -= own
        pooled[:, 0] -= silent
        pooled[:, column] += own + silent


def _letters(ipa: str) -> list[str]:
    """IPA letters of a label without their diacritics."""
    return [char for char in normal_ipa(ipa) if not _is_modifier(char)]


def _is_modifier(text: str) -> bool:
    """Whether a label only colours the one before it: a diacritic, a length or stress mark."""
    return all(unicodedata.category(char) in {"Mn", "Lm"} for char in text)


@cache
def _readings() -> dict[str, str]:
    """What labels say in IPA where they do not say it themselves; pieces are spaced."""
    tables = (table(path.stem) for path in sorted(DATA.glob("ctc_labels_*.csv")))
    return {row["label"]: row["ipa"] for rows in tables for row in rows}
