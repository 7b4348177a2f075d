"""Recordings of natives and learners, laid on their phones and heard at several layers.

An index keeps neither frames nor other layers than its own, so its recordings are heard again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nativeear
from benchmarks.speech_data import SPEECHOCEAN, rows_of
from nativeear.indexer.annotated_corpus import AnnotatedUtterance, Speaker
from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.utterances import recording_of
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.reliability import phone_reliability
from nativeear.scoring.evaluation.simulated import KINDS, Simulation, claimable
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.speech.alignment import SILENCE
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.pooling import pool
from nativeear.speech.steadying import steadied
from training.agreement import WRONG
from training.splits import FOLDS, fold_of

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Spans = list[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Spoken:
    """One recording as it was laid, silences among its n phones.

    Attributes
    ----------
    frames
        At the index's own layer.
    vectors
        Pooled sounds at every layer, float32 `[n, D]` each.
    codes
        Classes that were meant, int64 `[n]`; −1 for one that the index lacks.
    spans_s
        Where they lie.
    expert
        0 wrong to 2 right, float64 `[n]`; NaN where nothing is asked.
    kind
        `learner`, `untouched`, `any` or `near`; `native` for one of the index.
    group
        Whoever is left out together, or drawn anew together.
    fold
        Of the learner.
    """

    frames: Frames
    vectors: list[NDArray[np.float32]]
    codes: Whole
    spans_s: Spans
    expert: Real
    kind: str
    group: str
    fold: int = 0

    @property
    def beside(self) -> Whole:
        """Classes before and after every phone, `[n, 2]`; −2 at the ends."""
        padded = np.concatenate([[-2], self.codes, [-2]])
        return np.stack([padded[:-2], padded[2:]], axis=1)

    @property
    def places_of_frames(self) -> Whole:
        """Which of the n phones every frame lies in, `[T]`."""
        starts = np.array([start for start, _ in self.spans_s])
        at = np.searchsorted(starts, self.frames.times_s, side="right") - 1
        return np.clip(at, 0, len(starts) - 1).astype(np.int64)

    @property
    def log_durations(self) -> Real:
        """ln of seconds, `[n]`."""
        seconds = np.array([end - start for start, end in self.spans_s], dtype=np.float64)
        return np.asarray(np.log(np.maximum(seconds, 0.01)), dtype=np.float64)


def heard_of_index(index: PhoneIndex, corpus: str, ears: Sequence[Encoder]) -> Iterator[Spoken]:
    """The recordings of an index, heard again."""
    found = {u.id: u for u in read_corpus(corpus, language=index.language).utterances}
    own = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))
    utterance, names = index.utterances
    speaker, _ = index.speakers
    many = len(np.unique(speaker)) > 1
    start_s, end_s = index.values("start_s"), index.values("end_s")
    for number, (_, name) in enumerate(names):
        rows = np.flatnonzero(utterance == number)
        if name not in found or not len(rows):
            continue
        rows = rows[np.argsort(start_s[rows], kind="stable")]
        spans = list(zip(start_s[rows].tolist(), end_s[rows].tolist(), strict=True))
        recording = recording_of(found[name])
        frames = [ear.encode(recording) for ear in ears]
        expert = np.where(own[rows] == index.classes.index(SILENCE), np.nan, 2.0)
        vectors = [pool(f, spans, index.manifest.pooling) for f in frames]
        group = str(speaker[rows[0]] if many else number)
        yield Spoken(frames[0], vectors, own[rows], spans, expert, "native", group)


def heard_of_others(
    ear: nativeear.Assessor, corpus: str, ears: Sequence[Encoder], every: int
) -> Iterator[Spoken]:
    """Natives of another voice as they are and with simulated errors, or learners."""
    if Path(corpus).name == SPEECHOCEAN.name:
        for row in rows_of(SPEECHOCEAN)[::every]:
            meant = ear.pronounce(row["text"], row["phones"])
            given = [float(score) for score in row["phone_scores"].replace("|", " ").split()]
            audio, expert = Audio.load(row["audio"]), np.array(given)
            yield _laid(ear, audio, ears, meant, expert=expert, who=("learner", row["speaker"]))
        return
    claims = claimable(phone_reliability(ear.index), ear.inventory)
    simulation = Simulation(claims, ear.inventory)
    for u in read_corpus(corpus, language=ear.language).utterances[::every]:
        audio, text = recording_of(u), u.text or ""
        untouched = ear.assess(audio, text)
        words = [word for word in untouched.words if word.phones and not word.omitted]
        if not words or untouched.of_another_text:
            continue
        spoken = " | ".join(" ".join(phone.phone for phone in word.phones) for word in words)
        expert = np.full(sum(len(word.phones) for word in words), 2.0)
        meant = ear.pronounce(None, spoken)
        yield _laid(ear, audio, ears, meant, expert=expert, who=("untouched", u.id))
        annotated = AnnotatedUtterance(u.id, Speaker(u.id), u.audio, text)
        for kind in KINDS:
            altered = simulation.with_errors(annotated, untouched, kind)
            if altered is not None and len(words) == len(untouched.words):
                expert = np.array([0.0 if p.mispronounced else 2.0 for p in altered.phones])
                meant = ear.pronounce(None, altered.given_phones)
                yield _laid(ear, audio, ears, meant, expert=expert, who=(kind, u.id))


def _laid(
    ear: nativeear.Assessor,
    audio: Audio,
    ears: Sequence[Encoder],
    meant: Pronunciation,
    *,
    expert: Real,
    who: tuple[str, str],
) -> Spoken:
    """One recording, laid as the product lays it: twice, and the mean is asked."""
    evidence = ear.gather_evidence(audio, meant)
    index, laid = ear.index, evidence.alignment.phones
    spans = [(phone.start_s, phone.end_s) for phone in laid]
    read = [phone.read_s or own for phone, own in zip(laid, spans, strict=True)]
    frames = [own.encode(steadied(audio).audio) for own in ears]
    vectors = [
        np.mean([pool(f, place, index.manifest.pooling) for place in (spans, read)], axis=0)
        for f in frames
    ]
    told = np.full(len(laid), np.nan)
    told[[not phone.is_silence for phone in laid]] = expert
    codes = index.codes_of([phone.phone for phone in laid])
    return Spoken(frames[0], vectors, codes, spans, told, *who, fold_of(who[1]))


@dataclass(frozen=True, eq=False)
class Told:
    """What is known of N phones that are asked, silences left out."""

    expert: Real
    kind: NDArray[np.str_]
    group: NDArray[np.str_]
    fold: Whole
    recording: Whole
    asked: NDArray[np.bool_]

    @classmethod
    def of(cls, spoken: Sequence[Spoken]) -> Told:
        """Of some recordings."""
        lengths = [len(s.codes) for s in spoken]
        expert = np.concatenate([s.expert for s in spoken])
        asked = ~np.isnan(expert)

        def column(values: Sequence[object]) -> NDArray[Any]:
            repeated: NDArray[Any] = np.repeat(np.array(values), lengths)[asked]
            return repeated

        return cls(
            expert[asked],
            column([s.kind for s in spoken]),
            column([s.group for s in spoken]),
            column([s.fold for s in spoken]),
            column(list(range(len(spoken)))),
            asked,
        )


def figures(told: Told, values: Real) -> tuple[float, float]:
    """PCC and AUC of learners, or AUC by any and by near phones."""
    known, wrong = ~np.isnan(values), told.expert < WRONG
    if (told.kind == "learner").all():
        parts = [known & (told.fold == fold) for fold in range(FOLDS)]
        parts = [p for p in parts if 0 < wrong[p].sum() < p.sum()]
        return (
            float(np.mean([pearson(values[p], told.expert[p]) for p in parts])),
            float(np.mean([roc_auc(wrong[p], -values[p]) for p in parts])),
        )
    any_, near = (known & (told.kind == kind) for kind in KINDS)
    return roc_auc(wrong[any_], -values[any_]), roc_auc(wrong[near], -values[near])


def gain(told: Told, base: Real, values: Real, draws: int = 100) -> tuple[float, float]:
    """By how much PCC, or AUC by near phones, is larger, and its spread over redrawn recordings."""
    learners = bool((told.kind == "learner").all())
    rows = np.flatnonzero(~np.isnan(base + values) & (learners | (told.kind == "near")))
    wrong, groups = (
        told.expert < WRONG,
        [rows[told.group[rows] == g] for g in np.unique(told.group)],
    )

    def of(drawn: Whole) -> float:
        if learners:
            own = told.expert[drawn]
            return pearson(values[drawn], own) - pearson(base[drawn], own)
        return roc_auc(wrong[drawn], -values[drawn]) - roc_auc(wrong[drawn], -base[drawn])

    rng = np.random.default_rng(0)
    redrawn = [
        of(np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))]))
        for _ in range(draws)
    ]
    return of(rows), float(np.std(redrawn))
