"""Measure an encoder on the speakers of one fold: `python -m training.evaluate --help`.

The encoder must have been trained without that fold. Everything that retrieval needs (LDA,
exemplars) comes from the pools: native prompts, or phones that experts scored 2, of speakers of
the other folds.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score

from nativeear.indexer.discriminant import fit_lda
from nativeear.indexes.frame_evidence import frame_evidence
from nativeear.indexes.similarity import class_similarities, margins
from nativeear.indexes.transform import Transform
from nativeear.scoring.gop import gop_features
from nativeear.speech.alignment import SILENCE
from nativeear.speech.occupancy import phone_occupancy
from training.alignment import AlignedPhone, read_alignments
from training.augment import LABEL_INDEX
from training.compact_model import (
    ARPABET,
    HOP_S,
    CompactConfig,
    CompactEncoder,
    load,
)
from training.corpus import (
    Utterance,
    read_asterisk,
    read_audio,
    read_speechocean,
)
from training.encoder import GOOD_SCORE, edit_distance, greedy
from training.splits import fold_of, is_held_out
from training.whisper_weights import encoder_state, find_parts, read_ctranslate2

log = logging.getLogger("training.evaluate")

WRONG = 0.5  # an expert score below this is a mispronunciation
TOP_M = 10
MAX_PER_CLASS = 400
TEMPERATURE = 0.1  # of the posterior in retrieval by frames
SHORTEST_PAUSE_S = 0.06
CLIPS = (-3.0, -5.0, -8.0, -10.0, -15.0)  # nats from which GOP may be cut off
POOLINGS = ("middle-frame", "middle-third")

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """One utterance as the encoder heard it.

    Attributes
    ----------
    phones : list of AlignedPhone
    pooled : dict of str to ndarray
        Per pooling, shape = (n_layers + 2, n_phones, width), float16.
    silences : ndarray, shape = (n_layers + 2, n_silences, width)
        The pauses between the phones, pooled over their middle thirds.
    states : ndarray, shape = (n_layers + 2, T, width)
        Empty unless frames were asked for.
    log_probs : ndarray, shape = (T, n_labels)
    """

    phones: list[AlignedPhone]
    pooled: dict[str, npt.NDArray[np.float16]]
    silences: npt.NDArray[np.float16]
    states: npt.NDArray[np.float16]
    log_probs: FloatArray


def frozen_start(folders: list[Path], n_layers: int) -> CompactEncoder:
    """Make the encoder as training starts it, with an untrained head."""
    model = CompactEncoder(CompactConfig(n_layers=n_layers))
    state = encoder_state(read_ctranslate2(find_parts(folders)), n_layers)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
    return model.eval()


def hear(
    model: CompactEncoder,
    utterance: Utterance,
    phones: list[AlignedPhone],
    *,
    keep_frames: bool = False,
) -> Heard:
    """Encode one utterance and pool its phones and pauses in every layer."""
    wave = read_audio(utterance.audio).astype(np.float32) / 32768.0
    encoded = model.encode([wave])
    states = torch.stack([layer[0] for layer in encoded.hidden])
    last = states.shape[1] - 1

    def middle_third(start_s: float, end_s: float) -> torch.Tensor:
        middle = min(last, round((start_s + end_s) / 2 / HOP_S))
        third = (end_s - start_s) / 3
        first = min(middle, round((start_s + third) / HOP_S))
        final = min(last, max(middle, round((end_s - third) / HOP_S)))
        return states[:, first : final + 1].mean(dim=1)

    frames = [
        states[:, min(last, round((phone.start_s + phone.end_s) / 2 / HOP_S))] for phone in phones
    ]
    thirds = [middle_third(phone.start_s, phone.end_s) for phone in phones]
    edges = [0.0, *(t for phone in phones for t in (phone.start_s, phone.end_s)), last * HOP_S]
    pauses = [
        middle_third(start_s, end_s)
        for start_s, end_s in zip(edges[::2], edges[1::2], strict=True)
        if end_s - start_s >= SHORTEST_PAUSE_S
    ]
    pooled = {
        name: torch.stack(vectors, dim=1).half().numpy()
        for name, vectors in zip(POOLINGS, (frames, thirds), strict=True)
    }
    empty = states[:, :0]
    return Heard(
        phones,
        pooled,
        (torch.stack(pauses, dim=1) if pauses else empty).half().numpy(),
        (states if keep_frames else empty).half().numpy(),
        encoded.log_probs[0].numpy(),
    )


def _collect(
    heard: list[Heard], pooling: str, layer: int, lowest: float
) -> tuple[FloatArray, list[str]]:
    """Gather the vectors and labels of phones that score at least `lowest`, natives included."""
    vectors, labels = [], []
    for utterance in heard:
        for index, phone in enumerate(utterance.phones):
            if phone.score is None or phone.score >= lowest:
                vectors.append(utterance.pooled[pooling][layer, index])
                labels.append(phone.label)
    return np.stack(vectors).astype(np.float32), labels


def _learn(
    pool: list[Heard], pooling: str, layer: int, *, silence: bool
) -> tuple[Transform, FloatArray, npt.NDArray[np.int64]]:
    """Make the transform of a pool, its vectors by class, and where the classes lie."""
    vectors, labels = _collect(pool, pooling, layer, 2.0)
    classes = list(ARPABET)
    if silence:
        pauses = np.concatenate([utterance.silences[layer] for utterance in pool])
        vectors = np.concatenate([vectors, pauses.astype(np.float32)])
        labels = labels + [SILENCE] * len(pauses)
        classes.append(SILENCE)
    transform = fit_lda(vectors, tuple(labels))
    rng = np.random.default_rng(0)
    kept, bounds = [], [0]
    codes = np.array([classes.index(label) for label in labels])
    for code in range(len(classes)):
        rows = rng.permutation(np.flatnonzero(codes == code))[:MAX_PER_CLASS]
        kept.append(rows)
        bounds.append(bounds[-1] + len(rows))
    return transform, transform(vectors[np.concatenate(kept)]), np.array(bounds)


def knn_margins(pool: list[Heard], test: list[Heard], pooling: str, layer: int) -> FloatArray:
    """Give each test phone its margin in the pool's LDA space."""
    transform, vectors, bounds = _learn(pool, pooling, layer, silence=False)
    queries, asked = _collect(test, pooling, layer, -1.0)
    similar = class_similarities(transform(queries), vectors, bounds, top_m=TOP_M)
    return margins(similar, np.array([ARPABET.index(label) for label in asked]))


def knn_frames(pool: list[Heard], test: list[Heard], layer: int) -> dict[str, FloatArray]:
    """Retrieve for every frame, and average over the frames that CTC says belong to a phone."""
    transform, vectors, bounds = _learn(pool, "middle-third", layer, silence=True)
    found: dict[str, list[Any]] = {"log_posterior": [], "margin": []}
    for utterance in test:
        canonical = [LABEL_INDEX[phone.label] for phone in utterance.phones]
        similar = class_similarities(
            transform(utterance.states[layer].astype(np.float32)), vectors, bounds, top_m=TOP_M
        )
        evidence = frame_evidence(
            similar,
            phone_occupancy(utterance.log_probs, canonical),
            np.array([ARPABET.index(phone.label) for phone in utterance.phones]),
            TEMPERATURE,
        )
        found["log_posterior"].extend(evidence.log_posterior)
        found["margin"].extend(evidence.margin)
    return {name: np.array(values) for name, values in found.items()}


def agreement(values: npt.NDArray[Any], scores: npt.NDArray[Any]) -> dict[str, float]:
    """Compare evidence of correctness with expert scores."""
    known = np.isfinite(values)
    floor = values[known].min()
    values = np.where(known, values, floor)
    return {
        "auc": round(float(roc_auc_score(scores >= WRONG, values)), 4),
        "pcc": round(float(np.corrcoef(values, scores)[0, 1]), 4),
    }


def _heard_as(labels: list[int], canonical: list[int]) -> list[int | None]:
    """Align a decoded sequence with the canonical one; per canonical phone what was heard."""
    n, m = len(canonical), len(labels)
    cost = np.zeros((n + 1, m + 1), dtype=int)
    cost[:, 0], cost[0] = np.arange(n + 1), np.arange(m + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            change = cost[i - 1, j - 1] + (canonical[i - 1] != labels[j - 1])
            cost[i, j] = min(change, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    found: list[int | None] = [None] * n
    i, j = n, m
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + (canonical[i - 1] != labels[j - 1]):
            found[i - 1] = labels[j - 1]
            i, j = i - 1, j - 1
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return found


def decoding(heard: list[Heard]) -> dict[str, float]:
    """Measure the greedy decode: phone errors, and agreement where experts scored 0."""
    errors = phones = 0
    same: dict[str, list[bool]] = {"0": [], "below 0.5": [], "2": []}
    for utterance in heard:
        canonical = [LABEL_INDEX[phone.label] for phone in utterance.phones]
        decoded = greedy(torch.from_numpy(utterance.log_probs))
        scores = [2.0 if phone.score is None else phone.score for phone in utterance.phones]
        if min(scores) >= GOOD_SCORE:
            errors += edit_distance(decoded, canonical)
            phones += len(canonical)
        for score, label, was in zip(scores, canonical, _heard_as(decoded, canonical), strict=True):
            if score == 0.0:
                same["0"].append(label != was)
            if score < WRONG:
                same["below 0.5"].append(label != was)
            if score == 2.0:
                same["2"].append(label == was)
    report = {"per": round(errors / max(phones, 1), 4), "per_phones": phones}
    for name, agreed in same.items():
        if agreed:
            report[f"agrees_with_experts_where_{name}"] = round(float(np.mean(agreed)), 4)
    return report


def goodness(heard: list[Heard]) -> dict[str, npt.NDArray[np.float64]]:
    """Compute the scalar GOPs of every phone."""
    values: dict[str, list[float]] = {"gop_sf_s": [], "gop_sf_sd": [], "mean_log_posterior": []}
    for utterance in heard:
        canonical = [LABEL_INDEX[phone.label] for phone in utterance.phones]
        features = gop_features(utterance.log_probs, canonical)
        values["gop_sf_s"].extend(features.sf_s)
        values["gop_sf_sd"].extend(features.sf_sd)
        values["mean_log_posterior"].extend(features.mean_log_posterior)
    return {name: np.array(value) for name, value in values.items()}


def clipped(
    values: npt.NDArray[np.float64], scores: npt.NDArray[np.float64], halves: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Cut a GOP off where the *other* half of the speakers says, and compare it with experts.

    A phone that is wrong is wrong at -10 nats as at -40; the correlation is with grades that end.
    """
    cut = np.empty_like(values)
    chosen = []
    for half in (halves, ~halves):
        best = max(
            CLIPS, key=lambda clip: agreement(np.maximum(values[~half], clip), scores[~half])["pcc"]
        )
        cut[half] = np.maximum(values[half], best)
        chosen.append(best)
    return {**agreement(cut, scores), "clips": chosen}


def _hear_all(
    model: CompactEncoder,
    utterances: list[Utterance],
    aligned: dict[str, list[AlignedPhone]],
    *,
    keep_frames: bool = False,
) -> list[Heard]:
    return [
        hear(model, u, aligned[u.id], keep_frames=keep_frames)
        for u in utterances
        if u.id in aligned
    ]


def evaluate(model: CompactEncoder, options: argparse.Namespace, *, head: bool) -> dict[str, Any]:
    """Measure retrieval in every layer and, with a trained head, decoding and GOP."""
    aligned = read_alignments(options.alignments)
    prompts, _ = read_asterisk()
    learners = read_speechocean(options.data / "speechocean762-train")
    tested = [u for u in learners if fold_of(u.speaker) == options.fold]
    others = [u for u in learners if fold_of(u.speaker) != options.fold]
    rng = np.random.default_rng(0)
    chosen = [others[i] for i in rng.permutation(len(others))[: options.pool]]
    torch.set_num_threads(options.threads)
    started = time.monotonic()
    test = _hear_all(model, tested, aligned, keep_frames=head)
    native = _hear_all(model, prompts, aligned)
    rated = _hear_all(model, chosen, aligned)
    log.info("heard in %.0f s", time.monotonic() - started)
    scores = np.array([float(p.score or 0.0) for u in test for p in u.phones])
    speakers = [u.speaker for u in tested if u.id in aligned for _ in aligned[u.id]]
    halves = np.array([zlib.crc32(f"half {speaker}".encode()) % 2 == 0 for speaker in speakers])
    report: dict[str, Any] = {
        "fold": options.fold,
        "speakers": len({u.speaker for u in tested}),
        "utterances": len(test),
        "phones": len(scores),
        "phones_below_0.5": int((scores < WRONG).sum()),
        "knn": {},
    }
    if head:
        report["greedy"] = decoding(test)
        unseen = {u.id for u in prompts if is_held_out(u.id)}
        kept = [
            h
            for u, h in zip([u for u in prompts if u.id in aligned], native, strict=True)
            if u.id in unseen
        ]
        report["greedy_held_out_prompts"] = decoding(kept)
        for name, values in goodness(test).items():
            report[name] = agreement(values, scores)
            report[f"{name}_clipped"] = clipped(values, scores, halves)
    for pool_name, pool in (("native", native), ("rated", rated)):
        report["knn"][pool_name] = {
            pooling: [
                agreement(knn_margins(pool, test, pooling, layer), scores)
                for layer in range(len(model.blocks) + 2)
            ]
            for pooling in POOLINGS
        }
        if head:
            by_layer = [knn_frames(pool, test, layer) for layer in range(len(model.blocks) + 2)]
            report["knn"][pool_name] |= {
                f"frames, {name}": [agreement(found[name], scores) for found in by_layer]
                for name in ("log_posterior", "margin")
            }
        log.info("%s: %s", pool_name, json.dumps(report["knn"][pool_name]))
    return report


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--alignments", type=Path, required=True)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=Path, help="packaged folder of a fold's encoder")
    which.add_argument("--whisper-base", type=Path, nargs="+", help="measure the frozen start")
    parser.add_argument("--fold", type=int, default=0, choices=range(5))
    parser.add_argument("--layers", type=int, default=6, help="of the frozen start")
    parser.add_argument("--pool", type=int, default=500, help="learner utterances to pool")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model = (
        load(options.model) if options.model else frozen_start(options.whisper_base, options.layers)
    )
    report = evaluate(model, options, head=options.model is not None)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
