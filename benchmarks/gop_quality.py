"""How well GOP agrees with experts: PCC and AUC of every scalar, and of the 41 features.

    python -m benchmarks.gop --quality --encoder compact:FOLDER --folds 0

Only speakers of the given folds are heard (`training.splits.fold_of`). The encoder must not have
been trained on them; the shipped one was trained on every fold, so its figures come from a sibling
that was not. The regressor is cross-validated within the tested folds, disjoint in speakers.
"""

from __future__ import annotations

import csv
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.speech_data import speechocean_folder
from nativeear.scoring.gop import GopFeatures, feature_vectors
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.gop_segment import logit_margins, segment_gop
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.speech.audio import Audio
from nativeear.speech.encoders import load_encoder
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import pool_log_probs
from training.splits import fold_of

FloatArray = NDArray[np.float64]

MISPRONOUNCED = 0.5  # an expert score below this
PARTS = 5
SEED = 7


@dataclass(frozen=True)
class Rated:
    """One learner's utterance: N phones without stress, and the experts' mean scores 0–2."""

    id: str
    speaker: str
    audio: Path
    phones: tuple[str, ...]
    scores: tuple[float, ...]


def read_rated(folder: Path, folds: frozenset[int], limit: int | None) -> list[Rated]:
    with (folder / "utterances.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if fold_of(row["speaker"]) in folds]
    return [
        Rated(
            row["id"],
            row["speaker"],
            folder / row["audio"],
            tuple(p.rstrip("012") for p in row["phones"].split() if p != "|"),
            tuple(float(s) for s in row["phone_scores"].split() if s != "|"),
        )
        for row in rows[:: 1 if limit is None else max(1, len(rows) // limit)]
    ]


def scalars(
    frames: Frames, inventory: PhoneInventory, features: GopFeatures, units: NDArray[np.int64]
) -> FloatArray:
    """Every scalar variant of every phone, `[N, len(NAMES)]`; the worst unit of a phone."""
    log_probs, _ = pool_log_probs(frames, inventory)
    span = features.expected_span
    segments = segment_gop(log_probs, features.canonical, span)
    margins = logit_margins(log_probs, features.canonical, span)
    values = np.column_stack(
        (
            features.sf_s,
            features.sf_sd,
            features.sf_sdi,
            features.deletion,
            segments.sa,
            segments.average_log_posterior,
            segments.average_log_ratio,
            margins.mean,
            margins.max,
            features.mean_log_posterior,
        )
    )
    return np.asarray(np.minimum.reduceat(values, units[:-1]))


NAMES = (
    "GOP-SF-S",
    "GOP-SF-SD",
    "GOP-SF-SDI",
    "deletion log ratio",
    "GOP-SA, expected span",
    "average log posterior, expected span",
    "average log ratio, expected span",
    "log posterior margin, mean",
    "log posterior margin, max",
    "log posterior over occupancy",
)


def regressed(vectors: FloatArray, phones: NDArray[np.str_], scores: FloatArray,
              speakers: NDArray[np.str_]) -> FloatArray:  # fmt: skip
    """Scores predicted for speakers that the regressor did not see, `[N]`."""
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError:
        sys.exit("The regressor needs scikit-learn: pip install scikit-learn")
    codes = np.unique(phones, return_inverse=True)[1]
    inputs = np.column_stack((vectors, codes))
    part = np.array([zlib.crc32(f"part {speaker}".encode()) % PARTS for speaker in speakers])
    predicted = np.full(len(scores), np.nan)
    for number in range(PARTS):
        left_out = part == number
        if not left_out.any() or left_out.all():
            continue
        model = HistGradientBoostingRegressor(
            max_iter=150,
            learning_rate=0.06,
            l2_regularization=1.0,
            categorical_features=[inputs.shape[1] - 1],
            random_state=SEED,
        )
        model.fit(inputs[~left_out], scores[~left_out])
        predicted[left_out] = model.predict(inputs[left_out])
    return predicted


def measure_quality(
    encoder_name: str, folds: frozenset[int], limit: int | None = None
) -> tuple[str, tuple[str, ...], list[list[str]]]:
    """Title, header and rows of the table."""
    encoder = load_encoder(encoder_name)
    inventory = PhoneInventory.load("en-US")
    utterances = read_rated(speechocean_folder(), folds, limit)
    parts: list[FloatArray] = []
    vectors: list[FloatArray] = []
    kept: list[Rated] = []
    for utterance in utterances:
        frames = encoder.encode(Audio.load(utterance.audio))
        heard = measure_gop(frames, inventory, utterance.phones, utterance=utterance.id)
        if heard.features is None:
            print(f"{utterance.id}: {heard.reason}", file=sys.stderr)
            continue
        parts.append(scalars(frames, inventory, heard.features, heard.units))
        vectors.append(feature_vectors(heard.features)[heard.units[:-1]])
        kept.append(utterance)
    if not kept:
        sys.exit(f"The encoder {encoder_name} gave no evidence for any utterance.")
    values = np.concatenate(parts)
    scores = np.array([score for utterance in kept for score in utterance.scores])
    phones = np.array([phone for utterance in kept for phone in utterance.phones])
    speakers = np.array([utterance.speaker for utterance in kept for _ in utterance.phones])
    features = np.concatenate(vectors)
    fitted = regressed(features, phones, scores, speakers)
    wrong = scores < MISPRONOUNCED
    rows = [
        [name, f"{pearson(value, scores):.3f}", f"{roc_auc(wrong, -value):.3f}"]
        for name, value in (
            *zip(NAMES, np.clip(values, -100.0, 100.0).T, strict=True),
            (f"{features.shape[1]} features, boosted trees, cross-validated", fitted),
        )
    ]
    title = (
        f"Quality on speechocean762, training split, fold {', '.join(map(str, sorted(folds)))} of "
        f"5: {len(set(speakers))} speakers, {len(kept)} utterances, {len(scores):,} phones, "
        f"{int(wrong.sum())} mispronounced; encoder {encoder_name}"
    )
    return title, ("evidence", "PCC", "AUC"), rows
