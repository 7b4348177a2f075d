"""Prosody: known signals, native stress, moved stress, invariance, rhythm of languages, cost.

    python -m benchmarks.prosody [--prompts N] [--index DIR …]

Pitch, pauses and syllables are measured on signals whose truth is by construction. Stress is
asked of Debian's native English prompts, aligned by pocketsphinx, with a fifth of them left out
at a time; then the stress of their two-syllable words is moved to the other syllable by Praat's
resynthesis (lengths, pitch and level exchanged; the vowels' quality stays) and asked again.
`--index` adds indexes whose natives' rates and rhythm are listed beside each other.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from indexer.corpus import read_corpus
from indexer.utterances import recording_of
from indexes.phone_index import PhoneIndex
from indexes.prosody import profiles_of
from scoring.prosody.stress import StressModel, polysyllables
from speech.aligners.catalogue import load_aligner
from speech.alignment import AlignedPhone, Alignment
from speech.audio import SAMPLE_RATE, Audio
from speech.errors import NativeEarError
from speech.inventory import PhoneInventory
from speech.pronunciation import Pronouncer
from speech.prosody.intensity import track_intensity
from speech.prosody.measurement import measure_prosody
from speech.prosody.nuclei import syllable_nuclei
from speech.prosody.pauses import find_pauses
from speech.prosody.pitch import track_pitch
from speech.prosody.profile import ProsodyProfile

FOLDS = 5
SEED = 8
Samples = NDArray[np.float64]
Row = tuple[str, ...]
SECONDS = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
MEASURES = (
    "articulation_rate",
    "pause_ratio",
    "npvi_v",
    "percent_v",
    "varco_c",
    "median_hz",
    "range_semitones",
    "final_slope",
)


@dataclass(frozen=True, eq=False)
class Prompt:
    """A native prompt, aligned."""

    text: str
    audio: Audio
    alignment: Alignment


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prompts", type=int, default=250, help="native prompts to ask")
    parser.add_argument("--index", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    console = Console()
    rows: list[Row] = [*_pitch(), *_pauses(), *_syllables()]
    console.print(_table("Truth by construction", ("signal", "figure", "value"), rows))
    inventory = PhoneInventory.load("en-US")
    prompts = _prompts(options.prompts)
    started = time.process_time()
    for prompt in prompts:
        _profile(prompt, inventory)
    cost = (time.process_time() - started) / sum(p.audio.duration_s for p in prompts)
    console.print(f"Cost: {cost:.4f} of real time on {len(prompts)} native prompts.")
    rows = _stress(prompts, inventory)
    console.print(_table("Stress, native English prompts", ("asked", "words", "found"), rows))
    rows = _invariance(prompts[::10], inventory)
    console.print(
        _table("Median change of each measure", ("change of the recording", *MEASURES), rows)
    )
    if options.index:
        rows = [_language(path) for path in options.index]
        header: Row = ("index", "utterances", "syllables/s", "%V", "nPVI-V", "VarcoC")
        console.print(_table("Natives of each index, medians", header, rows))


def _table(title: str, header: Row, rows: list[Row]) -> Table:
    table = Table(*header, title=title)
    for row in rows:
        table.add_row(*row)
    return table


def _voice(f0_hz: Samples) -> NDArray[np.float32]:
    """A voice with the F0 of every sample: harmonics falling by 6 dB an octave up to 4 kHz."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE
    wave = sum(np.where(h * f0_hz < 4000, np.sin(h * phase) / h, 0.0) for h in range(1, 41))
    return np.asarray(0.3 * wave / np.abs(wave).max(), dtype=np.float32)


def _hush(seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(rng.normal(size=round(seconds * SAMPLE_RATE)) * 3e-4, dtype=np.float32)


def _pitch() -> list[Row]:
    rng = np.random.default_rng(SEED)
    slow = np.repeat(rng.normal(size=300), len(SECONDS) // 300)
    truths = {
        "steady, 80 Hz": np.full(len(SECONDS), 80.0),
        "steady, 350 Hz": np.full(len(SECONDS), 350.0),
        "sweep, 100–300 Hz": 100 * 3.0 ** (SECONDS / 3),
        "vibrato of a semitone at 5.5 Hz": 180 * 2 ** (np.sin(2 * np.pi * 5.5 * SECONDS) / 12),
        "jitter of 1 %": 120 * (1 + 0.01 * slow),
    }
    rows: list[Row] = []
    for name, truth in truths.items():
        pitch = track_pitch(Audio(_voice(truth)))
        own = truth[np.round(pitch.t_s * SAMPLE_RATE).astype(int)]
        error = (np.abs(pitch.f0_hz - own) / own)[pitch.voiced]
        told = f"{100 * np.median(error):.2f} %, {100 * np.mean(error > 0.2):.2f} %"
        told += f", {100 * np.mean(~pitch.voiced):.1f} %"
        rows.append((name, "F0 median error, gross errors, frames missed", told))
    return rows


def _pauses() -> list[Row]:
    """Voice with pauses of 250–1200 ms, and the farthest boundary from where it was put."""
    rng = np.random.default_rng(SEED)
    errors, missed, invented = [], 0, 0
    for _ in range(30):
        parts, known, at = [_hush(0.3, rng)], [], 0.3
        for turn in range(5):
            voiced, silent = 0.4 + 0.6 * rng.random(), 0.3 + 0.9 * rng.random()
            parts.append(_voice(np.full(round(voiced * SAMPLE_RATE), 100 + 150 * rng.random())))
            at += len(parts[-1]) / SAMPLE_RATE
            parts.append(_hush(silent, rng))
            if turn < 4:
                known.append((at, at + len(parts[-1]) / SAMPLE_RATE))
            at += len(parts[-1]) / SAMPLE_RATE
        found = find_pauses(track_intensity(Audio(np.concatenate(parts)))).spans
        missed += max(0, len(known) - len(found))
        invented += max(0, len(found) - len(known))
        if len(found) == len(known):
            errors += np.abs(np.array(found) - np.array(known)).ravel().tolist()
    told = f"{1000 * np.median(errors):.0f} ms, {1000 * max(errors):.0f} ms, {missed}, {invented}"
    return [("voice with 120 pauses", "boundary error median and largest, missed, invented", told)]


def _syllables() -> list[Row]:
    rng = np.random.default_rng(SEED)
    rows: list[Row] = []
    for rate in (2.5, 4.0, 6.0):
        t = np.arange(round(30 / rate * SAMPLE_RATE)) / SAMPLE_RATE
        level = 10 ** (-12 * (1 + np.cos(2 * np.pi * rate * t)) / 40)
        train = _voice(np.full(len(t), 140.0)) * level.astype(np.float32)
        audio = Audio(np.concatenate([_hush(0.3, rng), train, _hush(0.3, rng)]))
        nuclei = syllable_nuclei(audio, track_pitch(audio), track_intensity(audio))
        found = 1 / float(np.median(np.diff(nuclei)))
        rows.append(
            (
                f"train of 30 syllables, {rate:g} per second",
                "counted; error of the rate",
                f"{len(nuclei)}; {100 * abs(found - rate) / rate:.1f} %",
            )
        )
    return rows


def _prompts(count: int) -> list[Prompt]:
    pronouncer, aligner = Pronouncer("en-US"), load_aligner("pocketsphinx", "en-US")
    prompts = []
    for utterance in read_corpus("asterisk:en", language="en-US").utterances[:count]:
        audio = recording_of(utterance)
        try:
            alignment = aligner.align(audio, pronouncer.pronounce(utterance.text or ""))
        except NativeEarError:
            continue
        prompts.append(Prompt(utterance.text or "", audio, alignment))
    return prompts


def _profile(prompt: Prompt, inventory: PhoneInventory) -> ProsodyProfile:
    measured = measure_prosody(prompt.audio, prompt.alignment, inventory, prompt.text)
    return ProsodyProfile.of(measured, prompt.alignment.words)


def _stress(prompts: list[Prompt], inventory: PhoneInventory) -> list[Row]:
    nuclei = [_profile(prompt, inventory).nuclei for prompt in prompts]
    natural, moved = [], []
    for fold in range(FOLDS):
        model = StressModel.fit(own for i, own in enumerate(nuclei) if i % FOLDS != fold)
        if model is None:
            raise SystemExit("There are too few prompts to learn stress from.")
        for i in range(fold, len(prompts), FOLDS):
            for word in polysyllables(nuclei[i]):
                found = model.observe(word)
                natural.append(found.observed == found.expected)
                if len(word) != 2:
                    continue
                other = _moved(prompts[i], word[0].word, inventory)
                again = measure_prosody(other.audio, other.alignment, inventory).nuclei
                for same in polysyllables(again):
                    if same[0].word == word[0].word:
                        heard = model.observe(same)
                        moved.append(heard.observed != heard.expected)
    return [
        (
            "as spoken: stress where the lexicon has it",
            str(len(natural)),
            f"{np.mean(natural):.3f}",
        ),
        ("moved by resynthesis: stress elsewhere", str(len(moved)), f"{np.mean(moved):.3f}"),
    ]


def _moved(prompt: Prompt, number: int, inventory: PhoneInventory) -> Prompt:
    """The prompt with the other syllable of a word stressed.

    That vowel gets 1.6 times the length of the stressed one, 6 dB more, and 3 semitones above the
    median; the stressed one 0.7 times the other's length, 6 dB less, and a semitone below it.
    """
    import parselmouth
    from parselmouth.praat import call

    phones = list(prompt.alignment.phones)
    own = [i for i, p in enumerate(phones) if p.word_index == number]
    vowels = [i for i in own if inventory.is_syllabic(phones[i].phone)]
    stressed = next(i for i in vowels if phones[i].stress == 1)
    other = next(i for i in vowels if i != stressed)
    start_s, end_s = phones[own[0]].start_s, phones[own[-1]].end_s
    samples = prompt.audio.samples.astype(np.float64).copy()
    for i, gain_db in ((stressed, -6.0), (other, 6.0)):
        a, b = (round(t * SAMPLE_RATE) for t in (phones[i].start_s, phones[i].end_s))
        samples[a:b] *= 10 ** (gain_db / 20)
    lengths = {
        stressed: max(0.04, 0.7 * phones[other].duration_s) / phones[stressed].duration_s,
        other: 1.6 * phones[stressed].duration_s / phones[other].duration_s,
    }
    manipulation = call(parselmouth.Sound(samples, SAMPLE_RATE), "To Manipulation", 0.01, 75, 500)
    tier = call(manipulation, "Extract pitch tier")
    pitch = track_pitch(prompt.audio).median_hz
    call(tier, "Remove points between", start_s, end_s)
    for i, semitones in ((stressed, -1.0), (other, 3.0)):
        middle = (phones[i].start_s + phones[i].end_s) / 2
        call(tier, "Add point", middle, pitch * 2 ** (semitones / 12))
    call([tier, manipulation], "Replace pitch tier")
    durations = call("Create DurationTier", "moved", 0, prompt.audio.duration_s)
    for i, factor in lengths.items():
        for t, f in (
            (phones[i].start_s - 1e-4, 1.0),
            (phones[i].start_s, factor),
            (phones[i].end_s, factor),
            (phones[i].end_s + 1e-4, 1.0),
        ):
            call(durations, "Add point", t, f)
    call([durations, manipulation], "Replace duration tier")
    sound = call(manipulation, "Get resynthesis (overlap-add)")
    at, shifted = 0.0, []
    for i, phone in enumerate(phones):
        length_s = phone.duration_s * lengths.get(i, 1.0)
        shifted.append(replace(phone, start_s=at, end_s=at + length_s))
        at += length_s
    return Prompt(
        prompt.text,
        Audio(np.ascontiguousarray(sound.values[0], dtype=np.float32)),
        _from(prompt.alignment, shifted),
    )


def _from(alignment: Alignment, phones: list[AlignedPhone]) -> Alignment:
    return replace(alignment, phones=tuple(phones))


def _invariance(prompts: list[Prompt], inventory: PhoneInventory) -> list[Row]:
    rng = np.random.default_rng(SEED)

    def noisy(audio: Audio) -> Audio:
        noise = rng.normal(size=len(audio.samples))
        noise *= np.sqrt(np.mean(audio.samples**2)) / 10
        return Audio((audio.samples + noise).astype(np.float32))

    changes: dict[str, Callable[[Audio], Audio]] = {
        "20 dB softer": lambda audio: Audio(audio.samples * np.float32(0.1)),
        "MP3": _as_mp3,
        "noise 20 dB below": noisy,
    }
    plain = [_profile(prompt, inventory) for prompt in prompts]
    rows: list[Row] = []
    for name, change in changes.items():
        others = [_profile(replace(p, audio=change(p.audio)), inventory) for p in prompts]
        told = []
        for measure in MEASURES:
            pairs = [
                (getattr(a, measure), getattr(b, measure))
                for a, b in zip(plain, others, strict=True)
            ]
            known = [abs(b - a) for a, b in pairs if not np.isnan(a) and not np.isnan(b)]
            lost = sum(not np.isnan(a) and np.isnan(b) for a, b in pairs)
            median = f"{np.median(known):.3f}" if known else "none left"
            told.append(median + (f" ({lost} lost)" if lost else ""))
        rows.append((name, *told))
    return rows


def _as_mp3(audio: Audio) -> Audio:
    """Through MP3 as libsndfile writes it at its middle quality."""
    stream: Any = io.BytesIO()
    soundfile.write(stream, audio.samples, SAMPLE_RATE, format="MP3", subtype="MPEG_LAYER_III")
    decoded = Audio.load(stream.getvalue())
    return Audio(np.ascontiguousarray(decoded.samples[: len(audio.samples)]))


def _language(path: Path) -> tuple[str, ...]:
    index = PhoneIndex.open(path)
    natives = [profile for _, _, profile in profiles_of(index.prosody)]
    if not natives:
        return (index.name, "0", *["not kept"] * 4)

    def median(name: str) -> str:
        values = np.array([getattr(native, name) for native in natives])
        return "none" if np.isnan(values).all() else f"{np.nanmedian(values):.1f}"

    names = ("articulation_rate", "percent_v", "npvi_v", "varco_c")
    return (index.name, str(len(natives)), *(median(name) for name in names))


if __name__ == "__main__":
    main()
