"""The speech that the benchmarks measure on, pooled once and kept under `.work/`."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.pooled_utterance import PooledPhone, PooledUtterance, record_name
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler, pool_into
from nativeear.speech.alignment import SILENCE
from nativeear.speech.frames import FloatArray

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
CACHE = ROOT / ".work" / "benchmarks"
SPEECHOCEAN = DATA / "speechocean762-train"
NATIVES = DATA / "native-english"
PROMPTS = (
    ("vm-msgsaved", "Your message has been saved."),
    (
        "priv-introsaved",
        "Thank you. Please hold, while I attempt to connect you with your party!",
    ),
    (
        "auth-incorrect",
        "Password incorrect. Please enter your password followed by the pound key.",
    ),
)
"""Native speech that comes with the package: file and text; the last one is 4.6 s long."""


def prompt(name: str) -> Path:
    """File of one of `PROMPTS`."""
    return ROOT / "service" / "data" / f"{name}.flac"


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The rows of development speech with whole paths; exits where it is absent."""
    table = folder / "utterances.csv"
    if not table.is_file():
        sys.exit(f"{folder.name} is not at {folder}: see `DATA` of {__name__}.")
    with table.open(encoding="utf-8", newline="") as stream:
        return [{**row, "audio": str(folder / row["audio"])} for row in csv.DictReader(stream)]


@dataclass(frozen=True, eq=False)
class PooledSpeech:
    """Many pooled phones with what is known of each.

    Attributes
    ----------
    phones
        N pooled phones and silences.
    embeddings
        float32 `[N, D]`.
    utterance, speaker
        Ids, `[N]`.
    expert
        float64 `[N]`, the experts' mean score 0–2; NaN where there is none.
    """

    phones: tuple[PooledPhone, ...]
    embeddings: FloatArray
    utterance: NDArray[np.str_]
    speaker: NDArray[np.str_]
    expert: NDArray[np.float64]

    @property
    def labels(self) -> NDArray[np.str_]:
        """Phone labels `[N]`."""
        return np.array([phone.phone for phone in self.phones])

    @property
    def spoken(self) -> NDArray[np.bool_]:
        """Which are phones and not silences, `[N]`."""
        spoken: NDArray[np.bool_] = self.labels != SILENCE
        return spoken

    def take(self, rows: NDArray[np.bool_]) -> PooledSpeech:
        """The rows that are True."""
        return PooledSpeech(
            tuple(phone for phone, taken in zip(self.phones, rows, strict=True) if taken),
            self.embeddings[rows],
            self.utterance[rows],
            self.speaker[rows],
            self.expert[rows],
        )


def pool_corpus(
    corpus: str,
    *,
    encoder: str,
    layer: int | None = None,
    limit: int | None = None,
) -> PooledSpeech:
    """Pool a corpus with the product's own stage; finished utterances are kept on disk."""
    read = read_corpus(corpus, language="en-US")
    utterances = read.utterances[:: max(1, len(read.utterances) // limit) if limit else 1]
    pooler = UtterancePooler(PoolingRequest("en-US", "auto", encoder, layer, "middle-third"))
    folder = CACHE / f"{pooler.encoder.fingerprint[7:23]}-middle-third"
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[tuple[Utterance, PooledUtterance]] = []
    for done, utterance in enumerate(utterances):
        path = folder / record_name(read.name, utterance.id)
        reason = "" if path.is_file() else pool_into(pooler, utterance, path)
        if reason:
            print(f"set aside {utterance.id}: {reason}", file=sys.stderr)
            continue
        kept.append((utterance, PooledUtterance.load(path)))
        if done % 500 == 0:
            print(f"{read.name}: {done} of {len(utterances)}", file=sys.stderr)
    return _join(kept)


def _join(kept: list[tuple[Utterance, PooledUtterance]]) -> PooledSpeech:
    phones = tuple(phone for _, pooled in kept for phone in pooled.phones)
    return PooledSpeech(
        phones,
        np.concatenate([pooled.embeddings for _, pooled in kept]),
        np.array([utterance.id for utterance, pooled in kept for _ in pooled.phones]),
        np.array([utterance.speaker for utterance, pooled in kept for _ in pooled.phones]),
        np.array([math.nan if phone.rating is None else phone.rating for phone in phones]),
    )


def join(parts: list[PooledSpeech]) -> PooledSpeech:
    """Several pooled corpora as one."""
    return PooledSpeech(
        tuple(phone for part in parts for phone in part.phones),
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate([part.utterance for part in parts]),
        np.concatenate([part.speaker for part in parts]),
        np.concatenate([part.expert for part in parts]),
    )


def write_table(path: Path, utterances: Iterable[Utterance]) -> Path:
    """Write some utterances as a table that `nativeear index build` reads."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("id", "audio", "text", "phones", "speaker"))
        for u in utterances:
            table.writerow((u.id, u.audio.resolve(), u.text, u.phones, u.speaker))
    return path
