"""GOP-SF: exactness and speed, beside its peers, in one run on one thread.

    python -m benchmarks.gop [--cases 500]

Peers, each of which runs once per altered sequence where ours sums all of them together:

- torch `ctc_loss`, all altered sequences in batches;
- the forward recursion in numpy and log space, vectorised over the states of one sequence;
- the forward recursion cell by cell in linear probabilities, over torch cells as the published
  research code runs it (Cao et al., 2025, arXiv 2507.16838), and over the faster cells of numpy.

Peers compute the 41 features alone (canonical, substitutions, deletions); ours computes every field
of `GopFeatures`, insertions and spans included. Posteriors are random: flat to peaky noise for
exactness, the canonical phones spoken evenly over noise for speed. Times are processor seconds of
one thread, so other work on the machine hardly disturbs them.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax

from benchmarks.reporting import median_seconds, options_of, show
from nativeear.scoring.gop import gop_features
from tests.support.ctc_reference import (
    needed,
    random_log_probs,
    reference_features,
    reference_log_p,
)

FloatArray = NDArray[np.float64]
Sequences = Sequence[Sequence[int]]
BLANK = 0


def spoken_log_probs(
    rng: np.random.Generator, n_frames: int, n_vocabulary: int, labels: NDArray[np.int64]
) -> FloatArray:
    """Posteriors in which every phone is heard for a frame or two, with blanks in between."""
    logits = rng.normal(size=(n_frames, n_vocabulary))
    heard = np.full(n_frames, BLANK)
    centres = ((np.arange(labels.size) + 0.5) * n_frames / labels.size).astype(int)
    heard[centres] = heard[centres + rng.integers(0, 2, labels.size)] = labels
    logits[np.arange(n_frames), heard] += 10.0
    return np.asarray(log_softmax(logits, axis=1))


def vectorised_log_p(log_probs: FloatArray, sequences: Sequences) -> FloatArray:
    """log p of every sequence by a log-space forward recursion, one at a time."""
    results = []
    for sequence in sequences:
        states = np.full(2 * len(sequence) + 1, BLANK)
        states[1::2] = sequence
        may_skip = np.zeros(states.size, dtype=bool)
        may_skip[3::2] = states[3::2] != states[1:-2:2]
        emission = log_probs[:, states]
        alpha = np.full(states.size, -np.inf)
        alpha[:2] = emission[0, :2]
        for frame in emission[1:]:
            reached = alpha.copy()
            reached[1:] = np.logaddexp(reached[1:], alpha[:-1])
            skipped = np.logaddexp(reached[2:], alpha[:-2])
            reached[2:] = np.where(may_skip[2:], skipped, reached[2:])
            alpha = reached + frame
        results.append(np.logaddexp.reduce(alpha[-2:]))
    return np.array(results)


def plain_log_p(
    log_probs: FloatArray, sequences: Sequences, zeros: Callable[[tuple[int, int]], Any] = np.zeros
) -> FloatArray:
    """log p of every sequence by a forward recursion over cells, in linear probabilities.

    `zeros` makes the table of cells: of numpy, or of torch as in the published code.
    """
    probabilities = zeros((len(log_probs), log_probs.shape[1]))
    probabilities[:] = np.exp(log_probs) if zeros is np.zeros else torch.tensor(np.exp(log_probs))
    results = []
    for sequence in sequences:
        states = [BLANK]
        for label in sequence:
            states += [label, BLANK]
        n_states, n_frames = len(states), len(probabilities)
        alpha = zeros((n_states, n_frames))
        alpha[0, 0] = probabilities[0, BLANK]
        alpha[1, 0] = probabilities[0, states[1]]
        for t in range(1, n_frames):
            for s in range(n_states):
                total = alpha[s, t - 1]
                if s > 0:
                    total = total + alpha[s - 1, t - 1]
                if s > 1 and states[s] not in (BLANK, states[s - 2]):
                    total = total + alpha[s - 2, t - 1]
                alpha[s, t] = total * probabilities[t, states[s]]
        with np.errstate(divide="ignore"):
            results.append(np.log(float(alpha[-1, -1] + alpha[-2, -1])))
    return np.array(results)


def worst_difference(log_probs: FloatArray, labels: list[int]) -> float:
    """Largest absolute error of all log ratios and scores of an utterance."""
    features = gop_features(log_probs, labels)
    worst = 0.0
    for name, expected in reference_features(log_probs, labels, BLANK).items():
        ours, theirs = np.atleast_1d(getattr(features, name)), np.atleast_1d(expected)
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        with np.errstate(invalid="ignore"):
            difference = np.where(same, 0.0, np.abs(ours - theirs))
        worst = max(worst, float(np.max(np.nan_to_num(difference, nan=np.inf))))
    return worst


def draw_case(rng: np.random.Generator, kind: str) -> tuple[FloatArray, list[int]]:
    """One random utterance of a kind of difficulty."""
    n_vocabulary = 3 if "repeats" in kind else int(rng.integers(3, 9))
    n = 1 if kind == "N = 1" else int(rng.integers(1, 11))
    labels = rng.integers(1, n_vocabulary, n).tolist()
    spare = 0 if "T minimal" in kind else int(rng.integers(0, 40))
    sharpness = {"flat": 0.0, "peaky": 30.0}.get(kind, float(rng.choice([0.5, 2.0, 6.0])))
    return random_log_probs(rng, needed(labels) + spare, n_vocabulary, sharpness), labels


def measure_exactness(rng: np.random.Generator, n_cases: int) -> list[list[str]]:
    rows = []
    kinds = ("mixed", "flat", "peaky", "repeats", "N = 1", "T minimal", "T minimal, repeats")
    for kind in kinds:
        worst = max(worst_difference(*draw_case(rng, kind)) for _ in range(n_cases))
        rows.append([kind, f"{n_cases:,}", f"{worst:.1e}"])
    rows.append(measure_long_audio(rng))
    return rows


def measure_long_audio(rng: np.random.Generator, n_samples: int = 64) -> list[str]:
    """60 s at 20 ms per frame, 600 phones: a sample of alterations."""
    log_probs = random_log_probs(rng, 3000, 40, 6.0)
    canonical = rng.integers(1, 40, 600)
    features = gop_features(log_probs, canonical)
    labels = canonical.tolist()
    places = [(int(i), int(v)) for i, v in rng.integers(1, 40, (n_samples, 2))]
    deleted = [[*labels[:i], *labels[i + 1 :]] for i, _ in places]
    substituted = [[*labels[:i], v, *labels[i + 1 :]] for i, v in places]
    expected = reference_log_p(log_probs, [labels, *deleted, *substituted])
    ours = features.log_posterior - np.array(
        [0.0]
        + [features.deletion[i] for i, _ in places]
        + [features.substitution[i, v] for i, v in places]
    )
    worst = np.abs(ours - expected).max()
    name = f"60 s (log p = {features.log_posterior:,.0f})"
    return [f"{name}, {len(expected):,} sequences of it", "1", f"{worst:.1e}"]


@dataclass(frozen=True)
class Peer:
    """A way to get log p of altered sequences, and how many of them to time (None: all)."""

    name: str
    log_p: Callable[[FloatArray, Sequences], FloatArray]
    sample: int | None


def measure_speed(
    rng: np.random.Generator, size: tuple[int, int, int], repeats: int, peers: Sequence[Peer]
) -> list[list[str]]:
    n_frames, n, n_vocabulary = size
    canonical = rng.integers(1, n_vocabulary, n)
    log_probs = spoken_log_probs(rng, n_frames, n_vocabulary, canonical)
    labels = canonical.tolist()
    features = gop_features(log_probs, canonical)  # warm caches before the clock starts
    ours = median_seconds(lambda: gop_features(log_probs, canonical), repeats)[1]
    tracemalloc.start()
    gop_features(log_probs, canonical)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    phones = range(1, n_vocabulary)
    substituted = [[*labels[:i], v, *labels[i + 1 :]] for i in range(n) for v in phones]
    deleted = [[*labels[:i], *labels[i + 1 :]] for i in range(n)]
    sequences = [labels, *substituted, *deleted]
    log_p = features.log_posterior - np.concatenate(
        ([0.0], features.substitution[:, 1:].ravel(), features.deletion)
    )
    rows = [
        [
            "ours, all fields",
            f"{len(sequences) + (n + 1) * len(phones):,}",
            duration(ours),
            "1",
            f"peak memory {peak / 1e6:.0f} MB",
        ]
    ]
    for peer in peers:
        count = len(sequences) if peer.sample is None else min(peer.sample, len(sequences))
        chosen = rng.permutation(len(sequences))[:count]
        batch = [sequences[i] for i in chosen]
        start = time.process_time()
        theirs = peer.log_p(log_probs, batch)
        measured = time.process_time() - start
        total = measured * len(sequences) / count
        difference = np.abs(theirs - log_p[chosen]).max()
        lost = int(np.isinf(theirs).sum())
        remark = f"{lost} of {count} underflow" if lost else f"differs by {difference:.0e}"
        if count < len(sequences):
            remark += f"; {count} timed, extrapolated"
        rows.append(
            [peer.name, f"{len(sequences):,}", duration(total), f"{total / ours:,.0f}", remark]
        )
    return rows


def duration(time_s: float) -> str:
    if time_s < 1:
        return f"{1e3 * time_s:.1f} ms"
    if time_s < 600:
        return f"{time_s:.1f} s"
    return f"{time_s / 3600:.1f} h"


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--cases", type=int, default=500, help="utterances per row of exactness")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(arguments.seed)

    show(
        "Exactness: every log ratio and GOP-SF score against torch ctc_loss in float64 (aim: 1e-6)",
        ("case", "utterances", "worst |difference|"),
        measure_exactness(rng, arguments.cases),
    )

    header = ("method", "sequences", "time", "times ours", "remark")
    for size, repeats, samples in (
        ((250, 30, 40), 30, (None, None, None, None, 8)),
        ((1500, 180, 400), 3, (64, 64, 32, 4, 1)),
    ):
        torch_cells = partial(torch.zeros, dtype=torch.float64)
        peers = [
            Peer("torch ctc_loss, batched, float64", reference_log_p, samples[0]),
            Peer(
                "torch ctc_loss, batched, float32",
                partial(reference_log_p, dtype=torch.float32),
                samples[1],
            ),
            Peer("forward recursion, vectorised", vectorised_log_p, samples[2]),
            Peer("forward recursion, plain, numpy cells", plain_log_p, samples[3]),
            Peer(
                "forward recursion, plain, torch cells",
                partial(plain_log_p, zeros=torch_cells),
                samples[4],
            ),
        ]
        show(
            "Speed: T = {:,}, N = {}, V = {}; one thread".format(*size),
            header,
            measure_speed(rng, size, repeats, peers),
        )


if __name__ == "__main__":
    main()
