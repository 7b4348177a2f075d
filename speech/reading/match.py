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
    nats
        By which free phones are likelier than the path.
    skipped
        Nats of these that the path pays for skipped words.
    text, read, heard
        Phones of the text, of the words of it that were read, and that were heard.
    unmeant
        Share of the phones heard that belong to no word.
    reread
        Words that were gone back behind, per word of the text.
    """

    nats: float
    skipped: float
    text: int
    read: int
    heard: int
    unmeant: float
    reread: float

    @property
    def unread(self) -> float:
        """Share of the text's phones that were not read."""
        return 1 - self.read / self.text


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
        times what it is called by: `against_free` times the nats of `Match` per phone, `both` times
        the root of `unread · unmeant`, `unmeant` times its square.
    pardoned
        Share of the nats of skipped words that does not speak against a text: one that was left
        half unread is right as far as it goes.
    whole, few
        Nats are per phone that was heard or, if these are more, per phone of the text if `whole`,
        else of what was read of it, and as many as `few` more: a mean over few phones tells less.
    """

    costs: Costs
    by_head: bool
    offset: float
    against_free: float
    both: float
    unmeant: float
    reread: float
    pardoned: float
    whole: bool
    few: int

    def likelihood(self, match: Match) -> float:
        """Probability that a recording is of its text, 0–1; of none of its words it is not."""
        if not match.heard or not match.read:
            return 0.0
        meant = match.text if self.whole else match.read
        nats = match.nats - self.pardoned * match.skipped
        odds = (
            self.offset
            - self.against_free * nats / (max(meant, match.heard) + self.few)
            - self.both * math.sqrt(match.unread * match.unmeant)
            - self.unmeant * match.unmeant**2
            - self.reread * match.reread
        )
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))


BY_HEAD = ReadingModel(
    Costs(skip=8.0, back=1.0, restart=1.5, weight=0.7),
    by_head=True,
    offset=9.3,
    against_free=3.7,
    both=12.1,
    unmeant=11.9,
    reread=0.0,
    pardoned=0.5,
    whole=True,
    few=5,
)
"""Fitted on slips made with `benchmarks.reading --choosing`: three natives, half of the learners;
the offset is half a nat higher, for readings that are right. Ways back are half as dear since: what
they lead to is asked once more."""

BY_RETRIEVAL = ReadingModel(
    Costs(extra=9.0, extra_phone=2.0, back=5.0, restart=2.0, weight=0.7),
    by_head=False,
    offset=6.1,
    against_free=1.5,
    both=12.4,
    unmeant=12.0,
    reread=2.4,
    pardoned=0.5,
    whole=False,
    few=0,
)
"""For frames of 20 ms. Costs were fitted on slips in Spanish and Russian prompts
(`benchmarks.reading --language`), what tells another text on these and Italian ones by two voices,
each judging the other, too: right texts as they are, left half unread, and with a sixth or a third
of their phones claimed to be others count as right; other texts, half exchanged or in another
order, as wrong. The offset is half a nat higher, for readings that are right."""
