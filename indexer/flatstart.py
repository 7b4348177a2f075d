"""Learn to align a language from nothing: recordings, their phones, and an encoder's frames.

Expectation–maximisation with hard decisions (Viterbi training; Rabiner, 1989): the phones of every
utterance are laid over its loud frames in equal shares; then, again and again, the linear
discriminant that separates these states best is solved in closed form and every utterance is
aligned anew in it. Where a corpus brings alignments of its own, these stand as they are and speak
for their phones from the start.

Memory does not grow with the corpus: at most `FIT_S` seconds of it are learnt from, their frames
rest on disk, and what travels between processes are sums over states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.crew import end_with_parent
from nativeear.indexer.discriminant import ClassSums
from nativeear.indexer.heard import HeardUtterance
from nativeear.speech.aligners.flatstart import (
    FlatstartModel,
    centred,
    densities,
    spell,
    state_columns,
)
from nativeear.speech.aligners.graphs import SpelledText
from nativeear.speech.aligners.viterbi import NEVER, best_path
from nativeear.speech.alignment import SILENCE, Alignment
from nativeear.speech.encoders.spectral import HOP, SAMPLE_RATE, WINDOW
from nativeear.speech.errors import CorpusError
from nativeear.speech.frames import FloatArray
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronunciation
from nativeear.speech.threads import one_thread_each

FIT_S = 3600.0
"""Seconds of speech that are learnt from, at most: more of it moves the means of the states by
less than their standard errors of a few thousandths."""

STATE_S = 0.03
"""A phone has as many states as hops of the encoder fit into this, 1 to 3: shorter phones than
that are rare."""

BLIND_ROUNDS = 8
BLIND_DIMS = 40
"""Rounds in the principal components of all frames, and how many of these: the equal shares of
the beginning say too little about the states to tell which directions part them."""

BLIND_LESSONS = 128
"""Utterances that the blind rounds learn from: they only have to tell the states apart."""

MAX_ROUNDS = 25
REST = 0.002
"""Gain in mean log posterior per frame below which the alignment has come to rest."""

SEED = 0
CHUNK = 16
"""Utterances that a worker aligns at a time."""

LEADS_S = tuple(np.arange(-0.04, 0.0401, 0.005).round(3).tolist())
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Lesson:
    """What is known of one utterance: its file, and its pronunciation or its ready alignment."""

    path: Path
    pronunciation: Pronunciation | None
    given: Alignment | None = None


def fit_flatstart(
    lessons: Sequence[Lesson],
    inventory: PhoneInventory,
    encoder: str,
    *,
    workers: int = 1,
    progress: Progress = lambda *_: None,
) -> FlatstartModel:
    """Learn a model.

    Parameters
    ----------
    lessons
        The utterances.
    inventory
        The phones of the language; those that never occur are heard as their nearest.
    encoder
        Fingerprint of the encoder.
    workers
        Processes; their number does not change the result.

    Raises
    ------
    CorpusError
        If there is nothing to learn from.
    """
    if not lessons:
        raise CorpusError("There is no speech to learn an aligner from.")
    first = HeardUtterance.load(lessons[0].path)
    states = int(np.clip(round(STATE_S / first.frames.hop_s), 1, 3))
    phones = (*sorted(_phones(lessons)), SILENCE)
    stage = "Learning to align"
    with _workers(lessons, phones, states, workers) as ask:
        progress(stage, 0, MAX_ROUNDS)
        taught = all(lesson.given is not None for lesson in lessons)
        few = None if taught or len(lessons) <= BLIND_LESSONS else BLIND_LESSONS
        begun = ask(_Question(None, None, None))
        centre = (begun.spoken / max(begun.speech, 1.0)).astype(np.float32)
        sums = ask(_Question(centre, None, None), few).sums
        products = sums.products
        # of all frames, and the same whatever state they are in
        whole = products if few is None else ask(_Question(centre, None, None)).sums.products
        components = None if taught else _principal_components(sums)
        before = -np.inf
        for done in range(1, MAX_ROUNDS + 1):
            blind = not taught and done <= BLIND_ROUNDS
            matrix, means = _project(sums, products, components if blind else None)
            answer = ask(_Question(centre, matrix, means), few if blind else None)
            sums = answer.sums
            if not blind:
                products = whole
            progress(stage, done, MAX_ROUNDS)
            if not blind and (taught or answer.posterior - before < REST):
                break
            before = -np.inf if blind else answer.posterior
        progress(stage, MAX_ROUNDS, MAX_ROUNDS)
        matrix, means = _project(sums, products)
        leads = ask(_Question(centre, matrix, means)).leads
    unaligned = [lesson for lesson in lessons if lesson.given is None]
    return FlatstartModel(
        language=inventory.language,
        encoder=encoder,
        phones=phones,
        states=states,
        centre=centre,
        matrix=matrix,
        means=means,
        aliases=_aliases(inventory, phones),
        lead_s=-float(LEADS_S[int(np.argmax(leads))]) if unaligned else 0.0,
    )


def _phones(lessons: Sequence[Lesson]) -> set[str]:
    spelled = {
        phone
        for lesson in lessons
        if lesson.pronunciation is not None
        for word in lesson.pronunciation.words
        for variant in word.variants
        for phone in variant.phones
    }
    given = {p.phone for lesson in lessons if lesson.given for p in lesson.given.spoken}
    return spelled | given


def _aliases(inventory: PhoneInventory, phones: Sequence[str]) -> dict[str, str]:
    """The nearest phone that was heard, of every phone of the inventory that was not."""
    heard = [phone for phone in phones if phone in inventory]
    return {
        phone.symbol: min(heard, key=lambda other: (inventory.distance(phone.symbol, other), other))
        for phone in inventory
        if phone.symbol not in phones and heard
    }


def _principal_components(sums: ClassSums) -> NDArray[np.float64]:
    """Those of all frames, `[D, BLIND_DIMS]`; they are the same whatever state frames are in."""
    total = sums.counts.sum()
    mean = sums.sums.sum(axis=0) / total
    _, directions = np.linalg.eigh(sums.products / total - np.outer(mean, mean))
    return np.asarray(directions[:, ::-1][:, :BLIND_DIMS])


def _project(
    sums: ClassSums,
    products: NDArray[np.float64],
    components: NDArray[np.float64] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """A projection in which states have unit variance, and their means in it.

    It is the discriminant of the states as they are aligned; or, where they are not told apart
    yet, some given components, each scaled by what its variance within the states is.
    """
    counts = np.maximum(sums.counts, 1.0)[:, None]
    centres = sums.sums / counts
    if components is None:
        matrix = ClassSums(sums.counts, sums.sums, products).lda().matrix
    else:
        within = (products - (counts * centres).T @ centres) / sums.counts.sum()
        matrix = components / np.sqrt(np.einsum("ij,ik,kj->j", components, within, components))
    means = centres @ matrix
    overall_mean = sums.sums.sum(axis=0) / sums.counts.sum() @ matrix
    # A state that lost all its frames must be able to come back: it starts from the middle.
    means = np.where(sums.counts[:, None] > 0, means, overall_mean)
    return matrix.astype(np.float32), means.astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Question:
    """What to do with every utterance.

    Without a `centre`: its frames are counted. With it but no `means`: the uniform start. With
    both: the best path.
    """

    centre: FloatArray | None
    matrix: FloatArray | None
    means: FloatArray | None


@dataclass(eq=False)
class _Answer:
    """Sums over utterances. `posterior` is summed over `frames` in parts, a mean in the whole.

    The products of frames are asked for only with the uniform start; else they are `[0, 0]`.
    """

    sums: ClassSums
    spoken: NDArray[np.float64]
    speech: float
    posterior: float
    frames: float
    leads: NDArray[np.float64]

    @classmethod
    def zero(cls, states: int, dim: int, *, products: bool) -> _Answer:
        """The sums over nothing."""
        sums = ClassSums.zero(states, dim)
        if not products:
            sums = ClassSums(sums.counts, sums.sums, np.zeros((0, 0)))
        return cls(sums, np.zeros(dim), 0.0, 0.0, 0.0, np.zeros(len(LEADS_S)))

    def __add__(self, other: _Answer) -> _Answer:
        return _Answer(
            self.sums + other.sums,
            self.spoken + other.spoken,
            self.speech + other.speech,
            self.posterior + other.posterior,
            self.frames + other.frames,
            self.leads + other.leads,
        )

    def count(self, states: NDArray[np.int64], data: FloatArray) -> None:
        """Add frames `[T, D]` to the states that they are in, run by run; `NEVER` is no state."""
        starts = np.flatnonzero(np.diff(states, prepend=NEVER - 1))
        runs = states[starts]
        known = runs != NEVER
        np.add.at(self.sums.sums, runs[known], np.add.reduceat(data, starts)[known])
        np.add.at(self.sums.counts, runs[known], np.diff(starts, append=len(states))[known])
        self.frames += len(data)


class _Pupil:
    """Answers questions about its lessons; one per process."""

    def __init__(self, lessons: Sequence[Lesson], phones: tuple[str, ...], states: int) -> None:
        self._lessons = lessons
        self._columns = state_columns(phones, states)
        self._states = sum(len(columns) for columns in self._columns.values())
        self._spelled: dict[int, SpelledText] = {}

    def answer(self, question: _Question, numbers: Sequence[int]) -> _Answer:
        """Sum over some of the lessons, in order."""
        total: _Answer | None = None
        for number in numbers:
            lesson = self._lessons[number]
            utterance = HeardUtterance.load(lesson.path)
            if total is None:
                start = question.centre is not None and question.means is None
                dim = utterance.frames.embeddings.shape[1]
                total = _Answer.zero(self._states, dim, products=start)
            self._add(total, question, number, utterance)
        if total is None:
            raise ValueError("no lessons")
        return total

    def _add(
        self, total: _Answer, question: _Question, number: int, utterance: HeardUtterance
    ) -> None:
        raw, lesson = utterance.frames.embeddings, self._lessons[number]
        if question.centre is None:
            total.spoken += raw[utterance.loud].sum(axis=0, dtype=np.float64)
            total.speech += float(utterance.loud.sum())
            return
        data = centred(raw, utterance.loud, question.centre)
        if question.matrix is None or question.means is None:
            states = self._start(lesson, utterance)
            wide = data[states != NEVER].astype(np.float64)
            total.sums.products[:] += wide.T @ wide
            total.count(states, data)
            return
        if lesson.given is not None:
            total.count(self._start(lesson, utterance), data)
            return
        scores = densities(data @ question.matrix, question.means)
        text = self._text(number)
        path = best_path(text.graph, scores)
        if path is None:  # too short for its text: it teaches nothing
            states = np.full(len(data), self._columns[SILENCE][0])
        else:
            states = text.graph.column[path.states]
            total.leads += _flux_by_lead(utterance, text.graph.phone[path.states])
        best = scores.max(axis=1)
        whole = best + np.log(np.exp(scores - best[:, None]).sum(axis=1))
        total.posterior += float((scores[np.arange(len(data)), states] - whole).sum())
        total.count(states, data)

    def _text(self, number: int) -> SpelledText:
        pronunciation = self._lessons[number].pronunciation
        if pronunciation is None:
            raise ValueError("a lesson with a ready alignment is not aligned")
        if number not in self._spelled:
            self._spelled[number] = spell(pronunciation, self._columns)
        return self._spelled[number]

    def _start(self, lesson: Lesson, utterance: HeardUtterance) -> NDArray[np.int64]:
        """States of all frames before anything is known, or as a given alignment has them.

        Speech whose phones nobody knows is in no state: `NEVER`.
        """
        length = len(utterance.loud)
        states = np.full(length, self._columns[SILENCE][0], dtype=np.int64)
        if lesson.given is None and lesson.pronunciation is not None:
            sequence = [
                column
                for phone in lesson.pronunciation.canonical()
                for column in self._columns[phone.phone]
            ]
            loud = np.flatnonzero(utterance.loud)
            share = np.arange(len(loud)) * len(sequence) // max(len(loud), 1)
            states[loud] = np.array(sequence)[share]
            return states
        times = utterance.frames.times_s
        for phone in lesson.given.phones if lesson.given else ():
            inside = np.flatnonzero((times >= phone.start_s) & (times < phone.end_s))
            if phone.is_silence:
                states[inside] = self._columns.get(phone.phone, (NEVER,))[0]
                continue
            columns = self._columns[phone.phone]
            share = np.arange(len(inside)) * len(columns) // max(len(inside), 1)
            states[inside] = np.array(columns)[share]
        return states


def _flux_by_lead(utterance: HeardUtterance, owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Spectral change at the boundaries of a path, moved by each of `LEADS_S`, `[L]`."""
    cuts = np.flatnonzero(np.diff(owner)) + 1
    frames = utterance.frames
    times = frames.offset_s + frames.hop_s * (cuts - 0.5)
    # value f lies between the centres of two frames of 10 ms
    at = (np.add.outer(np.array(LEADS_S), times) * SAMPLE_RATE - WINDOW / 2) / HOP - 0.5
    places = np.clip(np.rint(at).astype(np.int64), 0, len(utterance.flux) - 1)
    return np.asarray(utterance.flux[places].sum(axis=1, dtype=np.float64))


_pupil: _Pupil | None = None


def _start_worker(lessons: Sequence[Lesson], phones: tuple[str, ...], states: int) -> None:
    global _pupil  # noqa: PLW0603 - one per process, made by the pool's initialiser
    end_with_parent()
    _pupil = _Pupil(lessons, phones, states)


def _answer_in_worker(question: _Question, numbers: Sequence[int]) -> _Answer:
    if _pupil is None:
        raise RuntimeError("_start_worker was not called")
    return _pupil.answer(question, numbers)


class _Ask(Protocol):
    def __call__(self, question: _Question, few: int | None = None) -> _Answer: ...


@contextmanager
def _workers(
    lessons: Sequence[Lesson], phones: tuple[str, ...], states: int, workers: int
) -> Iterator[_Ask]:
    """Put a question to all lessons or to the first few.

    Chunks are added up in their order, whoever worked on them.
    """
    chunks = [
        range(first, min(first + CHUNK, len(lessons))) for first in range(0, len(lessons), CHUNK)
    ]

    def chunks_of(few: int | None) -> list[range]:
        return chunks if few is None else chunks[: -(-few // CHUNK)]

    def add_up(parts: Iterator[_Answer]) -> _Answer:
        total = next(parts)
        for part in parts:
            total = total + part
        mean = total.posterior / max(total.frames, 1.0)
        return _Answer(total.sums, total.spoken, total.speech, mean, total.frames, total.leads)

    if workers <= 1 or len(chunks) == 1:
        pupil = _Pupil(lessons, phones, states)
        yield lambda question, few=None: add_up(
            pupil.answer(question, chunk) for chunk in chunks_of(few)
        )
        return
    with (
        one_thread_each(),
        ProcessPoolExecutor(
            min(workers, len(chunks)),
            mp_context=get_context("spawn"),
            initializer=_start_worker,
            initargs=(lessons, phones, states),
        ) as executor,
    ):
        try:
            yield lambda question, few=None: add_up(
                executor.map(_answer_in_worker, repeat(question), chunks_of(few))
            )
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
