"""What natives should say next: greedy set cover over the sounds that an index lacks."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence

from nativeear.indexer.audit.coverage import AuditModel
from nativeear.indexer.audit.needs import Need

OVERHEAD = 8
"""What a sentence costs to record beside its phones, in phones: somebody has to read it."""


class ScriptLine(AuditModel):
    """A sentence or word to record."""

    text: str  # what to say
    times: int  # how often, by as many speakers as there are
    fills: int  # how many of the gaps that the lines before it leave open it closes, said so often
    left: int  # gaps that are still open after it


class Script(AuditModel):
    """What to record, the most useful first."""

    gaps: int  # exemplars that are missing: of phones, and of phones in contexts
    # Each closes more gaps for its length than any other that was left; together they close all.
    lines: tuple[ScriptLine, ...]


def greedy_script(
    candidates: Sequence[tuple[str, Counter[Need]]],
    needs: Mapping[Need, int],
    *,
    overhead: int = OVERHEAD,
) -> Script:
    """Choose lines, and how often each is to be said, until every gap is closed.

    The greedy choice for covers with costs (Chvátal 1979): what a line gains can only shrink as
    others are chosen, so that a line whose old gain heads the queue is looked at again before it
    is taken, and the others are not.

    Parameters
    ----------
    candidates
        Texts and how often each need occurs in them; phones are counted by `(phone,)`.
    needs
        How many more exemplars are wanted. Those that no candidate has are passed over.
    overhead
        What a line costs beside its phones, in phones.
    """
    offered = {need for _, offers in candidates for need in offers}
    gaps = {need: count for need, count in needs.items() if count > 0 and need in offered}
    left = dict(gaps)

    def gain(offers: Counter[Need]) -> int:
        return sum(min(count, left.get(need, 0)) for need, count in offers.items())

    costs = [
        overhead + sum(count for need, count in offers.items() if len(need) == 1)
        for _, offers in candidates
    ]
    queue = [(-gain(offers) / costs[i], i) for i, (_, offers) in enumerate(candidates)]
    heapq.heapify(queue)
    times: Counter[int] = Counter()
    while queue and queue[0][0] < 0:
        _, i = heapq.heappop(queue)
        offers = candidates[i][1]
        value = -gain(offers) / costs[i]
        if not queue or value <= queue[0][0]:
            if value == 0:
                break
            _fill(left, offers)
            times[i] += 1
            value = -gain(offers) / costs[i]  # it may be wanted again
        heapq.heappush(queue, (value, i))
    return Script(gaps=sum(gaps.values()), lines=_in_turn(candidates, times, gaps))


def _fill(left: dict[Need, int], offers: Counter[Need], times: int = 1) -> None:
    for need, count in offers.items():
        if need in left:
            left[need] = max(0, left[need] - times * count)


def _in_turn(
    candidates: Sequence[tuple[str, Counter[Need]]],
    times: Counter[int],
    gaps: Mapping[Need, int],
) -> tuple[ScriptLine, ...]:
    """The chosen lines, each said as often as it has to be before the next one's turn."""
    left = dict(gaps)
    before = sum(left.values())
    lines = []
    for i, often in times.items():
        text, offers = candidates[i]
        _fill(left, offers, often)
        after = sum(left.values())
        lines.append(ScriptLine(text=text, times=often, fills=before - after, left=after))
        before = after
    return tuple(lines)
