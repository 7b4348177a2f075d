"""What else natives could be asked, alone and together, without a learner or a phone head.

    python -m benchmarks.evidence --pair INDEX NATIVES VOICE [--pair …] [--layers 5 4]
    python -m benchmarks.evidence --pair natives ../shared/data/native-english \\
        ../shared/data/speechocean762-train --encoder whisper-base --layers 3 --every 15

Every pair is an index, the corpus that it was built from, and one of another voice, as
`benchmarks.languages --keep` and `benchmarks.frozen --keep` leave them. All is heard again, at
more layers: an index keeps one, and no frames.

Learners are compared with experts (PCC and AUC, mean over the folds). Natives are asked as they
are, and as if other phones had been meant (`nativeear eval simulated`): AUC by any and by near
phones. "Right flagged" is the share of right phones below the border of 4 %, which natives of the
index give who were left out of it, shifted as `indexes.unheard` does. The gain over the product is
of PCC, or of AUC by near phones, with its standard deviation over recordings (of learners, over
speakers) that are drawn anew. What is summed is standardised by natives who were left out.

Simulated errors favour what listens to the phones beside: those that are claimed seldom stand
there in the language, those that learners fall short of do. So learners have the last word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nativeear
from benchmarks.heard_again import (
    Real,
    Spoken,
    Told,
    Whole,
    figures,
    gain,
    heard_of_index,
    heard_of_others,
)
from benchmarks.reporting import options_of, show
from nativeear.indexer.discriminant import class_sums, transformed
from nativeear.indexes.frame_evidence import TEMPERATURE, answering_frames
from nativeear.indexes.native_margins import COMPANY
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import (
    best_of_classes,
    class_similarities,
    margins,
    mean_of_largest,
)
from nativeear.indexes.unheard import VOICES_FILE
from nativeear.scoring.fusion.phone_model import BEST
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.speech.encoders.catalogue import load_encoder

M = 10
"""Exemplars of a class that answer, as in the product."""

LEFT_OUT = 8
"""One utterance, or speaker, in so many is left out of the index and asked of the rest."""

UNITS, HEARD_FOR_UNITS = 128, 30_000
"""Units of sound that frames are told apart by, and of how many frames they are made."""

FURTHEST = 12.0
"""Standard deviations of natives beyond which evidence is cut off before it is summed."""

STAY = np.log(0.8)
"""Log probability that a path stays in a phone for another frame; else it goes on."""

TOGETHER = (
    ("log posterior", "log posterior of frames"),
    ("margin", "less hubs (CSLS)", "log posterior of frames"),
)
"""Sums that are told beside."""

WIDE = 12
"""A phone may lie so many frames before and after where it is laid."""


class Pool:
    """Natives who answer, and what is worked out of them once."""

    def __init__(self, spoken: Sequence[Spoken], classes: int) -> None:
        own = np.concatenate([s.codes for s in spoken])
        order = np.argsort(own, kind="stable")
        self.own = own[order]
        self.bounds = np.searchsorted(self.own, np.arange(classes + 1)).astype(np.int64)
        self.beside = np.concatenate([s.beside for s in spoken])[order]
        self.group = np.concatenate([[i] * len(s.codes) for i, s in enumerate(spoken)])[order]
        self.log_durations = np.concatenate([s.log_durations for s in spoken])[order]
        embeddings = [
            np.concatenate(layer)[order] for layer in zip(*(s.vectors for s in spoken), strict=True)
        ]
        self.transforms = [class_sums(e, self.own)[0].lda() for e in embeddings]
        both, rows = zip(self.transforms, embeddings, strict=True), np.arange(len(own))
        self.vectors = [transformed(transform, e, rows) for transform, e in both]
        self.hubs = self._own_nearest()
        self.impostors = self._impostors(np.random.default_rng(0))
        self._learn_units(spoken, np.random.default_rng(0))

    def similar(self, layer: int, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Similarity of pooled sounds to every class, as in the product."""
        asked = self.transforms[layer](vectors)
        return class_similarities(asked, self.vectors[layer], self.bounds, top_m=M)

    def similar_with(
        self,
        vectors: NDArray[np.float32],
        added: Callable[[slice], NDArray[np.float32] | float] = lambda _: 0.0,
        most: Sequence[int] | None = None,
    ) -> NDArray[np.float32]:
        """The same with something added to each product, or other numbers that answer."""
        found = []
        asked = self.transforms[0](vectors)
        for p, (first, end) in enumerate(pairwise(self.bounds.tolist())):
            products = asked @ self.vectors[0][first:end].T + added(slice(first, end))
            m = M if most is None else most[p]
            found.append(mean_of_largest(best_of_classes([products], m), m)[:, 0])
        return np.stack(found, axis=1)

    def _own_nearest(self) -> NDArray[np.float32]:
        """Mean similarity of each native to its nearest ones of other recordings, `[n]`."""
        found = np.empty(len(self.own), dtype=np.float32)
        vectors = self.vectors[0]
        for first in range(0, len(vectors), 1024):
            block = slice(first, first + 1024)
            products = vectors[block] @ vectors.T
            products[self.group[block, None] == self.group[None]] = -1.0
            found[block] = np.partition(products, -M, axis=1)[:, -M:].mean(axis=1)
        return found

    def _impostors(self, rng: np.random.Generator) -> tuple[Real, Real]:
        """Mean and spread of the nearest tenth of other natives' similarity to each class."""
        asked = np.sort(rng.choice(len(self.own), min(3000, len(self.own)), replace=False))
        similar = class_similarities(
            *(self.vectors[0][asked], self.vectors[0], self.bounds),
            top_m=M,
            groups=self.group,
            query_groups=self.group[asked],
        )
        means, spreads = np.zeros(similar.shape[1]), np.ones(similar.shape[1])
        for p in range(similar.shape[1]):
            others = similar[(self.own[asked] != p) & ~np.isnan(similar[:, p]), p]
            near = np.sort(others)[-max(20, len(others) // 10) :]
            if len(near) > 1:
                means[p], spreads[p] = near.mean(), max(float(near.std()), 1e-3)
        return means, spreads

    def _learn_units(self, spoken: Sequence[Spoken], rng: np.random.Generator) -> None:
        """Units by k-means, which of them follow each other, and which a phone is made of."""
        heard = [self.transforms[0](s.frames.embeddings.astype(np.float32)) for s in spoken]
        frames = np.concatenate(heard)
        some = frames[rng.choice(len(frames), min(HEARD_FOR_UNITS, len(frames)), replace=False)]
        self.centres = some[:UNITS].copy()
        for _ in range(12):
            nearest = (some @ self.centres.T).argmax(axis=1)
            for unit in np.unique(nearest):
                mean = some[nearest == unit].mean(axis=0)
                self.centres[unit] = mean / np.linalg.norm(mean)
        follows = np.full((UNITS, UNITS), 0.1)
        within = np.full((len(self.bounds) - 1, UNITS), 0.1)
        for s, vectors in zip(spoken, heard, strict=True):
            units = self._units(vectors)
            np.add.at(follows, (units[:-1], units[1:]), 1.0)
            np.add.at(within, (np.maximum(s.codes, 0)[s.places_of_frames], units), 1.0)
        self.follows = np.log(follows / follows.sum(axis=1, keepdims=True))
        self.within = np.log(within / within.sum(axis=1, keepdims=True))
        self.usual = np.log(within.sum(axis=0) / within.sum())

    def _units(self, vectors: NDArray[np.float32]) -> Whole:
        return np.asarray((vectors @ self.centres.T).argmax(axis=1), dtype=np.int64)

    def frame_evidence(self, s: Spoken) -> dict[str, Real]:
        """What the frames of one recording say of each phone, by several measures."""
        vectors = self.transforms[0](s.frames.embeddings.astype(np.float32))
        rows = answering_frames(self.bounds)
        bounds = np.searchsorted(rows, self.bounds).astype(np.int64)
        similar = class_similarities(vectors, self.vectors[0][rows], bounds, top_m=M)
        scaled = np.nan_to_num(similar.astype(np.float64), nan=-1.0) / TEMPERATURE
        posterior = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        units = self._units(vectors)
        surprise = np.concatenate([[0.0], self.follows[units[:-1], units[1:]]])
        of = s.places_of_frames
        held = np.maximum(np.bincount(of, minlength=len(s.codes)), 1)
        codes = np.maximum(s.codes, 0)

        def mean(values: Real) -> Real:
            return np.bincount(of, values, minlength=len(s.codes)) / held

        frames = np.arange(len(of))
        raw = path_ratios(posterior, codes, of)
        return {
            "log posterior of frames": mean(posterior[frames, codes[of]]),
            "likelihood ratio of the path": raw,
            "likelihood ratio of a frame of it": raw / held,
            "surprise of units": mean(surprise),
            "units of the phone": mean(self.within[codes[of], units] - self.usual[units]),
        }


def path_ratios(posterior: Real, codes: Whole, of: Whole) -> Real:
    """By how much the whole path is likelier than with the best other phone in each place, `[n]`.

    All paths are summed, so that boundaries move with what is put in; silence may be.
    """
    frames, n = len(posterior), len(codes)
    go = np.log(-np.expm1(STAY))
    ahead, back = np.full((frames, n), -np.inf), np.full((frames, n), -np.inf)
    own = posterior[:, codes]
    ahead[0, 0] = own[0, 0]
    for t in range(1, frames):
        came = np.concatenate([[-np.inf], ahead[t - 1, :-1]]) + go
        ahead[t] = np.logaddexp(ahead[t - 1] + STAY, came) + own[t]
    back[-1, -1] = 0.0
    for t in range(frames - 2, -1, -1):
        later = back[t + 1] + own[t + 1]
        back[t] = np.logaddexp(later + STAY, np.concatenate([later[1:], [-np.inf]]) + go)
    ratios = np.empty(n)
    for i in range(n):
        places = np.flatnonzero(of == i)
        middle = places if len(places) else np.array([min(np.searchsorted(of, i), frames - 1)])
        first, last = max(0, middle[0] - WIDE), min(frames - 1, middle[-1] + WIDE)
        total = np.full(posterior.shape[1], -np.inf)
        inside = np.full(posterior.shape[1], -np.inf)
        for t in range(first, last + 1):
            if i == 0:
                enter = 0.0 if t == 0 else -np.inf
            else:
                enter = ahead[t - 1, i - 1] + go if t else -np.inf
            inside = np.logaddexp(inside + STAY, enter) + posterior[t]
            if i == n - 1:
                leave = 0.0 if t == frames - 1 else -np.inf
            else:
                leave = go + own[t + 1, i + 1] + back[t + 1, i + 1] if t + 1 < frames else -np.inf
            total = np.logaddexp(total, inside + leave)
        mine = total[codes[i]]
        total[codes[i]] = -np.inf
        ratios[i] = mine - total.max() if np.isfinite(mine) else -20.0
    return np.clip(ratios, -20.0, 20.0)


def evidence_of(pool: Pool, spoken: Sequence[Spoken], temperature: float) -> dict[str, Real]:
    """All evidence on the N phones of some recordings by name; the first is the margin."""
    codes = np.concatenate([s.codes for s in spoken])
    beside = np.concatenate([s.beside for s in spoken])
    vectors = [np.concatenate(layer) for layer in zip(*(s.vectors for s in spoken), strict=True)]
    recording = np.repeat(np.arange(len(spoken)), [len(s.codes) for s in spoken])

    def margin(similar: NDArray[np.floating]) -> Real:
        return margins(np.asarray(similar, dtype=np.float32), np.maximum(codes, 0)).astype(float)

    similar = pool.similar(0, vectors[0])
    found = {"margin": margin(similar)}
    scaled = np.nan_to_num(similar.astype(np.float64), nan=-1.0) / temperature
    scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
    found["log posterior"] = scaled[np.arange(len(codes)), np.maximum(codes, 0)]
    for layer in range(1, len(vectors)):
        found[f"margin, {layer + 1}. of the layers"] = margin(pool.similar(layer, vectors[layer]))
    for weight in (0.05, 0.1):

        def same(rows: slice, weight: float = weight) -> NDArray[np.float32]:
            alike = (beside[:, None, :] == pool.beside[None, rows, :]).sum(axis=2)
            return np.asarray(weight * alike, dtype=np.float32)

        found[f"neighbours alike nearer by {weight}"] = margin(pool.similar_with(vectors[0], same))
    sizes = np.diff(pool.bounds)
    for share in (0.02, 0.05):
        most = np.clip((share * sizes).astype(int), 3, 60).tolist()
        name = f"{share:.0%} of a class answer"
        found[name] = margin(pool.similar_with(vectors[0], most=most))
    found["less hubs (CSLS)"] = margin(
        pool.similar_with(vectors[0], lambda rows: -0.5 * pool.hubs[None, rows])
    )
    means, spreads = pool.impostors
    cohort = (similar - means) / spreads
    found["by its cohort (z-norm)"] = margin(cohort)
    found["by both cohorts (s-norm)"] = margin(cohort) / np.nanstd(cohort, axis=1)
    mean = np.bincount(recording, np.nan_to_num(found["margin"])) / np.bincount(recording)
    found["less half the recording's mean"] = found["margin"] - 0.5 * mean[recording]
    durations = np.concatenate([s.log_durations for s in spoken])
    usual = np.tile([0.0, 1.0], (len(pool.bounds) - 1, 1))
    for p in np.unique(pool.own):
        own = pool.log_durations[pool.own == p]
        usual[p] = own.mean(), max(float(own.std()), 0.1)
    of = usual[np.maximum(codes, 0)]
    found["duration against natives"] = -(((durations - of[:, 0]) / of[:, 1]) ** 2)
    frames = [pool.frame_evidence(s) for s in spoken]
    for name in frames[0]:
        found[name] = np.concatenate([own[name] for own in frames])
    for values in found.values():
        values[codes < 0] = np.nan
    return found


@dataclass(frozen=True, eq=False)
class Pair:
    """Evidence on natives who were left out of an index, and on others by all of it."""

    natives: dict[str, Real]
    who_natives: Told
    others: dict[str, Real]
    who: Told
    many: bool  # whether the index has several voices

    @classmethod
    def of(cls, natives: Sequence[Spoken], others: Sequence[Spoken], index: PhoneIndex) -> Pair:
        """Ask the natives of an index about some of themselves and about others."""
        classes, temperature = len(index.classes), index.manifest.decision.temperature
        number = {group: i for i, group in enumerate(dict.fromkeys(s.group for s in natives))}
        out = [s for s in natives if number[s.group] % LEFT_OUT == 0]
        rest = [s for s in natives if number[s.group] % LEFT_OUT]
        return cls(
            evidence_of(Pool(rest, classes), out, temperature),
            Told.of(out),
            evidence_of(Pool(natives, classes), others, temperature),
            Told.of(others),
            len(number) < len(natives),
        )

    @property
    def first(self) -> tuple[str, ...]:
        """What judges in the product."""
        return ("log posterior", "log posterior of frames") if self.many else ("margin",)

    def summed(self, names: Sequence[str]) -> tuple[Real, Real]:
        """Natives' and others' sums of some evidence, each in standard deviations of natives."""
        sums = []
        for evidence, who in ((self.natives, self.who_natives), (self.others, self.who)):
            total = np.zeros(int(who.asked.sum()))
            for name in names:
                left_out = self.natives[name][self.who_natives.asked]
                standard = evidence[name][who.asked] - np.nanmean(left_out)
                standard /= float(np.nanstd(left_out)) or 1.0
                total += np.clip(standard, -FURTHEST, FURTHEST)
            known = ~np.isnan(total)
            sizes = np.maximum(np.bincount(who.recording, known), 1.0)
            means = np.bincount(who.recording, np.where(known, total, 0.0)) / sizes
            sums.append(total + (COMPANY * means[who.recording] if self.many else 0.0))
        return sums[0], sums[1]

    def border(self, natives: Real) -> float:
        """The sum below which 4 % of another voice are expected."""
        voices = json.loads(VOICES_FILE.read_text(encoding="utf-8"))
        odds = FALSE_REJECTIONS / (1 - FALSE_REJECTIONS)
        odds *= 1.0 if self.many else float(np.exp(-voices["shift"]))
        return float(np.nanquantile(natives, odds / (1 + odds)))

    def row(self, title: str, names: Sequence[str]) -> tuple[str, ...]:
        """What some evidence tells."""
        natives, values = self.summed(names)
        right = (self.who.expert == BEST) & np.isin(self.who.kind, ("untouched", "learner"))
        flagged = float((values[right] < self.border(natives)).mean())
        more, spread = gain(self.who, self.summed(self.first)[1], values)
        told = (f"{figure:.3f}" for figure in figures(self.who, values))
        return title, *told, f"{flagged:.1%}", f"{more:+.4f} ± {spread:.4f}"

    def rows(self) -> list[tuple[str, ...]]:
        """What all evidence tells, alone, with what judges, and together."""
        alone = [self.row(name, (name,)) for name in self.others]
        beside = [
            self.row(f"product, with {name}", (*self.first, name))
            for name in self.others
            if name not in self.first
        ]
        product = self.row(f"product: {' + '.join(self.first)}", self.first)
        sums = [self.row(" + ".join(names), names) for names in TOGETHER]
        return [product, *alone, *beside, *sums, self.row("all together", tuple(self.others))]


def main() -> None:
    """Hear, and print."""
    parser = options_of(__doc__)
    parser.add_argument("--pair", nargs=3, action="append", required=True)
    parser.add_argument("--layers", type=int, nargs="*", default=[5, 4], help="beside the usual")
    parser.add_argument("--encoder", help="that of the index, where it is a folder")
    parser.add_argument("--every", type=int, default=1, help="every so many-th recording asked")
    options = parser.parse_args()
    for index, natives, others in options.pair:
        ear = nativeear.load(index, calibration="training-free")
        name = options.encoder or ear.index.manifest.encoder.name
        ears = [load_encoder(name, layer=layer) for layer in (None, *options.layers)]
        pair = Pair.of(
            list(heard_of_index(ear.index, natives, ears)),
            list(heard_of_others(ear, others, ears, options.every)),
            ear.index,
        )
        learners = bool((pair.who.kind == "learner").all())
        header = ("PCC", "AUC") if learners else ("AUC any", "AUC near")
        title = f"{Path(index).name}, asked about {Path(others).stem}"
        show(title, ("evidence", *header, "right flagged", "gain"), pair.rows())


if __name__ == "__main__":
    main()
