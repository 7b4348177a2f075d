"""What lines of text need of an index: phones, and phones between classes of neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nativeear.indexer.audit.coverage import UNKNOWN_CLASS, CoverageReport, context_classes
from nativeear.indexes.reliability import MIN_COVERAGE
from nativeear.speech.alignment import SILENCE
from nativeear.speech.inventory import PhoneInventory

MIN_CONTEXT = 3
"""Exemplars of a phone in a context below which the context is thin."""

Context: TypeAlias = tuple[str, str, str]
"""A phone, the class before it and the class after it."""

Need: TypeAlias = tuple[str, ...]
"""A phone `(phone,)`, or a phone in a `Context`."""


@dataclass(frozen=True)
class IndexContents:
    """What an index holds, ready to be asked."""

    judged: frozenset[str]  # phones that assessments judge
    # By phone.
    reliability: dict[str, float]
    exemplars: dict[str, int]
    contexts: Counter[Need]  # exemplars by context
    class_of: dict[str, str]  # class of every phone as a neighbour

    @classmethod
    def of(cls, report: CoverageReport, inventory: PhoneInventory) -> IndexContents:
        """What a report says."""
        classes = report.context_classes
        return cls(
            judged=frozenset(p.phone for p in report.phones if p.judged),
            reliability={p.phone: p.reliability for p in report.phones},
            exemplars={p.phone: p.exemplars for p in report.phones},
            contexts=Counter(
                {
                    (phone.phone, classes[i], classes[j]): count
                    for phone in report.phones
                    for i, row in enumerate(phone.contexts)
                    for j, count in enumerate(row)
                    if count
                }
            ),
            class_of=context_classes(inventory),
        )

    def offers(self, phones: Sequence[str]) -> Counter[Need]:
        """How often each phone, and each phone in context, is in a line."""
        offers: Counter[Need] = Counter((phone,) for phone in phones)
        offers.update(contexts_of(phones, self.class_of))
        return offers

    def is_thin(self, context: Need) -> bool:
        """Whether the index has fewer than `MIN_CONTEXT` exemplars in a context."""
        return self.contexts[context] < MIN_CONTEXT

    def lacking(self, wanted: Iterable[Need]) -> dict[Need, int]:
        """Exemplars that are missing of what is wanted: of phones that are not judged, and of thin
        contexts.

        More exemplars of a phone that is held and misheard may help or not: half of `MIN_COVERAGE`
        are asked for.
        """
        missing: dict[Need, int] = {}
        for need in wanted:
            if len(need) > 1:
                missing[need] = MIN_CONTEXT - self.contexts[need]
            elif need[0] not in self.judged:
                missing[need] = max(MIN_COVERAGE - self.exemplars[need[0]], MIN_COVERAGE // 2)
        return {need: count for need, count in missing.items() if count > 0}


def contexts_of(phones: Sequence[str], class_of: dict[str, str]) -> list[Context]:
    """Every phone between the classes of its neighbours; silence is around the whole."""
    classes = [class_of.get(phone, UNKNOWN_CLASS) for phone in (SILENCE, *phones, SILENCE)]
    return [(phone, classes[i], classes[i + 2]) for i, phone in enumerate(phones)]
