"""All readings of a text as one graph.

Between two words lies a *joint*, and one before the first word and one behind the last. From a
joint a path goes into any form of the word behind it, into a pause, or into a loop of free phones,
which takes speech that belongs to no word; or it skips the word. Behind a word it may go back to
the joint before one of the few words before, and from within a word to the joint before that: a
repetition, and a restart. Phones follow each other as labels of CTC do (Graves et al., 2006), with
an optional blank between; two equal ones need none, for people say one long sound.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.canonical import Pronunciation

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

BLANK = 0
"""Column of the blank, or of silence where the scores have no blank."""


@dataclass(frozen=True)
class Costs:
    """What departing from the text costs, in nats.

    Attributes
    ----------
    floor
        Log posterior below which a label of a word does not fall: what a phone that was said
        otherwise costs at most in a frame.
    other, distance
        What another phone in its place costs in a frame, and how much more by its distance, see
        `PhoneInventory.distance`.
    wrong, wrong_phone
        Something else in place of a phone, however long it lasts, and each phone heard in it.
    form
        Any but the first form of a word.
    skip, skip_phone
        Leaving out a word, and for each of its phones.
    back, back_word
        Going back behind a word, and for each word that is read again.
    restart
        Going back from within a word to its beginning.
    extra, extra_phone
        Speech that belongs to no word, and for each of its phones.
    weight
        What the log posteriors of the frames are multiplied by: frames that say one thing
        several times over weigh less.
    """

    floor: float = -7.0
    other: float = 1.0
    distance: float = 20.0
    wrong: float = 7.0
    wrong_phone: float = 4.0
    form: float = 1.0
    skip: float = 5.0
    skip_phone: float = 1.0
    back: float = 2.0
    back_word: float = 0.3
    restart: float = 3.0
    extra: float = 8.0
    extra_phone: float = 1.5
    weight: float = 1.0

    def forbidding(self) -> Costs:
        """The same where the text was read as it stands, whatever it sounds like."""
        return replace(self, skip=NEVER, back=NEVER, restart=NEVER, extra=NEVER)


NEVER = 1e9
"""Nats of what no path does."""

WORDS_BACK = 4
"""How many words a reader goes back at most."""


@dataclass(frozen=True)
class SpelledPhone:
    """A phone of one form of one word of the text."""

    phone: str
    stress: int | None
    word: int
    form: int
    place: int


@dataclass(frozen=True, eq=False)
class ReadingGraph:
    """S states of the words of a text, word by word, and N + 1 joints.

    Attributes
    ----------
    column
        int64 `[S]`: the column of scores that a state takes.
    phone
        int64 `[S]`: the phone of `phones` that it belongs to.
    spoken
        bool `[S]`: whether it is a label and no blank.
    bounds
        int64 `[N + 1]`: word i has the states `bounds[i]` to `bounds[i + 1]`.
    first, first_joint, first_cost
        States that a form begins in, the joint before them, and what entering costs, `[F]`.
    last, last_word
        States that a form ends in, and their word, `[F]`.
    skips
        float64 `[N]`: what leaving out each word costs.
    lengths
        int64 `[N]`: phones of each word's shortest form.
    phones
        Every phone of every form.
    """

    column: IntArray
    phone: IntArray
    spoken: NDArray[np.bool_]
    bounds: IntArray
    first: IntArray
    first_joint: IntArray
    first_cost: FloatArray
    last: IntArray
    last_word: IntArray
    skips: NDArray[np.float64]
    lengths: IntArray
    phones: tuple[SpelledPhone, ...]

    @property
    def words(self) -> int:
        """How many words the text has."""
        return len(self.bounds) - 1


def spell(
    pronunciation: Pronunciation,
    spelling: Mapping[str, tuple[int, ...]],
    costs: Costs,
    said: Collection[int] = (),
    unsaid: Collection[int] = (),
) -> ReadingGraph:
    """Spell a text in the columns of log posteriors.

    Parameters
    ----------
    pronunciation
        Words and their forms.
    spelling
        The column, or columns one after the other, that say each phone.
    costs
        What departing from it costs.
    said
        Indices of words that no path leaves out.
    unsaid
        Indices of words that no path reads.
    """
    column: list[int] = []
    owner: list[int] = []
    phones: list[SpelledPhone] = []
    bounds, first, first_word, first_cost, last, last_word = [0], [], [], [], [], []
    lengths = []
    for number, word in enumerate(pronunciation.words):
        taken: set[tuple[str, ...]] = set()
        for form, sequence in enumerate(word.variants):
            if sequence.phones in taken:
                continue
            taken.add(sequence.phones)
            first.append(len(column))
            first_word.append(number)
            entering = costs.form if form else 0.0
            first_cost.append(NEVER if number in unsaid else entering)
            for place, (phone, stress) in enumerate(
                zip(sequence.phones, sequence.stress, strict=True)
            ):
                phones.append(SpelledPhone(phone, stress, number, form, place))
                for label in spelling[phone]:
                    if len(column) > first[-1]:
                        column.append(BLANK)
                        owner.append(owner[-1])
                    column.append(label)
                    owner.append(len(phones) - 1)
            last.append(len(column) - 1)
            last_word.append(number)
        bounds.append(len(column))
        lengths.append(min(len(form) for form in word.variants))
    columns = np.array(column, dtype=np.int64)
    skips = costs.skip + costs.skip_phone * np.array(lengths, dtype=np.float64)
    skips[list(said)] = NEVER
    return ReadingGraph(
        columns,
        np.array(owner, dtype=np.int64),
        columns != BLANK,
        np.array(bounds, dtype=np.int64),
        np.array(first, dtype=np.int64),
        np.array(first_word, dtype=np.int64),
        np.array(first_cost, dtype=np.float32),
        np.array(last, dtype=np.int64),
        np.array(last_word, dtype=np.int64),
        skips,
        np.array(lengths, dtype=np.int64),
        tuple(phones),
    )
