"""Is this recording of this text at all?

Told by a logistic function of how much likelier free phones are than the best path through the
text, and of how much of the text was not read while other speech was heard: a text that was left
half unread is right as far as it goes, and one beside which other words were said is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nativeear.speech.reading.graph import Costs


@dataclass(frozen=True)
class Match:
    """How well a recording and a text fit.

    Attributes
    ----------
    against_free
        Nats by which free phones are likelier than the path, which half pays for skipped words, per
        phone that was heard or meant, whichever are more.
    unread
        Share of the text's phones that were not read.
    unmeant
        Share of the phones heard that belong to no word.
    reread
        Words that were gone back behind, per word of the text.
    phones
        How many phones were heard.
    """

    against_free: float
    unread: float
    unmeant: float
    reread: float
    phones: int


@dataclass(frozen=True)
class ReadingModel:
    """Costs of paths, and what tells by the best one whether the text was read.

    Attributes
    ----------
    costs
        What departing from a text costs.
    by_head
        Whether it is for posteriors of a phone head, and not for those of retrieval.
    offset, against_free, both, unmeant, reread
        The logarithm of the odds that a recording is of its text is `offset` less the others, each
        times what it is called by in `Match`: `both` times the root of `unread · unmeant`, and
        `unmeant` times its square.
    """

    costs: Costs
    by_head: bool
    offset: float
    against_free: float
    both: float
    unmeant: float
    reread: float

    def likelihood(self, match: Match) -> float:
        """Probability that a recording is of its text, 0–1; of none of its words it is not."""
        if not match.phones or match.unread == 1:
            return 0.0
        odds = (
            self.offset
            - self.against_free * match.against_free
            - self.both * math.sqrt(match.unread * match.unmeant)
            - self.unmeant * match.unmeant**2
            - self.reread * match.reread
        )
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))


BY_HEAD = ReadingModel(
    Costs(), by_head=True, offset=10.2, against_free=4.7, both=16.5, unmeant=8.6, reread=1.0
)
"""Fitted on slips made with `benchmarks.reading --choosing`: three natives, half of the learners;
the offset is half a nat higher, for readings that are right."""

BY_RETRIEVAL = ReadingModel(
    Costs(extra=14.0, extra_phone=2.0, back=8.0, restart=10.0, weight=0.7),
    by_head=False,
    offset=7.7,
    against_free=2.3,
    both=12.0,
    unmeant=15.0,
    reread=2.5,
)
"""For frames of 20 ms; tried on natives and learners as if the shipped encoder had no head."""
