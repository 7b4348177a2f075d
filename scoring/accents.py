"""Which accent's natives a speaker is nearest to, and what they say of the recording.

Several indexes of one language stand side by side: `en-US`, `en-GB`. A recording is encoded once
for each encoder among them, laid against what every accent would say, and judged by the natives
who are nearest, so that somebody who keeps to another accent is not blamed for it.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nativeear.retriever.nearness import nearness
from nativeear.scoring.assessment import Accent, AccentCandidate, Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.speech.aligners.catalogue import needs_frames
from nativeear.speech.alignment import Aligner, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.encoders.keeping import KeepingEncoder
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.frames import Frames
from nativeear.speech.pooling import pool
from nativeear.speech.steadying import steadied

SURE_ERRORS = 2.0
"""Standard errors by which the nearest accent has to be nearer than the next to be sure of."""

LEAST_WORDS = 4
"""Words without which nobody is sure of an accent."""


class _AlignedOnce:
    """An aligner that remembers its last alignment for the thread that asked for it."""

    def __init__(self, aligner: Aligner) -> None:
        self._aligner = aligner
        self._last = threading.local()
        self.name = aligner.name
        self.needs_frames = needs_frames(aligner)

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        """Align one recording, unless that was the last that was done."""
        request: tuple[Audio, Pronunciation] | None = getattr(self._last, "request", None)
        if request is None or request[0] is not audio or request[1] != pronunciation:
            self.forget()
            self._last.alignment = self._aligner.align(audio, pronunciation, frames)
            self._last.request = audio, pronunciation
        alignment: Alignment = self._last.alignment
        return alignment

    def forget(self) -> None:
        """Let go of the recording and its alignment."""
        self._last.request = self._last.alignment = None


class Accents:
    """Hears learners against several indexes of one language. Safe to share between threads.

    Parameters
    ----------
    assessors
        One for each accent; one alone is enough. Equal encoders run once.

    Raises
    ------
    InputError
        If there is none.
    """

    def __init__(self, assessors: Sequence[Assessor]) -> None:
        if not assessors:
            raise InputError("There is no accent to choose from.", fix="Name an index.")
        encoders: dict[str, KeepingEncoder] = {}
        aligners = []
        shared = []
        for assessor in assessors:
            own = copy.copy(assessor)  # the caller's keeps its own encoder and aligner
            own.aligner = aligner = _AlignedOnce(assessor.aligner)
            aligners.append(aligner)
            own.encoder = encoders.setdefault(
                assessor.encoder.fingerprint, KeepingEncoder(assessor.encoder)
            )
            shared.append(own)
        self.assessors = tuple(shared)
        self._encoders = tuple(encoders.values())
        self._aligners = tuple(aligners)

    def assess(
        self,
        audio: Audio | str | PathLike[str] | bytes | BinaryIO,
        text: str | None = None,
        *,
        phones: str | None = None,
        id: str | None = None,
        l1: str | None = None,
    ) -> Assessment:
        """Assess one recording against the accent whose natives are nearest.

        Parameters are those of `scoring.assessor.Assessor.assess`; the result has its `accent`.

        Raises
        ------
        InputError
            If the recording is refused, or no accent has a pronunciation for what was meant.
        """
        if id is None:
            id = Path(audio).stem if isinstance(audio, str | PathLike) else ""
        recording = audio if isinstance(audio, Audio) else Audio.load(audio)
        heard = steadied(recording).audio
        with self._keeping(heard):
            number, accent = self._choose(heard, text, phones)
            result = self.assessors[number].assess(recording, text, phones=phones, id=id, l1=l1)
        return result.model_copy(update={"accent": accent})

    @contextmanager
    def _keeping(self, recording: Audio) -> Iterator[None]:
        """Inside, a recording is encoded once, and aligned once for each accent."""
        with ExitStack() as stack:
            for encoder in self._encoders:
                stack.enter_context(encoder.keeping([recording]))
            for aligner in self._aligners:
                stack.callback(aligner.forget)
            yield

    def assessor_of(self, result: Assessment) -> Assessor:
        """Who judged a result: the assessor of the accent that was chosen."""
        if result.accent is None:
            raise ValueError("The result has no accent.")
        return self.assessors[_names(self.assessors).index(result.accent.chosen)]

    def _choose(self, recording: Audio, text: str | None, phones: str | None) -> tuple[int, Accent]:
        """Which assessor is nearest, and how near all are."""
        found: list[NDArray[np.float64] | None] = []
        refusals: list[InputError] = []
        for assessor in self.assessors:
            try:
                found.append(_nearness_by_word(assessor, recording, text, phones))
            except InputError as error:  # another accent may know the word or the phone
                refusals.append(error)
                found.append(None)
        if len(refusals) == len(found):
            raise refusals[0]
        values = [_mean(one) for one in found]
        can = [number for number, one in enumerate(found) if one is not None]
        order = sorted(can, key=lambda number: -values[number])
        names = _names(self.assessors)
        return order[0], Accent(
            chosen=names[order[0]],
            candidates=tuple(
                AccentCandidate(
                    index=name,
                    language=assessor.language,
                    nearness=round(value, 4) if math.isfinite(value) else None,
                )
                for name, assessor, value in zip(names, self.assessors, values, strict=True)
            ),
            sure=len(order) > 1 and _is_sure(found[order[0]], found[order[1]]),
        )


def _names(assessors: Sequence[Assessor]) -> list[str]:
    """What the indexes are called; by their folders where two have the same name."""
    names = [assessor.index.name for assessor in assessors]
    if len(set(names)) == len(names):
        return names
    return [str(assessor.index.path) for assessor in assessors]


def _nearness_by_word(
    assessor: Assessor, recording: Audio, text: str | None, phones: str | None
) -> NDArray[np.float64]:
    """How near the natives of one index are to each word, `[W]`; NaN where they cannot tell."""
    pronunciation = assessor.pronounce(text, phones)
    frames = assessor.encoder.encode(recording)
    try:
        spoken = assessor.aligner.align(recording, pronunciation, frames).spoken
    except AlignmentError:
        spoken = ()  # so they are the farthest
    spans_s = [(phone.start_s, phone.end_s) for phone in spoken]
    embeddings = pool(frames, spans_s, assessor.index.manifest.pooling)
    near = nearness(assessor.index, embeddings, [phone.phone for phone in spoken])
    known = ~np.isnan(near)
    word = np.array([phone.word_index for phone in spoken], dtype=np.int64)[known]
    words = len(pronunciation.words)
    count = np.bincount(word, minlength=words)
    total = np.bincount(word, weights=near[known], minlength=words)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mean(by_word: NDArray[np.float64] | None) -> float:
    """Mean over the words, so that long ones do not decide; -inf without any."""
    if by_word is None or np.isnan(by_word).all():
        return -math.inf
    return float(np.nanmean(by_word))


def _is_sure(first: NDArray[np.float64] | None, second: NDArray[np.float64] | None) -> bool:
    """Whether the nearer of two is nearer by more than the words of one recording vary."""
    if first is None or second is None or len(first) != len(second):
        return False  # read in other words, there is nothing to pair
    difference = first - second
    difference = difference[~np.isnan(difference)]
    if len(difference) < LEAST_WORDS:
        return False
    error = difference.std(ddof=1) / math.sqrt(len(difference))
    return bool(difference.mean() > SURE_ERRORS * error)
