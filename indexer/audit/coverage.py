"""What of each phone an index holds: how much, by whom, in which contexts and positions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from nativeear.indexes.phone_index import IntArray, PhoneIndex
from nativeear.indexes.reliability import NO_EXEMPLARS, phone_reliability
from nativeear.indexes.utterances import sexes_of
from nativeear.speech.aligners.textgrid import UNKNOWN_SPEECH
from nativeear.speech.alignment import SILENCE
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import VOWEL_KINDS

SILENCE_CLASS = "silence"

UNKNOWN_CLASS = "unknown"
"""Class of a neighbour whose phones nobody knows, `spn` or whatever else an aligner calls it."""

SEXES: tuple[Literal["f", "m"] | None, ...] = ("f", "m", None)
"""Of speakers; None where the corpus does not state it."""


class AuditModel(BaseModel):
    """A part of a report: frozen, and nothing but its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Positions(AuditModel):
    """Exemplars by their place in the word; a word of one phone is `single`.

    Where a neighbour was left out of the index, the place is not known.
    """

    initial: int
    medial: int
    final: int
    single: int


class SexCoverage(AuditModel):
    """What speakers of one sex said; `sex` is `f`, `m`, or None where no corpus states it."""

    sex: Literal["f", "m"] | None
    exemplars: int
    speakers: int
    minutes: float


class PhoneCoverage(AuditModel):
    """What an index holds of one phone."""

    # The phone, see `speech.inventory.Phone`.
    phone: str
    ipa: str
    kind: str
    # How many there are.
    exemplars: int
    speakers: int
    utterances: int
    minutes: float  # how long they are together
    positions: Positions  # by place in the word
    # Exemplars whose lexical stress is 1 or 2, and 0; the others' is not known.
    stressed: int
    unstressed: int
    # `[K][K]` exemplars by the class of the phone before and after, in the order of
    # `CoverageReport.context_classes`.
    contexts: tuple[tuple[int, ...], ...]
    # Contexts that the phone has in the words of the language, as the classes before and after, and
    # in which the index has no exemplar of it; None where nothing tells what they are.
    unseen: tuple[tuple[str, str], ...] | None
    # The same exemplars by the sex of who said them; those of which none are left out.
    by_sex: tuple[SexCoverage, ...]
    reliability: float  # lower bound of the share of natives heard right, see `indexes.reliability`
    judged: bool  # whether assessments judge the phone; if not, it is `uncertain`


class CoverageReport(AuditModel):
    """What an index holds, phone by phone."""

    # The index, its language, and its version.
    index: str
    language: str
    revision: int
    # All that the index holds, and how many of them are silences; the others are the phones.
    exemplars: int
    silences: int
    # Who said them, and where.
    speakers: int
    utterances: int
    minutes: float  # length of the recordings
    # The phones by the sex of who said them, as far as the corpora state it.
    by_sex: tuple[SexCoverage, ...]
    context_classes: tuple[str, ...]  # the K classes of neighbours
    judged_share: float  # share of the inventory's phones that assessments judge
    missing: tuple[str, ...]  # phones of the inventory that the index does not hold
    uncertain: tuple[str, ...]  # phones that it holds and does not judge
    phones: tuple[PhoneCoverage, ...]  # all phones of the inventory, in its order


def coverage(
    index: PhoneIndex, known: Collection[tuple[str, str, str]] | None = None
) -> CoverageReport:
    """What an index holds of every phone of its inventory. Takes no vectors; well below a second.

    Parameters
    ----------
    known
        Phones in contexts, each with the class before and the class after, that the language has;
        see `indexer.audit.vocabulary`. Without them no context can be called unseen.
    """
    inventory = index.inventory
    columns = _Columns.of(index)
    contexts = {p: columns.contexts(index.rows_of(p)) for p in inventory.symbols}
    reliabilities = phone_reliability(index)
    phones = []
    for phone in inventory:
        rows = index.rows_of(phone.symbol)
        seen = contexts[phone.symbol]
        stress = columns.stress[rows]
        reliability = reliabilities.get(phone.symbol, NO_EXEMPLARS)
        phones.append(
            PhoneCoverage(
                phone=phone.symbol,
                ipa=phone.ipa,
                kind=phone.kind,
                exemplars=rows.stop - rows.start,
                speakers=len(np.unique(columns.speaker[rows])),
                utterances=len(np.unique(columns.utterance[rows])),
                minutes=round(float(index.durations_s[rows].sum()) / 60, 3),
                positions=columns.positions(rows),
                stressed=int((stress > 0).sum()),
                unstressed=int((stress == 0).sum()),
                contexts=tuple(tuple(row) for row in seen.tolist()),
                unseen=None if known is None else columns.unseen(phone.symbol, seen, known),
                by_sex=columns.by_sex(rows, index.durations_s),
                reliability=round(reliability.lower_bound(), 4),
                judged=reliability.judged(),
            )
        )
    counts = index.manifest.counts
    return CoverageReport(
        index=index.name,
        language=index.language,
        revision=index.manifest.revision,
        exemplars=counts.exemplars,
        silences=counts.silences,
        speakers=counts.speakers,
        utterances=counts.utterances,
        minutes=round(counts.audio_s / 60, 2),
        by_sex=columns.by_sex(slice(0, counts.spoken), index.durations_s),
        context_classes=columns.classes,
        judged_share=round(sum(p.judged for p in phones) / max(1, len(phones)), 4),
        missing=tuple(p.phone for p in phones if not p.exemplars),
        uncertain=tuple(p.phone for p in phones if p.exemplars and not p.judged),
        phones=tuple(phones),
    )


def context_classes(inventory: PhoneInventory) -> dict[str, str]:
    """Class of every symbol as a neighbour: its kind (diphthongs are vowels), silence, unknown."""
    classes = {
        phone.symbol: "vowel" if phone.kind in VOWEL_KINDS else phone.kind for phone in inventory
    }
    return {**classes, SILENCE: SILENCE_CLASS, UNKNOWN_SPEECH: UNKNOWN_CLASS}


@dataclass(frozen=True, eq=False)
class _Columns:
    """What is counted, as numbers per exemplar `[n]`.

    `left` and `right` are positions in `classes`; `place` is 0 for initial, 1 for medial, 2 for
    final, 3 for single, and -1 where it is not known. `sex` is a position in `SEXES`.
    """

    classes: tuple[str, ...]
    left: IntArray
    right: IntArray
    place: IntArray
    speaker: IntArray
    utterance: IntArray
    stress: NDArray[np.int8]
    sex: IntArray

    @classmethod
    def of(cls, index: PhoneIndex) -> _Columns:
        class_of = context_classes(index.inventory)
        classes = tuple(dict.fromkeys(class_of.values()))
        sides = {}
        for side in ("left", "right"):
            code, symbols = index.codes(side)
            found = [classes.index(class_of.get(s, UNKNOWN_CLASS)) for s in symbols]
            sides[side] = np.array(found, dtype=np.int64)[code]
        return cls(
            classes=classes,
            left=sides["left"],
            right=sides["right"],
            place=_places(index),
            speaker=index.speakers[0],
            utterance=index.utterances[0],
            stress=index.values("stress"),
            sex=_sexes(index),
        )

    def contexts(self, rows: slice) -> IntArray:
        """Exemplars by left and right class, `[K, K]`."""
        k = len(self.classes)
        pairs = self.left[rows] * k + self.right[rows]
        counts: IntArray = np.bincount(pairs, minlength=k * k).reshape(k, k).astype(np.int64)
        return counts

    def unseen(
        self, phone: str, seen: IntArray, known: Collection[tuple[str, str, str]]
    ) -> tuple[tuple[str, str], ...]:
        """Contexts of a phone that are known and of which `seen`, `[K, K]`, has none."""
        place = self.classes.index
        pairs = sorted((place(a), place(b)) for own, a, b in known if own == phone)
        return tuple((self.classes[i], self.classes[j]) for i, j in pairs if not seen[i, j])

    def by_sex(self, rows: slice, durations_s: NDArray[np.float64]) -> tuple[SexCoverage, ...]:
        """Exemplars of every sex that said some."""
        found = []
        for number, sex in enumerate(SEXES):
            own = self.sex[rows] == number
            if own.any():
                found.append(
                    SexCoverage(
                        sex=sex,
                        exemplars=int(own.sum()),
                        speakers=len(np.unique(self.speaker[rows][own])),
                        minutes=round(float(durations_s[rows][own].sum()) / 60, 3),
                    )
                )
        return tuple(found)

    def positions(self, rows: slice) -> Positions:
        place = self.place[rows]
        initial, medial, final, single = np.bincount(place[place >= 0], minlength=4).tolist()
        return Positions(initial=initial, medial=medial, final=final, single=single)


def _sexes(index: PhoneIndex) -> IntArray:
    """Sex of the speaker of every exemplar, as a position in `SEXES`."""
    known = sexes_of(index)
    own, pairs = index.utterances
    found = [SEXES.index(known.get(pair)) for pair in pairs]
    return np.array(found, dtype=np.int64)[own]


def _places(index: PhoneIndex) -> IntArray:
    """Place in its word of every exemplar, see `_Columns`.

    An index knows words by name, not where they begin: phones that follow each other in the same
    word are taken for one word. A phone whose neighbour in time is not the one that was spoken
    beside it, because that one was left out, has no known place.
    """
    utterance = index.utterances[0]
    starts_s = index.values("start_s")
    order = np.lexsort((starts_s, utterance))
    utterance, word = utterance[order], index.codes("word")[0][order]
    phone = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))[order]
    left, right = (_as_classes(index, side)[order] for side in ("left", "right"))
    silence = index.classes.index(SILENCE) if SILENCE in index.classes else -1
    together = utterance[1:] == utterance[:-1]
    joined = together & (left[1:] == phone[:-1]) & (right[:-1] == phone[1:])
    same = joined & (word[1:] == word[:-1])
    off = np.array([False])
    within_before, within_after = np.concatenate([off, same]), np.concatenate([same, off])
    # Beyond the ends of an utterance there is silence, which need not be an exemplar.
    known_before = np.concatenate([off, joined]) | (left == silence)
    known_after = np.concatenate([joined, off]) | (right == silence)
    place = np.select(
        [within_before & within_after, within_before, within_after], [1, 2, 0], default=3
    )
    place = np.where(known_before & known_after, place, -1)
    found = np.empty(len(order), dtype=np.int64)
    found[order] = place
    return found


def _as_classes(index: PhoneIndex, column: str) -> IntArray:
    """A column of phones as positions in `index.classes`, or -2 for phones without exemplars.

    Silence is -1 where the index has no exemplar of it.
    """
    code, symbols = index.codes(column)
    places = {SILENCE: -1} | {phone: p for p, phone in enumerate(index.classes)}
    return np.array([places.get(s, -2) for s in symbols], dtype=np.int64)[code]
