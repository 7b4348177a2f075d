"""Phones that are not there, and speech that nobody asked for.

Both are one question: how much better is a stretch of sound explained *with* a phone than
*without* it? Every frame is compared with the mean exemplar of every class. A path lays one class
on each frame, in order, and is worth the sum of its cosines; the best path with the phone and the
best one without it are found by dynamic programming over the frames around the joint. The edges
of the alignment are not trusted, only roughly where its phones lie: an aligner that must place a
phone which was never said squeezes it in anywhere. Nothing is trained, and the cost does not grow
with the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import FloatArray, IntArray, PhoneIndex
from nativeear.speech.alignment import SILENCE, AlignedPhone
from nativeear.speech.frames import Frames

DELETED_BELOW = -1.3
"""Worth of a phone, see `Deviations.worth`, from which it was not said. Chosen on native prompts of
the index with their own utterance left out: about one native phone in two hundred is below."""

QUANTILE_WEIGHT = 0.1
DURATION_WEIGHT = 0.5
"""Weights of ln native quantile and ln relative duration beside the gain in cosine, chosen on the
same prompts, as what follows was, unless it says otherwise."""

ANOTHER_ABOVE = 2.0
"""Gain, in cosine · 10 ms, by which another phone in its place rules a deletion out: there is a
sound of its own between the neighbours, so the phone was substituted."""

SHORTEST_QUANTILE = 0.02
"""A phone that is there lasts at least as long as this quantile of its native durations."""

REACH_S = 0.1
"""How far beyond its span, at most, a phone is looked for."""

INSERTED_ABOVE = 0.63
"""Mean cosine by which the frames of an insertion are nearer to another class than to its
neighbours or silence. Natives burst, hum and breathe between phones, too: the lowest of steps of
0.01 with at most one insertion in fifty sentences of three US natives whom the index does not hold
(three others have one in ninety). Few of those that experts hear in learners stand out so much."""

INSERTED_S = 0.06
EDGE_S = 0.04
"""An insertion lasts at least `INSERTED_S`, and leaves `EDGE_S` to the phone on each side."""

INSERTION_REACH_S = 0.25
"""How far from a joint, at most, an insertion is looked for."""

PAUSE_S = 0.02
"""Shortest silence on a path."""

UNKNOWN_NATS = 1.5
"""How much less likely a phone that the index does not hold is than the best that it does; set by
hand."""

_UNIT_S = 0.01


@dataclass(frozen=True)
class InsertedPhone:
    """A run of speech that no canonical phone explains.

    Attributes
    ----------
    after
        Index in the alignment of the phone or silence in which it was found.
    phone
        What it sounds most like.
    start_s, end_s
        Seconds from the start of the recording.
    gain
        Mean cosine by which it is nearer to `phone` than to the phones around it.
    """

    after: int
    phone: str
    start_s: float
    end_s: float
    gain: float


class Deviations:
    """Finds deletions and insertions against one index. Safe to share between threads.

    Parameters
    ----------
    index
        The index.
    excluded
        bool `[n]`, exemplars that do not shape the means and durations of their phones, from
        `Exclusion.rows`; a phone of which nothing is left is one that the index does not hold.
    """

    def __init__(self, index: PhoneIndex, excluded: NDArray[np.bool_] | None = None) -> None:
        self._index = index
        self._excluded = excluded
        self._columns = {
            phone: p for p, phone in enumerate(index.classes) if len(self._rows(phone))
        }
        # What no exemplar speaks for comes last: silence, if the index has none, then any phone.
        self._columns.setdefault(SILENCE, len(index.classes))
        self._silence = self._columns[SILENCE]
        self._unknown = max(len(index.classes), self._silence + 1)

    def without(self, excluded: NDArray[np.bool_]) -> Deviations:
        """The same as if some exemplars, bool `[n]`, were not there."""
        return Deviations(self._index, excluded) if excluded.any() else self

    def _rows(self, phone: str) -> IntArray:
        """Rows of a phone's exemplars that answer."""
        own = self._index.rows_of(phone)
        rows = np.arange(own.start, own.stop)
        return rows if self._excluded is None else rows[~self._excluded[own]]

    @cached_property
    def means(self) -> FloatArray:
        """Mean exemplar of every class, unit vectors `[P, d]`; NaN where nothing is left."""
        sums = self._index.class_sums
        if self._excluded is not None:
            sums = sums.copy()
            for p, phone in enumerate(self._index.classes):
                gone = self._excluded[self._index.rows_of(phone)]
                if gone.any():
                    sums[p] = self._index.vectors[self._rows(phone)].sum(axis=0)
                if gone.all():
                    sums[p] = np.nan
        means: FloatArray = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
        return means

    @cached_property
    def durations_s(self) -> dict[str, tuple[float, float]]:
        """Shortest credible and median native duration of every phone in seconds."""
        index = self._index
        found = {}
        for phone in self._columns.keys() & set(index.classes):
            shortest, median = np.quantile(
                index.durations_s[self._rows(phone)], [SHORTEST_QUANTILE, 0.5]
            )
            found[phone] = (float(shortest), float(median))
        return found

    def similarities(self, frames: Frames) -> FloatArray:
        """Cosine of every frame with every class's mean, float32 `[T, P' + 1]`.

        The last column, the frame's best cosine, stands for phones that the index does not hold:
        they explain whatever they are laid on, so that their neighbours are not blamed.
        """
        similar = self._index.transform(frames.embeddings) @ self.means.T
        similar = np.where(np.isnan(similar), np.float32(-1.0), similar)  # nothing resembles those
        if self._silence == similar.shape[1]:
            similar = np.pad(similar, ((0, 0), (0, 1)), constant_values=-1.0)
        return np.hstack([similar, similar.max(axis=1, keepdims=True)])

    def log_posteriors(
        self, frames: Frames, temperature: float
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Log posterior of every class in every frame, and the classes' names, silence first.

        A softmax of `similarities`. The last column, without a name, stands for phones that the
        index does not hold.
        """
        similar = self.similarities(frames)
        shares = (similar[:, :-1] / temperature).astype(np.float64)
        shares -= np.logaddexp.reduce(shares, axis=1, keepdims=True)
        phones = sorted(self._columns.keys() - {SILENCE}, key=self._columns.__getitem__)
        order = [self._silence, *(self._columns[phone] for phone in phones)]
        found = shares[:, order]
        unknown = found.max(axis=1, keepdims=True) - UNKNOWN_NATS
        return np.hstack([found, unknown]), (SILENCE, *phones, "")

    def deleted(
        self,
        frames: Frames,
        similar: FloatArray,
        phones: Sequence[AlignedPhone],
        i: int,
        log_quantile: float,
        *,
        heard: str,
    ) -> bool:
        """Whether `phones[i]` was not said.

        A span of a credible length that sounds like neither neighbour nor silence holds a sound of
        its own: that is a substitution.

        Parameters
        ----------
        frames
            The recording's frames.
        similar
            Their `similarities`.
        phones
            The whole alignment.
        i
            Position of the phone in question.
        log_quantile
            ln of the native quantile of its margin.
        heard
            The class that its span as a whole is nearest to.
        """
        phone = phones[i]
        around = {SILENCE} | {phones[j].phone for j in (i - 1, i + 1) if 0 <= j < len(phones)}
        shortest_s, _ = self.durations_s.get(phone.phone, (0.0, 0.0))
        if heard not in around and phone.duration_s > shortest_s:
            return False
        worth, another = self.worth(frames, similar, phones, i, log_quantile)
        return worth <= DELETED_BELOW and another < ANOTHER_ABOVE

    def worth(
        self,
        frames: Frames,
        similar: FloatArray,
        phones: Sequence[AlignedPhone],
        i: int,
        log_quantile: float,
    ) -> tuple[float, float]:
        """What speaks for a phone having been said, and for another one in its place.

        The first is the gain in cosine · 10 ms of the path with the phone over the path without
        it, between the centres of its neighbours, plus the weighted logarithms of its native
        quantile and of its duration as a share of the native median. The second is the gain of
        the best other phone.
        """
        phone = phones[i]
        column = self._columns.get(phone.phone)
        if column is None or np.isnan(log_quantile):
            return np.inf, np.inf
        before, after = self._column(phones, i - 1), self._column(phones, i + 1)
        first = frames.nearest(max(_middle(phones, i - 1), phone.start_s - REACH_S))
        last = frames.nearest(min(_middle(phones, i + 1), phone.end_s + REACH_S)) + 1
        total = _cumulated(similar[first:last])
        shortest_s, median_s = self.durations_s[phone.phone]
        shortest = min(max(2, int(shortest_s / frames.hop_s)), last - first)
        pause = _frames_in(PAUSE_S, frames)

        def close(best: NDArray[np.float64]) -> NDArray[np.float64]:
            """Worth of the paths that end in the next phone, with or without a pause before."""
            quiet = np.maximum(best, _append(best, total[:, [self._silence]], pause))
            ended = np.maximum(quiet, _append(quiet, total[:, [after]], 0))
            worths: NDArray[np.float64] = ended[-1]
            return worths

        opened = _start(len(total))
        opened = np.maximum(opened, _append(opened, total[:, [before]], 0))
        without = close(opened)[0]
        opened = np.maximum(opened, _append(opened, total[:, [self._silence]], pause))
        gains = (close(_append(opened, total, shortest)) - without) * frames.hop_s / _UNIT_S
        others = np.delete(gains, [before, after, column, self._silence, self._unknown])
        worth = (
            gains[column]
            + QUANTILE_WEIGHT * log_quantile
            + DURATION_WEIGHT * np.log(phone.duration_s / median_s)
        )
        return float(worth), float(others.max(initial=-np.inf))

    def insertions(
        self, frames: Frames, similar: FloatArray, phones: Sequence[AlignedPhone]
    ) -> tuple[InsertedPhone, ...]:
        """Runs of speech that no canonical phone explains, in order of time.

        At every joint of two phones, the best path that has one more phone between them is
        sought. It is an insertion if its frames are much nearer to that phone than to those on
        both sides, and if it is not explained as well by renaming one of them: that would be a
        substitution. Of runs that overlap, the clearest is kept.
        """
        found = [self._inserted(frames, similar, phones, i, j) for i, j in _joints(phones)]
        kept: list[InsertedPhone] = []
        for run in sorted(filter(None, found), key=lambda run: -run.gain):
            if all(run.end_s <= other.start_s or run.start_s >= other.end_s for other in kept):
                kept.append(run)
        return tuple(sorted(kept, key=lambda run: run.start_s))

    def _inserted(
        self, frames: Frames, similar: FloatArray, phones: Sequence[AlignedPhone], i: int, j: int
    ) -> InsertedPhone | None:
        left, right = phones[i], phones[j]
        first = frames.nearest(max(left.start_s, right.start_s - INSERTION_REACH_S))
        last = frames.nearest(min(right.end_s, left.end_s + INSERTION_REACH_S))
        edge, shortest = _frames_in(EDGE_S, frames), _frames_in(INSERTED_S, frames)
        if last - first < shortest + 2 * edge:
            return None
        span = similar[first:last]
        before, after = self._column(phones, i), self._column(phones, j)
        if self._unknown in (before, after):
            return None
        explained = span[:, [before, after, self._silence]].max(axis=1)
        if (span[:, self._unknown] - explained).max() < INSERTED_ABOVE:
            return None  # no frame is so much nearer to any other class, so their mean is not
        total = _cumulated(span)
        length = len(span)

        opened = _append(_start(len(total)), total[:, [before]], edge)
        quiet = _append(opened, total[:, [self._silence]], _frames_in(PAUSE_S, frames))
        opened = np.maximum(opened, quiet)
        # Behind it comes the next phone, with or without a pause before it.
        lead = np.maximum.accumulate((total[:, self._silence] - total[:, after])[::-1])[::-1]
        rest = (lead - total[:, self._silence] + total[-1, after])[:, None]
        # [t, p]: the best path of which phone p has just ended at frame t, completed.
        ended = _append(opened, total, shortest) + rest
        ended[length + 1 - edge :] = -np.inf
        ended[:, [before, after, self._silence, self._unknown]] = -np.inf
        stop, heard = np.unravel_index(int(np.argmax(ended)), ended.shape)
        start = int(np.argmax((opened[:, 0] - total[:, heard])[: stop - shortest + 1]))

        gain = float((span[start:stop, heard] - explained[start:stop]).mean())
        joint = slice(edge, length + 1 - edge)
        renamed = max(
            (total[joint, one] + total[-1, other] - total[joint, other]).max()
            for one, other in ((before, heard), (heard, after))
        )
        if gain < INSERTED_ABOVE or ended[stop, heard] <= renamed:
            return None
        start_s = float(frames.times_s[first] + (start - 0.5) * frames.hop_s)
        end_s = float(frames.times_s[first] + (stop - 0.5) * frames.hop_s)
        middle_s = (start_s + end_s) / 2
        return InsertedPhone(
            after=i + sum(middle_s >= phone.end_s for phone in phones[i:j]),
            phone=self._index.classes[heard],
            start_s=start_s,
            end_s=end_s,
            gain=gain,
        )

    def _column(self, phones: Sequence[AlignedPhone], i: int) -> int:
        """Column of a phone in `similarities`; silence beyond the ends of the alignment."""
        if not 0 <= i < len(phones):
            return self._silence
        return self._columns.get(phones[i].phone, self._unknown)


def _joints(phones: Sequence[AlignedPhone]) -> list[tuple[int, int]]:
    """Neighbours between which more may have been said: a short silence between phones is none.

    A sound that belongs to no word lies in what an alignment takes for a pause.
    """
    found = []
    for i in range(len(phones) - 1):
        short = phones[i + 1].is_silence and phones[i + 1].duration_s < INSERTION_REACH_S
        if not phones[i].is_silence and short and i + 2 < len(phones):
            found.append((i, i + 2))
        elif not (phones[i].is_silence and i > 0 and phones[i].duration_s < INSERTION_REACH_S):
            found.append((i, i + 1))
    return found


def _middle(phones: Sequence[AlignedPhone], i: int) -> float:
    """Centre of a phone in seconds; the end of the alignment beyond it."""
    if i < 0:
        return phones[0].start_s
    if i >= len(phones):
        return phones[-1].end_s
    return (phones[i].start_s + phones[i].end_s) / 2


def _frames_in(seconds: float, frames: Frames) -> int:
    return max(1, round(seconds / frames.hop_s))


def _cumulated(similar: FloatArray) -> NDArray[np.float64]:
    """Sums over the first 0, 1, … T frames, float64 `[T + 1, P]`."""
    return np.vstack([np.zeros((1, similar.shape[1])), np.cumsum(similar, axis=0, dtype=float)])


def _start(length: int) -> NDArray[np.float64]:
    """The empty path: worth 0 before the first frame, float64 `[length, 1]`."""
    best = np.full((length, 1), -np.inf)
    best[0] = 0.0
    return best


def _append(
    best: NDArray[np.float64], total: NDArray[np.float64], shortest: int
) -> NDArray[np.float64]:
    """Best paths `[T + 1, n]` that go on with a class for `shortest` frames or more.

    `total` are the sums of the class.

    Either argument may have one column for many of the other.
    """
    entered = np.maximum.accumulate(best - total, axis=0)
    longer = np.full(entered.shape, -np.inf)
    longer[shortest:] = entered[: len(entered) - shortest] + total[shortest:]
    return longer
