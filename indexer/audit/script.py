"""What natives should say next: greedy set cover over the sounds that an index lacks."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from indexer.audit.coverage import AuditModel

Need: TypeAlias = tuple[str, ...]
"""A phone `(phone,)`, or a phone in a context `(phone, class before, class after)`."""

OVERHEAD = 8
"""What a sentence costs to record beside its phones, in phones: somebody has to read it."""

MOST_LINES = 50


class ScriptLine(AuditModel):
    """A sentence or word to record.

    Attributes
    ----------
    text
        What to say.
    fills
        How many of the gaps that the lines before it leave open it closes.
    left
        Gaps that are still open after it.
    """

    text: str
    fills: int
    left: int


class Script(AuditModel):
    """What to record, the most useful first.

    Attributes
    ----------
    gaps
        Exemplars that are missing: of phones, and of phones in contexts.
    lines
        Each closes more gaps for its length than any other that was left.
    """

    gaps: int
    lines: tuple[ScriptLine, ...]


def greedy_script(
    candidates: Sequence[tuple[str, Counter[Need]]],
    needs: Mapping[Need, int],
    *,
    most: int = MOST_LINES,
) -> Script:
    """Choose lines until no gap can be closed any more, or there are `most`.

    The greedy choice for covers with costs (Chvátal 1979): what a line gains can only shrink as
    others are chosen, so that a line whose old gain heads the queue is looked at again before it
    is taken, and the others are not.

    Parameters
    ----------
    candidates
        Texts and how often each need occurs in them; phones are counted by `(phone,)`.
    needs
        How many more exemplars are wanted.
    most
        Lines at most.
    """
    left = {need: count for need, count in needs.items() if count > 0}
    total = open_gaps = sum(left.values())

    def gain(offers: Counter[Need]) -> int:
        return sum(min(count, left.get(need, 0)) for need, count in offers.items())

    costs = [
        OVERHEAD + sum(count for need, count in offers.items() if len(need) == 1)
        for _, offers in candidates
    ]
    queue = [(-gain(offers) / costs[i], i) for i, (_, offers) in enumerate(candidates)]
    heapq.heapify(queue)
    lines: list[ScriptLine] = []
    while queue and open_gaps and len(lines) < most:
        _, i = heapq.heappop(queue)
        text, offers = candidates[i]
        gained = gain(offers)
        if not gained:
            continue
        value = -gained / costs[i]
        if queue and value > queue[0][0]:
            heapq.heappush(queue, (value, i))
            continue
        for need, count in offers.items():
            if need in left:
                left[need] = max(0, left[need] - count)
        open_gaps -= gained
        lines.append(ScriptLine(text=text, fills=gained, left=open_gaps))
    return Script(gaps=total, lines=tuple(lines))
