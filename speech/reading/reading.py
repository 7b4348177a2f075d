"""What was read of a text, and where: made of the best path through all its readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.reading.beside import borne_out
from nativeear.speech.reading.graph import BLANK, ReadingGraph, spell
from nativeear.speech.reading.match import Match, ReadingModel
from nativeear.speech.reading.omission import Heard, left_out, said_clearly
from nativeear.speech.reading.path import Pass, ReadingPath, best_reading, phone_onsets

SHORTEST_PAUSE_S = 0.08
"""A shorter pause between words is shared out to them."""

LEAST_EXTRA = 2
"""Phones from which speech that belongs to no word is told: a breath or a click sounds like one."""

SHORTEST_EXTRA_S = 0.14
"""The same in seconds: a shorter one is a sound that was added, or a native's own between words."""

SURE = 0.5
"""Probability from which a recording is of its text."""

WHOLE_FROM = 2 / 3
"""Share of a word's phones beyond which it was read, and not begun, before it was read again."""

EventKind = Literal["omitted", "repeated", "restart", "extra"]


@dataclass(frozen=True)
class ReadingEvent:
    """One departure from the text.

    Attributes
    ----------
    kind
        A word `omitted`, a word that was `repeated` (where it was read before it was read again), a
        word begun and broken off (`restart`), or speech that belongs to no word (`extra`).
    word_index
        The word; of `extra` the last word of the text that was read before it, -1 before the first.
    phones
        What was heard; empty where nothing was.
    start_s, end_s
        Seconds from the start of the recording; None of what was not said.
    """

    kind: EventKind
    word_index: int
    phones: tuple[str, ...] = ()
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """How a text was read.

    Attributes
    ----------
    alignment
        The phones of the words that were read, once each; all else is silence.
    events
        In order of the text.
    likelihood
        Probability that the recording is of this text at all.
    by_head
        Whether a phone head was heard, which tells forms of words apart.
    """

    alignment: Alignment
    events: tuple[ReadingEvent, ...]
    likelihood: float
    by_head: bool

    @property
    def matches(self) -> bool:
        """Whether the recording is of this text: nothing can be judged where it is not."""
        return self.likelihood >= SURE

    @property
    def omitted(self) -> frozenset[int]:
        """Indices of the words that were not read."""
        return frozenset(e.word_index for e in self.events if e.kind == "omitted")

    @property
    def aside_s(self) -> tuple[tuple[float, float], ...]:
        """Speech that is not judged: what was repeated, begun or added."""
        return tuple(
            (e.start_s, e.end_s)
            for e in self.events
            if e.start_s is not None and e.end_s is not None
        )


@lru_cache(maxsize=16)
def phone_distances(columns: tuple[str, ...], inventory: PhoneInventory) -> NDArray[np.float64]:
    """How far the phones of some columns are apart, `[C, C]`; infinite where one is no phone."""
    found = np.full((len(columns), len(columns)), np.inf)
    for i, one in enumerate(columns):
        for j, other in enumerate(columns):
            if one in inventory.symbols and other in inventory.symbols:
                found[i, j] = inventory.distance(one, other)
    return found


def read_text(
    pronunciation: Pronunciation,
    log_probs: NDArray[np.floating],
    *,
    columns: Sequence[str],
    spelling: Mapping[str, tuple[int, ...]],
    edges_s: NDArray[np.floating],
    distances: NDArray[np.float64],
    model: ReadingModel,
    loud: NDArray[np.bool_] | None = None,
) -> Reading:
    """Read a recording against its text.

    Parameters
    ----------
    pronunciation
        Words and their forms.
    log_probs
        Log posterior of every column in every frame, `[T, C]`; the first one is the blank's, or
        silence's.
    columns
        Their names, phones of the inventory among them.
    spelling
        The columns that say each phone.
    edges_s
        Where frames begin and the last one ends, seconds, `[T + 1]`.
    distances
        Of the columns' phones, see `phone_distances`.
    model
        What departing from the text costs, and what tells that another was read.
    loud
        In which frames somebody speaks loudly, bool `[T]`: words that are not clear, or that the
        best path leaves out, are then asked again, see `left_out`, and so is what it finds beside
        the text, see `borne_out`.
    """
    costs = model.costs
    graph = spell(pronunciation, spelling, costs)
    path = best_reading(graph, log_probs, costs, distances=distances)
    kept = _kept(path.passes, graph)
    sounds = _Sounds(log_probs, columns, edges_s)
    likelihood = model.likelihood(_match(path, kept, graph, sounds))

    def spell_words(words: Sequence[int]) -> ReadingGraph:
        some = replace(pronunciation, words=tuple(pronunciation.words[i] for i in words))
        return spell(some, spelling, costs.forbidding())

    passes = path.passes
    if loud is not None and likelihood >= SURE:
        heard = Heard.by(log_probs, distances, loud, costs)
        unsaid = left_out(graph, kept, heard, costs, spell_words)
        whole = [one for one in path.passes if one.states and _whole(one, graph)]
        unsaid -= said_clearly(whole, graph, heard)
        skipped = set(range(graph.words)) - {one.joint for one in kept}
        if unsaid != skipped:
            graph = spell(pronunciation, spelling, costs, skipped - unsaid, unsaid)
            path = best_reading(graph, log_probs, costs, distances=distances)
            kept = _kept(path.passes, graph)
        passes = path.passes
        if kept and any(one.extra or (one.states and one not in kept) for one in passes):
            plain = spell_words([one.joint for one in kept])
            once = best_reading(plain, log_probs, costs.forbidding(), distances=distances)

            def phones(one: Pass) -> int:
                return len(sounds.phones(one.first, one.past))

            without = once.passes, plain
            passes = borne_out(passes, kept, graph, heard, without=without, phones=phones)
    events = _events(passes, kept, graph, sounds)
    variants = [0] * graph.words
    for one in kept:
        variants[one.joint] = graph.phones[graph.phone[one.states[0]]].form
    alignment = Alignment(
        _aligned(kept, graph, log_probs, edges_s),
        tuple(word.word for word in pronunciation.words),
        tuple(variants),
        "reading",
    )
    return Reading(alignment, events, likelihood, model.by_head)


def _kept(passes: Sequence[Pass], graph: ReadingGraph) -> tuple[Pass, ...]:
    """The reading of each word that counts: the last whole one."""
    last = set(graph.last.tolist())
    whole = [one for one in passes if one.states and one.states[-1] in last]
    final: list[Pass] = []
    for one in reversed(whole):
        if not final or one.joint < final[-1].joint:
            final.append(one)
    if len(final) < len({one.joint for one in whole}):  # a word was skipped after going back
        first: list[Pass] = []
        for one in whole:
            if not first or one.joint > first[-1].joint:
                first.append(one)
        return tuple(first)
    return tuple(reversed(final))


class _Sounds:
    """The phones that are heard when nothing is expected."""

    def __init__(
        self,
        log_probs: NDArray[np.floating],
        columns: Sequence[str],
        edges_s: NDArray[np.floating],
    ) -> None:
        self._best = log_probs.argmax(axis=1)
        self._columns = columns
        self._edges_s = edges_s

    def phones(self, first: int, past: int) -> tuple[str, ...]:
        best = self._best[first:past]
        return tuple(self._columns[c] for c in best[phone_onsets(best)])

    def span_s(self, first: int, past: int) -> tuple[float, float]:
        """Where the speech of some frames begins and ends, without the silence around it."""
        spoken = np.flatnonzero(self._best[first:past] != BLANK)
        if len(spoken):
            first, past = first + int(spoken[0]), first + int(spoken[-1]) + 1
        return float(self._edges_s[first]), float(self._edges_s[past])


def _events(
    passes: Sequence[Pass], kept: Sequence[Pass], graph: ReadingGraph, heard: _Sounds
) -> tuple[ReadingEvent, ...]:
    read = {one.joint for one in kept}
    events = [ReadingEvent("omitted", word) for word in range(graph.words) if word not in read]
    for one in passes:
        phones, span_s = heard.phones(one.first, one.past), heard.span_s(one.first, one.past)
        lasting = span_s[1] - span_s[0] >= SHORTEST_EXTRA_S
        if one.extra and len(phones) >= LEAST_EXTRA and lasting:
            # Beside a word that was left out, a path may be in it before the word or behind: both
            # cost the same, so that it is told behind the last word that was read.
            behind = max((word for word in read if word < one.joint), default=-1)
            events.append(ReadingEvent("extra", behind, phones, *span_s))
        elif one.states and one not in kept:
            kind: EventKind = "repeated" if _whole(one, graph) else "restart"
            events.append(ReadingEvent(kind, one.joint, phones, *span_s))
    return tuple(sorted(events, key=lambda e: (e.word_index, e.start_s or 0.0)))


def _whole(one: Pass, graph: ReadingGraph) -> bool:
    """Whether a pass through a word has come to most of its phones."""
    phones = [phone for phone in graph.phones if phone.word == one.joint]
    at = graph.phones[graph.phone[one.states[-1]]]
    length = sum(1 for phone in phones if phone.form == at.form)
    return bool((at.place + 1) / length > WHOLE_FROM)


def _aligned(
    kept: Sequence[Pass],
    graph: ReadingGraph,
    log_probs: NDArray[np.floating],
    edges_s: NDArray[np.floating],
) -> tuple[AlignedPhone, ...]:
    """The phones of the words that count, and silence wherever nothing of them is said."""
    spans: list[tuple[int, float, float, float]] = []
    for one in kept:
        states = np.array(one.states)
        owner, spoken = graph.phone[states], graph.spoken[states]
        confidence = np.exp(log_probs[np.arange(one.first, one.past), graph.column[states]])
        for phone in dict.fromkeys(owner.tolist()):
            own = np.flatnonzero((owner == phone) & spoken)
            a, b = one.first + int(own[0]), one.first + int(own[-1]) + 1
            score = float(confidence[own].mean())
            spans.append((phone, float(edges_s[a]), float(edges_s[b]), score))
    aligned: list[AlignedPhone] = []
    at_s, end_s = 0.0, float(edges_s[-1])
    for phone, begin_s, stop_s, score in spans:
        spelled, start_s = graph.phones[phone], begin_s
        if aligned and not aligned[-1].is_silence and start_s > at_s:
            before = aligned[-1]
            if before.word_index == spelled.word or start_s - at_s < SHORTEST_PAUSE_S:
                start_s = at_s = (at_s + start_s) / 2
                aligned[-1] = replace(before, end_s=at_s)
        if start_s > at_s:
            aligned.append(AlignedPhone(SILENCE, at_s, start_s, -1))
        aligned.append(
            AlignedPhone(spelled.phone, start_s, stop_s, spelled.word, score, spelled.stress)
        )
        at_s = stop_s
    if end_s > at_s:
        aligned.append(AlignedPhone(SILENCE, at_s, end_s, -1))
    return tuple(aligned)


def _match(path: ReadingPath, kept: Sequence[Pass], graph: ReadingGraph, heard: _Sounds) -> Match:
    phones = len(heard.phones(0, path.passes[-1].past))
    unmeant = sum(len(heard.phones(p.first, p.past)) for p in path.passes if p.extra)
    kept_words = [one.joint for one in kept]
    again = sum(bool(p.states) and p not in kept for p in path.passes)
    return Match(
        nats=path.free_score - path.score,
        skipped=float(np.delete(graph.skips, kept_words).sum()),
        text=int(graph.lengths.sum()),
        read=int(graph.lengths[kept_words].sum()),
        heard=phones,
        unmeant=min(1.0, unmeant / max(phones, 1)),
        reread=again / graph.words,
    )
