"""A phone head fitted in closed form against the one that ships, on English natives.

    python -m benchmarks.phone_heads [--sentences 30] [--encoder NAME[:LAYER] …]

Every encoder gets a head as `nativeear index build --head fitted` gives it one: fitted on some
sentences of three native speakers, laid by pocketsphinx, and calibrated on utterances among these
that were left out. All heads are then asked about other sentences of three other speakers:

- phone errors: edits between the best label of every frame, repeats joined, and the phones of the
  text, as a share of these (other forms of a word that natives say count as errors);
- AUC: GOP (`sf`) of phones as they were said against the same places where another phone is claimed
  to have been meant, one place in six: any phone, or one of the eight nearest;
- log posterior: mean over the phones, where each is expected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reporting import options_of, show
from benchmarks.speech_data import NATIVES, rows_of
from nativeear.indexer.head_fitting import frame_classes, head_of
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.metrics import roc_auc
from nativeear.speech.aligners.catalogue import load_aligner
from nativeear.speech.alignment import Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.decoding import decode_phones
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.encoders.fitted_head import FittedHead
from nativeear.speech.errors import NativeEarError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer

FITTED_ON = ("SF1", "SM1", "SF2")
ASKED = ("TF1", "TM1", "TM2")
EVERY = 6
NEAR = 8


@dataclass(frozen=True, eq=False)
class Reading:
    """A native reading, and where its phones lie."""

    audio: Audio
    alignment: Alignment

    @property
    def canonical(self) -> list[str]:
        """Its phones."""
        return [phone.phone for phone in self.alignment.spoken]


def readings(speakers: Sequence[str], sentences: slice) -> list[Reading]:
    """Some sentences of some speakers, laid by pocketsphinx."""
    pronouncer, aligner = Pronouncer("en-US"), load_aligner("pocketsphinx")
    rows = rows_of(Path(NATIVES))
    texts = sorted({row["id"].partition("_")[2] for row in rows})[sentences]
    found = []
    for row in rows:
        speaker, _, text = row["id"].partition("_")
        if speaker not in speakers or text not in texts:
            continue
        audio = Audio.load(row["audio"])
        try:
            laid = aligner.align(audio, pronouncer.pronounce(row["text"]))
        except NativeEarError:
            continue
        found.append(Reading(audio, laid))
    return found


@dataclass
class Measured:
    """What heads made of the readings, summed up."""

    edits: int = 0
    phones: int = 0
    log_posterior: float = 0.0

    def __post_init__(self) -> None:
        self.told: dict[str, list[tuple[bool, float]]] = {"any": [], "near": []}

    def add(self, frames: Frames, reading: Reading, inventory: PhoneInventory, seed: int) -> None:
        """One reading more."""
        canonical = reading.canonical
        heard = [phone.phone for phone in decode_phones(frames, inventory) or ()]
        self.edits += edits(heard, canonical)
        self.phones += len(canonical)
        right = measure_gop(frames, inventory, canonical)
        self.log_posterior += float(np.nansum(right.mean_log_posterior))
        for kind, told in self.told.items():
            claimed = claims(canonical, inventory, kind, seed)
            altered = [claimed.get(i, phone) for i, phone in enumerate(canonical)]
            wrong = measure_gop(frames, inventory, altered)
            told += [(False, float(right.sf[i])) for i in claimed]
            told += [(True, float(wrong.sf[i])) for i in claimed]

    def row(self) -> tuple[str, ...]:
        """Phone errors, both AUCs and the log posterior."""
        aucs = []
        for told in self.told.values():
            wrong, sf = (np.array(column) for column in zip(*told, strict=True))
            aucs.append(f"{roc_auc(wrong, -sf):.3f}")
        share = self.edits / self.phones
        return f"{share:.1%}", *aucs, f"{self.log_posterior / self.phones:.2f}"


def claims(
    canonical: Sequence[str], inventory: PhoneInventory, kind: str, seed: int
) -> dict[int, str]:
    """Which phone is claimed to have been meant, at one place in `EVERY`."""
    rng = np.random.default_rng([seed, NEAR if kind == "near" else 0])
    claimed = {}
    for i in range(int(rng.integers(EVERY)), len(canonical), EVERY):
        beside = canonical[max(i - 1, 0) : i + 2]
        others = sorted(inventory.symbols, key=lambda p: (inventory.distance(canonical[i], p), p))
        choice = [p for p in others[: 1 + NEAR if kind == "near" else None] if p not in beside]
        claimed[i] = choice[int(rng.integers(len(choice)))]
    return claimed


def edits(heard: Sequence[str], meant: Sequence[str]) -> int:
    """Levenshtein's distance."""
    row = np.arange(len(meant) + 1)
    for phone in heard:
        above = row
        kept = above[:-1] + np.array([phone != other for other in meant])
        row = np.concatenate([[above[0] + 1], np.minimum(above[1:] + 1, kept)])
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return int(row[-1])


def heads(
    names: Sequence[str], fit: Sequence[Reading], inventory: PhoneInventory
) -> Iterator[tuple[str, str, Measured, FittedHead | None]]:
    """Every encoder by name, with what is heard of it: its own head, and a fitted one."""
    for name in names:
        source, _, layer = name.partition(":")
        encoder = load_encoder(source, layer=int(layer) if layer else None)
        if not layer and getattr(encoder, "phone_labels", None):
            yield source, "its own", Measured(), None
        heard = (encoder.encode(reading.audio) for reading in fit)
        head = head_of(
            (
                (frames.embeddings, frame_classes(frames, reading.alignment, inventory.symbols))
                for frames, reading in zip(heard, fit, strict=True)
            ),
            inventory.symbols,
        )
        yield name, "fitted", Measured(), head


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--sentences", type=int, default=30, help="of each speaker")
    parser.add_argument("--encoder", nargs="+", default=["compact", "compact:4", "spectral"])
    arguments = parser.parse_args()
    inventory = PhoneInventory.load("en-US")
    number = arguments.sentences
    fit = readings(FITTED_ON, slice(0, number))
    asked = readings(ASKED, slice(number, 2 * number))
    rows = []
    for name, kind, measured, head in heads(arguments.encoder, fit, inventory):
        source, _, layer = name.partition(":")
        encoder = load_encoder(source, layer=int(layer) if layer else None)
        for seed, reading in enumerate(asked):
            frames = encoder.encode(reading.audio)
            measured.add(frames if head is None else head.heard(frames), reading, inventory, seed)
        rows.append((name, kind, *measured.row()))
    fit_s = sum(reading.audio.duration_s for reading in fit)
    show(
        f"{len(asked)} readings of {', '.join(ASKED)}; fitted on {fit_s / 60:.1f} minutes of "
        f"{', '.join(FITTED_ON)}",
        ("encoder", "head", "phone errors", "AUC, any", "AUC, near", "log posterior"),
        rows,
    )


if __name__ == "__main__":
    main()
