"""CTC sums in log space: every path of a label sequence, and of all its one-label neighbours.

A path gives each of T frames one label or the blank; collapsing runs and then dropping blanks
turns it into a label sequence, so two equal neighbours need a blank between them (Graves et al.,
2006, "Connectionist temporal classification"). The probability of a sequence is the sum over its
paths.

All sums here are cut at *boundaries*. Boundary t lies before frame t, for t = 0 … T. What a
sequence does before a boundary depends on its first j labels alone (`prefix`), what it does after
on its labels from j on alone (`suffix`). A sequence that differs from the canonical one in a
single place is a prefix, a label v that holds one run of frames, and a suffix. One recursion over
the last frame of v's run, shared by all j and v, therefore yields every substitution and every
insertion exactly, in O(T · N · V) steps (Cao et al., 2025, arXiv 2507.16838, define the scores).

Shapes: T frames, V labels with the blank among them, N canonical labels, N + 1 gaps around them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LOG_ZERO = -1e30
"""Stands for log 0: so low that no sum of real log probabilities comes near, yet finite, so that
the difference of two of them is 0 and never NaN."""

_START, _END = -1, -2
"""Neighbours outside the labels: equal to no label and not to each other."""

_BLOCK_CELLS = 1 << 16
"""Frames · gaps · labels handled at once: large enough to hide the cost of a call, small enough
for a processor cache, and what bounds the memory."""
_BLOCK_FRAMES = 8
"""Fewest frames in a block; a block takes more of them where gaps and labels are few."""


@dataclass(frozen=True, eq=False)
class Boundaries:
    """All paths on one side of every boundary, float64 log probabilities `[T + 1, N + 1]`.

    For the prefix side, entry `[t, j]` covers frames `0 … t - 1` and labels `0 … j - 1`; for the
    suffix side, frames `t … T - 1` and labels `j … N - 1`.

    Attributes
    ----------
    phone
        The frame that touches the boundary belongs to the label that touches gap j. Where no label
        is left on this side, the empty path: log 1 where no frame is left either.
    blank
        The frame that touches the boundary is a blank in gap j.
    either
        Both together.
    neighbour
        int64 `[N + 1]`, the label that touches gap j on this side, or a negative id at either end.
        A label placed in gap j may meet `either`, but its equal must be kept apart by `blank`.
    """

    phone: FloatArray
    blank: FloatArray
    either: FloatArray
    neighbour: IntArray

    def meeting(self, labels: IntArray, gaps: slice) -> FloatArray:
        """Paths that may touch `labels` placed in `gaps`, one each; `[T + 1, len(labels)]`."""
        return np.where(self.neighbour[gaps] == labels, self.blank[:, gaps], self.either[:, gaps])

    def join(self, paths: FloatArray, frames: slice, gaps: slice, out: FloatArray) -> FloatArray:
        """Join every label placed in each of `gaps`, with `paths` `[B, G, V]`, to this side.

        `frames` picks the B boundaries, `gaps` the G gaps. Returns `out`, `[B, G, V]`.
        """
        np.add(paths, self.either[frames, gaps, None], out=out)
        neighbour = self.neighbour[gaps]
        row = np.flatnonzero(neighbour >= 0)
        equal = neighbour[row]
        out[:, row, equal] = paths[:, row, equal] + self.blank[frames, gaps][:, row]
        return out


def frames_needed(labels: IntArray) -> int:
    """Fewest frames that can emit `labels`: one each, and a blank between equal neighbours."""
    return int(labels.size + np.count_nonzero(labels[1:] == labels[:-1]))


def boundaries(
    log_probs: FloatArray, labels: IntArray, blank: int
) -> tuple[Boundaries, Boundaries]:
    """Sum the paths before and after every boundary.

    Parameters
    ----------
    log_probs
        Log posteriors `[T, V]`, no entry below `LOG_ZERO`.
    labels
        Label ids `[N]`; may be empty.
    blank
        Id of the blank.

    Returns
    -------
    prefix, suffix
        See `Boundaries`. `prefix.either[T, N]` and `suffix.either[0, 0]` are both log p(labels).
    """
    n_frames, n_labels = log_probs.shape[0], labels.size
    # The suffix side is the prefix side of the reversed utterance, so both run in one loop.
    emission = np.empty((n_frames, 2, n_labels))
    emission[:, 0] = log_probs[:, labels]
    emission[:, 1] = emission[::-1, 0, ::-1]
    blank_emission = np.stack((log_probs[:, blank], log_probs[::-1, blank]), axis=1)[..., None]
    repeats = np.zeros((2, n_labels), dtype=bool)
    repeats[0, 1:] = labels[1:] == labels[:-1]
    repeats[1, 1:] = repeats[0, :0:-1]

    shape = (n_frames + 1, 2, n_labels + 1)
    phone, blanks, either = (np.full(shape, LOG_ZERO) for _ in range(3))
    phone[0, :, 0] = either[0, :, 0] = 0.0
    for t in range(n_frames):
        np.add(either[t], blank_emission[t], out=blanks[t + 1])
        entry = np.where(repeats, blanks[t, :, :-1], either[t, :, :-1])
        np.logaddexp(phone[t, :, 1:], entry, out=entry)
        np.add(entry, emission[t], out=phone[t + 1, :, 1:])
        np.logaddexp(phone[t + 1], blanks[t + 1], out=either[t + 1])

    before = np.concatenate(([_START], labels))
    after = np.concatenate((labels, [_END]))
    prefix = Boundaries(phone[:, 0], blanks[:, 0], either[:, 0], before)
    suffix = Boundaries(phone[::-1, 1, ::-1], blanks[::-1, 1, ::-1], either[::-1, 1, ::-1], after)
    return prefix, suffix


def one_label_changes(
    log_probs: FloatArray, prefix: Boundaries, suffix: Boundaries, *, insertions: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Log probabilities of all sequences with one label replaced, and with one label inserted.

    Parameters
    ----------
    log_probs
        Log posteriors `[T, V]`, no entry below `LOG_ZERO`.
    prefix, suffix
        From `boundaries`.
    insertions
        Whether to sum them too, which is a third of the work.

    Returns
    -------
    substituted
        `[N, V]`, log p of the labels with label i replaced by v.
    inserted
        `[N + 1, V]`, log p of the labels with v inserted in gap j (before label j); `LOG_ZERO`
        without insertions.

    The blank's column means nothing. Values below `LOG_ZERO / 2` stand for probability 0.
    """
    n_frames, n_vocabulary = log_probs.shape
    n_gaps = prefix.neighbour.size
    substituted = np.full((n_gaps - 1, n_vocabulary), LOG_ZERO)
    inserted = np.full((n_gaps, n_vocabulary), LOG_ZERO)
    rows = min(n_gaps, max(1, _BLOCK_CELLS // (_BLOCK_FRAMES * n_vocabulary)))
    frames = max(_BLOCK_FRAMES, _BLOCK_CELLS // (rows * n_vocabulary))
    for first in range(0, n_gaps, rows):
        gaps = slice(first, min(first + rows, n_gaps))
        replaceable = slice(first, min(first + rows, n_gaps - 1))  # no label follows the last gap
        next_gaps = slice(replaceable.start + 1, replaceable.stop + 1)
        nothing = np.broadcast_to(0.0, (frames, gaps.stop - first, n_vocabulary))
        runs, joined = np.empty(nothing.shape), np.empty(nothing.shape)
        # run[g, v]: v fills gap g and still sounds in the last frame seen.
        run = np.full(nothing.shape[1:], LOG_ZERO)
        spare = np.empty(run.shape)
        for start in range(0, n_frames, frames):
            stop = min(start + frames, n_frames)
            block = slice(stop - start)
            prefix.join(nothing[block], slice(start, stop), gaps, out=runs[block])
            for entry, emission in zip(runs[block], log_probs[start:stop], strict=True):
                run = log_add(entry, run, spare)
                run += emission
            run = run.copy()  # its place is wanted for the next block
            left = slice(start + 1, stop + 1)
            if insertions:
                suffix.join(runs[block], left, gaps, out=joined[block])
                _log_accumulate(inserted[gaps], joined[block])
            kept = slice(replaceable.stop - first)
            if kept.stop > 0:
                suffix.join(runs[block, kept], left, next_gaps, out=joined[block, kept])
                _log_accumulate(substituted[replaceable], joined[block, kept])
    return substituted, inserted


def deletions(prefix: Boundaries, suffix: Boundaries) -> FloatArray:
    """Log p of the labels without label i, float64 `[N]`.

    Every path leaves label i - 1 (or the start) at exactly one boundary. What follows begins with
    the blank, or with label i + 1 unless the two now meet and are equal.
    """
    n_labels = prefix.neighbour.size - 1
    after = suffix.meeting(prefix.neighbour[:n_labels], slice(1, n_labels + 1))
    return log_sum(prefix.phone[:, :n_labels] + after, axis=0)


def log_sum(values: FloatArray, axis: int) -> FloatArray:
    """Log of the sum of exponentials along `axis`; `values` is overwritten, none may be -inf."""
    highest = values.max(axis=axis, keepdims=True)
    np.exp(np.subtract(values, highest, out=values), out=values)
    total: FloatArray = np.log(values.sum(axis=axis)) + np.squeeze(highest, axis=axis)
    return total


def _log_accumulate(total: FloatArray, terms: FloatArray) -> None:
    """Add `terms` `[B, …]` to `total` `[…]`, both logs; `terms` is overwritten."""
    np.logaddexp(total, log_sum(terms, axis=0), out=total)


def log_add(one: FloatArray, other: FloatArray, spare: FloatArray) -> FloatArray:
    """Log of the sum of two exponentials, into `one`; `spare` is as large and is overwritten.

    NumPy's `logaddexp` goes value by value; these are loops that the processor vectorises.
    """
    np.subtract(one, other, out=spare)
    np.abs(spare, out=spare)
    np.negative(spare, out=spare)
    np.log1p(np.exp(spare, out=spare), out=spare)
    np.maximum(one, other, out=one)
    return np.add(one, spare, out=one)
