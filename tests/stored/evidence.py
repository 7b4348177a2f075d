"""Write and read `evidence.npz`, see the README beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nativeear.retriever.evidence import PhoneEvidence
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion.features import FeatureTable
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory

FILE = Path(__file__).parent / "evidence.npz"
PROMPTS = Path(__file__).parents[2] / "service" / "data"
FADE_S = 0.008

TEXTS = {
    "vm-msgsaved": "Your message has been saved.",
    "auth-incorrect": "Password incorrect. Please enter your password followed by the pound key.",
    "priv-introsaved": "Thank you. Please hold, while I attempt to connect you with your party!",
}

REPLACED = {
    "saved-z-p": ("vm-msgsaved", 10, "auth-incorrect", "P"),
    "followed-d-ay": ("auth-incorrect", 29, "priv-introsaved", "AY"),
    "connect-eh-s": ("priv-introsaved", 29, "auth-incorrect", "S"),
    "attempt-eh-ay": ("priv-introsaved", 20, "priv-introsaved", "AY"),
    "followed-er-s": ("auth-incorrect", 28, "vm-msgsaved", "S"),
}
"""Prompt, which of its phones, and the prompt and phone put in its place."""

CUT = {
    "message-m": ("vm-msgsaved", 3),
    "has-z": ("vm-msgsaved", 10),
    "password-s": ("auth-incorrect", 2),
    "key-k": ("auth-incorrect", 43),
}
"""Prompt, and which of its phones was cut out."""


@dataclass(frozen=True, eq=False)
class Stored:
    """What was told of one recording, and what was made of it. N phones, T frames."""

    alignment: Alignment
    features: FeatureTable
    margins: NDArray[np.float64]
    deleted: NDArray[np.bool_]
    similar: NDArray[np.float32]
    hop_s: float
    offset_s: float
    heard: tuple[str, ...]
    expected: NDArray[np.float64]
    natives_scores: NDArray[np.float64]
    natives_shares: NDArray[np.float64]

    @property
    def frames(self) -> Frames:
        """As many as there were, of nothing: `similar` is what they resemble."""
        return Frames(np.zeros((len(self.similar), 1), np.float32), self.hop_s, self.offset_s)

    def recording_evidence(self, **changed: object) -> RecordingEvidence:
        """As the calibrations are told of it."""
        phones = self.alignment.spoken
        retrieval = tuple(
            PhoneEvidence(phone.phone, np.zeros(1, np.float32), margin, 0, 99, (), (), (), ())
            for phone, margin in zip(phones, self.margins.tolist(), strict=True)
        )
        inventory = PhoneInventory.load("en-US")
        told = {
            "frames": self.frames,
            "alignment": self.alignment,
            "phones": phones,
            "retrieval": retrieval,
            "gop": measure_gop(self.frames, inventory, [phone.phone for phone in phones]),
            "features": self.features,
            "deleted": self.deleted,
            "insertions": (),
        }
        return RecordingEvidence(**(told | changed))  # type: ignore[arg-type]


@cache
def stored(name: str) -> Stored:
    """What is kept of one recording."""
    with np.load(FILE) as kept:
        part = {
            key.removeprefix(f"{name}/"): kept[key] for key in kept if key.startswith(f"{name}/")
        }
        names = tuple(kept["columns"].tolist())
    phones = tuple(
        AlignedPhone(str(phone), float(start_s), float(end_s), int(word))
        for phone, (start_s, end_s, word) in zip(part["phones"], part["spans"], strict=True)
    )
    words = tuple(map(str, range(int(part["spans"][:, 2].max()) + 1)))
    return Stored(
        Alignment(phones, words, (0,) * len(words), "stored"),
        FeatureTable(names, part["features"]),
        part["margins"],
        part["deleted"],
        part["similar"].astype(np.float32),
        *part["time"].tolist(),
        tuple(part["heard"].tolist()),
        *part["judged"],
    )


def spliced(prompt: Audio, target: AlignedPhone, donor: Audio, source: AlignedPhone) -> Audio:
    """The prompt with one phone's span replaced by another's."""
    first, last = round(source.start_s * SAMPLE_RATE), round(source.end_s * SAMPLE_RATE)
    return _joined(prompt, target, donor.samples[first:last])


def without(prompt: Audio, target: AlignedPhone) -> Audio:
    """The prompt with one phone's span cut out."""
    return _joined(prompt, target, np.zeros(0, np.float32))


def _joined(prompt: Audio, target: AlignedPhone, piece: NDArray[np.float32]) -> Audio:
    """Pieces with short cross-fades."""
    start, end = round(target.start_s * SAMPLE_RATE), round(target.end_s * SAMPLE_RATE)
    fade = round(FADE_S * SAMPLE_RATE)
    samples = prompt.samples[:start]
    for other in (piece, prompt.samples[end:]):
        if not len(other):
            continue
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        joint = samples[-fade:] * (1 - ramp) + other[:fade] * ramp
        samples = np.concatenate([samples[:-fade], joint, other[fade:]])
    return Audio(np.ascontiguousarray(samples, dtype=np.float32))


def main() -> None:
    """Hear every recording, and write what was told of it."""
    import nativeear
    from nativeear.retriever.deviations import Deviations
    from nativeear.scoring.fusion.expert import shipped
    from nativeear.scoring.fusion.training_free import TrainingFree
    from nativeear.speech.aligners.catalogue import load_aligner

    assessor = nativeear.load()
    finder, natives = Deviations(assessor.index), TrainingFree(assessor.index)
    audio = {name: Audio.load(PROMPTS / f"{name}.flac") for name in TEXTS}
    aligner = load_aligner("pocketsphinx")  # another ear than the one that is tested
    laid = {
        name: aligner.align(audio[name], assessor.pronouncer.pronounce(text)).spoken
        for name, text in TEXTS.items()
    }
    made = {name: (name, audio[name]) for name in TEXTS}
    for name, (prompt, i, donor, phone) in REPLACED.items():
        source = next(p for p in laid[donor] if p.phone == phone and 0.05 <= p.duration_s <= 0.25)
        made[name] = prompt, spliced(audio[prompt], laid[prompt][i], audio[donor], source)
    for name, (prompt, i) in CUT.items():
        made[name] = prompt, without(audio[prompt], laid[prompt][i])
    kept: dict[str, NDArray[np.generic]] = {}
    for name, (prompt, recording) in made.items():
        found = assessor.gather_evidence(recording, assessor.pronouncer.pronounce(TEXTS[prompt]))
        phones = found.alignment.phones
        by_natives = natives.judge(found.features)
        part: dict[str, object] = {
            "phones": [phone.phone for phone in phones],
            "spans": [[phone.start_s, phone.end_s, phone.word_index] for phone in phones],
            "features": found.features.values,
            "margins": [item.margin for item in found.retrieval],
            "deleted": found.deleted,
            "similar": finder.similarities(found.frames).astype(np.float16),
            "time": [found.frames.hop_s, found.frames.offset_s],
            "heard": [assessor.index.classes[e.posterior.argmax()] for e in found.retrieval],
            "judged": [shipped().of(found), by_natives.scores, by_natives.log_shares],
        }
        kept |= {f"{name}/{key}": np.asarray(value) for key, value in part.items()}
        kept["columns"] = np.array(found.features.names)
        flagged = [
            (i, phone.phone, grade.verdict, grade.score, grade.probability_mispronounced)
            for i, (phone, grade) in enumerate(
                zip(found.phones, assessor._calibration.grades(found), strict=True)
            )
            if grade.verdict != "correct"
        ]
        print(name, flagged, np.flatnonzero(found.deleted), found.insertions, flush=True)
    np.savez_compressed(FILE, **kept)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
