"""How natively a sound that was heard as some phone is said, where nothing was meant.

The sound's similarity to the index's exemplars of that phone is placed among the similarities of
natives to them, each asked without its own speaker or utterance. The encoder's posterior has no
say: the phone was chosen for it, so that it is high for good and bad alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from nativeear.indexes.native_margins import NativeMargins, left_out_together
from nativeear.indexes.phone_index import FloatArray, PhoneIndex
from nativeear.indexes.reliability import MIN_COVERAGE
from nativeear.indexes.similarity import class_similarities
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.grading import FALSE_REJECTIONS, UNCERTAIN, Grade, score_of
from nativeear.scoring.verdicts import Verdict
from nativeear.speech.alignment import SILENCE

MAX_QUESTIONS = 200
"""Natives of a phone that are asked about themselves; their order is seeded."""


class OwnClassQuality:
    """Grades sounds by their similarity to one class. Safe to share between threads.

    Parameters
    ----------
    index
        The index.
    false_rejections
        Share of native sounds that may be called `accented`.
    """

    name = "similarity"

    def __init__(self, index: PhoneIndex, *, false_rejections: float = FALSE_REJECTIONS) -> None:
        self._index = index
        self._accented_below = math.log(false_rejections)

    @cached_property
    def _natives(self) -> dict[str, NativeMargins]:
        """Similarities of natives to the other natives of their phone."""
        index = self._index
        groups = left_out_together(index.speakers[0], index.utterances[0])
        rng = np.random.default_rng(0)
        found = {}
        for phone in index.classes:
            own = index.rows_of(phone)
            if phone == SILENCE or own.stop - own.start < MIN_COVERAGE:
                continue
            rows = np.arange(own.start, own.stop)
            questions = rng.permutation(rows)[:MAX_QUESTIONS]
            similar = class_similarities(
                index.vectors[questions],
                index.vectors[own],
                np.array([0, len(rows)]),
                top_m=index.manifest.decision.top_m,
                groups=groups[own],
                query_groups=groups[questions],
            )
            found[phone] = NativeMargins.fit(similar[:, 0])
        return found

    def grades(
        self, embeddings: FloatArray, phones: Sequence[str], exclusion: Exclusion
    ) -> tuple[Grade, ...]:
        """Grade N sounds, in order.

        Parameters
        ----------
        embeddings
            float32 `[N, D]`, pooled in the encoder's space.
        phones
            What each was heard as.
        exclusion
            Exemplars that must not answer.

        Returns
        -------
        tuple of Grade
            `correct`, `accented` where fewer natives than asked for are as far from their kind, or
            `uncertain`. There is no probability of a mispronunciation, for nothing was meant.
        """
        index = self._index
        vectors = index.transform(embeddings)
        allowed = ~exclusion.rows(index)
        grades = [UNCERTAIN] * len(phones)
        for phone in dict.fromkeys(phones):
            own = index.rows_of(phone)
            answering = index.vectors[own]
            if not allowed[own].all():
                answering = answering[allowed[own]]
            natives = self._natives.get(phone)
            if natives is None or min(len(answering), len(natives)) < MIN_COVERAGE:
                continue
            numbers = [i for i, other in enumerate(phones) if other == phone]
            similarity = class_similarities(
                vectors[numbers],
                answering,
                np.array([0, len(answering)]),
                top_m=index.manifest.decision.top_m,
            )
            for i, log_quantile in zip(
                numbers, natives.log_quantile(similarity[:, 0]), strict=True
            ):
                accented = log_quantile < self._accented_below
                verdict: Verdict = "accented" if accented else "correct"
                grades[i] = Grade.of(score_of(float(log_quantile)), None, verdict)
        return tuple(grades)
