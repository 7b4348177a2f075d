"""Simulated errors: another phone is claimed to have been meant than natives have said.

The protocol of CMU Kids: in the transcript of right speech a canonical phone is replaced, and the
system should flag that position and no other. It needs native speech alone, so every language can
be measured. Errors are `any` other phone, or one of the `NEAR` nearest in PanPhon's features. Two
right phones or more stand between two errors, so that each neighbour borders on one error at most.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from nativeear.indexer.annotated_corpus import AnnotatedPhone, AnnotatedUtterance, AnnotatedWord
from nativeear.indexes.reliability import NO_EXEMPLARS, PhoneReliability
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.evaluation.bootstrap import (
    RESAMPLES,
    Measure,
    difference,
    draw_weights,
    measure,
    separation,
    share,
)
from nativeear.scoring.evaluation.judgements import (
    BY_VERDICT,
    BoolArray,
    Detection,
    IntArray,
    Judgements,
)
from nativeear.speech.inventory import PhoneInventory

Kind = Literal["any", "near"]
KINDS: tuple[Kind, ...] = ("any", "near")

NEAR = 8
"""Substitutes of a `near` error: the phones nearest in PanPhon's features."""

EVERY = 6
"""One phone in so many becomes an error, at least one in an utterance."""

APART = 3
"""Errors are at least so many phones apart."""


class Simulation:
    """Draws errors. The same seed and utterance give the same errors.

    Parameters
    ----------
    phones
        Phones that may be claimed: those that the index can judge.
    inventory
        Tells which phones are near.
    seed
        Of the draw.
    """

    def __init__(self, phones: Sequence[str], inventory: PhoneInventory, seed: int = 0) -> None:
        self._seed = seed
        self._substitutes = {
            phone: sorted(
                (other for other in phones if other != phone),
                key=lambda other: (inventory.distance(phone, other), other),
            )
            for phone in inventory.symbols
        }

    def with_errors(
        self, annotated: AnnotatedUtterance, untouched: Assessment, kind: Kind
    ) -> AnnotatedUtterance | None:
        """The utterance as if other phones had been meant; None where there is no room for one.

        Parameters
        ----------
        annotated
            A right reading.
        untouched
            Its assessment, which tells the pronunciation that was heard.
        kind
            Which phones are claimed.
        """
        canonical = [phone.phone for phone in untouched.phones]
        name = f"{self._seed} {kind} {annotated.id}"
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        claimed: dict[int, str] = {}
        for position in rng.permutation(len(canonical)).tolist():
            if len(claimed) >= -(-len(canonical) // EVERY):
                break
            if any(abs(position - other) < APART for other in claimed):
                continue
            # A phone beside its like would leave open which of the two is the wrong one.
            beside = canonical[max(position - 1, 0) : position + 2]
            near = self._substitutes[canonical[position]]
            choice = [p for p in (near[:NEAR] if kind == "near" else near) if p not in beside]
            if choice:
                claimed[position] = choice[int(rng.integers(len(choice)))]
        if not claimed:
            return None
        words, at = [], 0
        for word in untouched.words:
            phones = tuple(
                AnnotatedPhone(claimed[i], mispronounced=True, perceived=canonical[i])
                if i in claimed
                else AnnotatedPhone(canonical[i])
                for i in range(at, at + len(word.phones))
            )
            at += len(phones)
            words.append(AnnotatedWord(word.word, phones))
        return replace(annotated, words=tuple(words))


def claimable(
    reliability: Mapping[str, PhoneReliability], inventory: PhoneInventory
) -> tuple[str, ...]:
    """The phones that an index judges: of the others no error can be found."""
    return tuple(
        phone for phone in inventory.symbols if reliability.get(phone, NO_EXEMPLARS).judged()
    )


def paired_measures(
    altered: Judgements,
    untouched: Judgements,
    detection: Detection = BY_VERDICT,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Measure]:
    """What the errors do, against the same positions of the untouched transcripts.

    `paired_roc_auc` tells the positions of the errors from the same positions untouched.
    `neighbours_flagged` and `neighbours_flagged_untouched` are the shares of flagged phones among
    the direct neighbours of errors, with the error and without it, and `spill` is the difference:
    how much blame an error sheds on its neighbours. Phones that are uncertain in either are left
    out.

    Parameters
    ----------
    altered, untouched
        The same utterances, phone by phone, with errors and without; `untouched` may hold more.
    """
    twin = _twins(altered, untouched)
    both = ~altered.uncertain & ~untouched.uncertain[twin]
    beside = _beside_errors(altered) & both
    wrong = altered.mispronounced & both
    by_speaker = len(altered.speakers) > 1
    unit = altered.speaker if by_speaker else altered.utterance
    weights = draw_weights(int(unit.max()) + 1, resamples, seed)
    with_error = share(altered.rejected(detection) & beside, beside, unit)
    without = share(untouched.rejected(detection)[twin] & beside, beside, unit)
    told_apart = separation(
        np.repeat([True, False], int(wrong.sum())),
        -np.concatenate([altered.score[wrong], untouched.score[twin[wrong]]]),
        np.tile(unit[wrong], 2),
    )
    statistics = {
        "paired_roc_auc": told_apart,
        "neighbours_flagged": with_error,
        "neighbours_flagged_untouched": without,
        "spill": difference(with_error, without),
    }
    return {name: measure(statistic, weights) for name, statistic in statistics.items()}


def _twins(altered: Judgements, untouched: Judgements) -> IntArray:
    """Row of the untouched transcript for each row with errors, int64 `[N]`."""
    first = np.searchsorted(untouched.utterance, np.arange(len(untouched.utterances)))
    first_row = {identity: first[number] for number, identity in enumerate(untouched.utterances)}
    begin = np.searchsorted(altered.utterance, np.arange(len(altered.utterances)))
    shift = np.array([first_row[identity] for identity in altered.utterances]) - begin
    twins: IntArray = np.arange(len(altered.canonical)) + shift[altered.utterance]
    return twins


def _beside_errors(j: Judgements) -> BoolArray:
    """Right phones that come directly before or after an error, bool `[N]`."""
    beside = np.zeros(len(j.canonical), dtype=bool)
    same = j.utterance[1:] == j.utterance[:-1]
    beside[1:] |= j.mispronounced[:-1] & same
    beside[:-1] |= j.mispronounced[1:] & same
    return beside & ~j.mispronounced
