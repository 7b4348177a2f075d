"""Prosody: known signals, resynthesised speech, native stress and melody, invariance, rhythm, cost.

    python -m benchmarks.prosody [--prompts N] [--sentences N] [--languages TAG …]
                                 [--aligner NAME]

Pitch, pauses and syllables are measured on signals whose truth is by construction, and on Debian's
native English prompts after Praat has changed their rate, pitch, pauses, stress or ending. Stress
is learnt from one half of the index's native utterances and asked of the other, both ways; the six
speakers of `../shared/data/native-english`, whom the index has never heard, are asked too where
that folder is. Every figure with an aim or a tolerance is followed by pass or MISS.
`--languages` adds the rhythm of languages, see `benchmarks.prosody_languages`.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.prosody_languages import LANGUAGES, rhythm_tables
from benchmarks.prosody_resynthesis import Prompt, at_pitch, at_rate, with_ending, with_moved_stress
from benchmarks.prosody_signals import (
    MAX_EDGE_S,
    MAX_F0_ERROR,
    MAX_RATE_ERROR,
    SEED,
    Row,
    pause_rows,
    pitch_rows,
    syllable_rows,
    verdict,
)
from benchmarks.speech_data import CACHE, DATA
from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.utterances import recording_of
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.evidence import lay
from nativeear.scoring.prosody.intonation import judge_intonation
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.scoring.prosody.stress import StressModel, polysyllables
from nativeear.speech.aligners.catalogue import load_aligner
from nativeear.speech.alignment import Aligner
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.errors import NativeEarError
from nativeear.speech.frames import Encoder
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.prosody.contour import sentence_type
from nativeear.speech.prosody.measurement import ProsodyMeasurement, measure_prosody
from nativeear.speech.prosody.profile import ProsodyProfile
from nativeear.speech.prosody.stress import Syllable
from tests.support.treatments import mp3, noisy

STRESS_FOUND, MOVED_FOUND, MAX_COST = 0.85, 0.80, 0.05
SOFT_PEAK = 0.09
PAUSE_S = 0.6
ENDING_SEMITONES = 6.0
NOBODY = Exclusion()
PROMPTS = "asterisk-en"
"""The corpus of the prompts, as indexes name it."""
ALIGNER = "pocketsphinx"
"""What `auto` takes for English."""

RESONANT = frozenset({"vowel", "diphthong", "nasal", "liquid", "glide"})

TOLERANCES = {
    "articulation_rate": 0.2,
    "pause_ratio": 0.02,
    "npvi_v": 5.0,
    "percent_v": 2.0,
    "varco_c": 5.0,
    "median_hz": 2.0,
    "range_semitones": 0.5,
    "final_slope": 3.0,
}
"""Median change that a measure may show when only the recording's level, coding or noise changes:
chosen, not fitted. Hz and semitones are of the voice, slopes in semitones per second."""


@dataclass(frozen=True, eq=False)
class Bench:
    """What the measurements share."""

    index: PhoneIndex
    natives: NativeProsody
    encoder: Encoder
    aligner: Aligner
    pronouncer: Pronouncer

    def aligned(self, id: str, audio: Audio, text: str) -> Prompt | None:
        """The recording with its phones; None where they cannot be laid on it."""
        try:
            frames = self.encoder.encode(audio)
            meant = self.pronouncer.pronounce(text)
            laid = lay(self.aligner, audio, meant, frames, self.index.inventory)
        except NativeEarError:
            return None
        return Prompt(id, text, audio, laid.relaid)

    def measured(self, prompt: Prompt) -> ProsodyMeasurement:
        """Its prosody, by the alignment that it has."""
        return measure_prosody(prompt.audio, prompt.alignment, self.index.inventory, prompt.text)

    def profile(self, prompt: Prompt) -> ProsodyProfile:
        """The same in flat numbers."""
        return ProsodyProfile.of(self.measured(prompt), prompt.alignment.words)

    def nuclei(self, prompt: Prompt) -> tuple[Syllable, ...]:
        """Its nuclei as an assessment has them, its own exemplars left out."""
        own = Exclusion(utterances=frozenset({(PROMPTS, prompt.id)}))
        frames = self.encoder.encode(prompt.audio)
        nuclei = self.measured(prompt).nuclei
        return self.natives.listened(nuclei, frames, prompt.alignment, own)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prompts", type=int, default=100, help="prompts that are resynthesised")
    parser.add_argument("--sentences", type=int, default=20, help="of each unheard speaker")
    parser.add_argument("--languages", nargs="*", choices=list(LANGUAGES), default=[])
    parser.add_argument("--utterances", type=int, default=150, help="of each language")
    parser.add_argument("--cache", type=Path, default=CACHE / "prosody_languages")
    parser.add_argument("--aligner", default=ALIGNER)
    options = parser.parse_args()
    console = Console(width=100)
    header: Row = ("signal", "figure", "value", "")
    console.print(titled("Known signals", header, [*pitch_rows(), *pause_rows(), *syllable_rows()]))
    bench = open_bench(options.aligner)
    prompts = list(_prompts(bench, options.prompts))
    console.print(titled("Changed native prompts", header, _changed(bench, prompts)))
    speakers = list(_unheard(bench, options.sentences))
    rows = [*_stress(bench, prompts), *_unheard_stress(bench, speakers)]
    console.print(titled("Stress", ("asked", "words", "found", ""), rows))
    rows = _endings(bench, prompts, speakers)
    console.print(titled("Does the ending fit?", ("asked", "sentences", "by", "fits"), rows))
    header = ("change", *(f"{name} ≤ {most:g}" for name, most in TOLERANCES.items()))
    rows = _invariance(bench, prompts)
    console.print(titled("Median change when aligned and measured again", header, rows))
    console.print(_cost(bench, prompts))
    if options.languages:
        for table in rhythm_tables(options.languages, options.utterances, options.cache):
            console.print(table)


def titled(title: str, header: Row, rows: list[Row]) -> Table:
    table = Table(*header, title=title)
    for row in rows:
        table.add_row(*row)
    return table


def open_bench(aligner: str = ALIGNER) -> Bench:
    index = PhoneIndex.open(find_index("en-US"))
    return Bench(
        index,
        NativeProsody(index),
        load_encoder(
            index.manifest.encoder.name,
            layer=index.manifest.encoder.layer,
            dtype=index.manifest.encoder.dtype,
        ),
        load_aligner(aligner, "en-US"),
        Pronouncer("en-US"),
    )


def _prompts(bench: Bench, count: int) -> Iterator[Prompt]:
    """Prompts of the index, evenly spread."""
    utterances = read_corpus("asterisk:en", language="en-US").utterances
    for utterance in utterances[:: max(1, len(utterances) // count)][:count]:
        found = bench.aligned(utterance.id, recording_of(utterance), utterance.text or "")
        if found is not None:
            yield found


def _unheard(bench: Bench, count: int) -> Iterator[Prompt]:
    """Sentences of speakers whom the index has not heard; none where the folder is not there.

    The last ones of each, and all questions: the rule for endings was chosen on the first ones.
    """
    folder = DATA / "native-english"
    if not folder.is_dir():
        return
    with (folder / "utterances.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for speaker in sorted({row["speaker"] for row in rows}):
        own = [row for row in rows if row["speaker"] == speaker]
        asked = [row for row in own[:-count] if row["text"].rstrip().endswith("?")]
        for row in [*asked, *own[-count:]]:
            found = bench.aligned(row["id"], Audio.load(folder / row["audio"]), row["text"])
            if found is not None:
                yield found


def _changed(bench: Bench, prompts: list[Prompt]) -> list[Row]:
    rows: list[Row] = []
    own = [bench.profile(prompt) for prompt in prompts]
    for factor in (0.8, 1.25):
        errors = []
        for prompt, before in zip(prompts, own, strict=True):
            again = bench.aligned(prompt.id, at_rate(prompt.audio, factor), prompt.text)
            if again is not None:
                after = bench.profile(again).articulation_rate
                errors.append(abs(after / before.articulation_rate / factor - 1))
        error = float(np.nanmedian(errors))
        rows.append(
            (
                f"{factor:g} times as fast",
                "articulation rate, median error",
                f"{100 * error:.1f} %",
                verdict(error <= MAX_RATE_ERROR),
            )
        )
    for semitones in (-3.0, 4.0):
        shifted = [replace(p, audio=at_pitch(p.audio, semitones)) for p in prompts]
        ratios = np.array(
            [
                bench.profile(p).median_hz / before.median_hz
                for p, before in zip(shifted, own, strict=True)
            ]
        )
        error = float(np.nanmedian(np.abs(ratios / 2 ** (semitones / 12) - 1)))
        rows.append(
            (
                f"{semitones:+g} semitones",
                "median F0, median error",
                f"{100 * error:.2f} %",
                verdict(error <= MAX_F0_ERROR),
            )
        )
    return [*rows, _inserted_pauses(bench, prompts)]


def _inserted_pauses(bench: Bench, prompts: list[Prompt]) -> Row:
    """A pause between two words that were spoken without one, and where it is found.

    Only between resonant sounds: a stop or a fricative beside it is quiet itself.
    """
    inventory = bench.index.inventory
    rng = np.random.default_rng(SEED)
    errors, missed = [], 0
    for prompt in prompts:
        joints = [
            b.start_s
            for a, b in zip(prompt.alignment.phones, prompt.alignment.phones[1:], strict=False)
            if a.word_index != b.word_index
            and not a.is_silence
            and not b.is_silence
            and {inventory.phone(a.phone).kind, inventory.phone(b.phone).kind} <= RESONANT
        ]
        if not joints:
            continue
        at_s = joints[len(joints) // 2]
        at = round(at_s * SAMPLE_RATE)
        hush = (rng.normal(size=round(PAUSE_S * SAMPLE_RATE)) * 1e-4).astype(np.float32)
        samples = np.concatenate([prompt.audio.samples[:at], hush, prompt.audio.samples[at:]])
        again = bench.aligned(prompt.id, Audio(samples), prompt.text)
        pauses = again and bench.measured(again).pauses
        near = [s for s in pauses.spans if s[0] < at_s + PAUSE_S and s[1] > at_s] if pauses else []
        if near:
            errors += [abs(near[0][0] - at_s), abs(near[0][1] - at_s - PAUSE_S)]
        else:
            missed += 1
    middle, most = float(np.median(errors)), float(np.quantile(errors, 0.95))
    return (
        f"{len(errors) // 2 + missed} pauses of {1000 * PAUSE_S:.0f} ms put between words",
        "boundary error median and 95th percentile, missed",
        f"{1000 * middle:.0f} ms, {1000 * most:.0f} ms, {missed}",
        verdict(middle <= MAX_EDGE_S and not missed),
    )


def _stress(bench: Bench, prompts: list[Prompt]) -> list[Row]:
    """Learnt from one half of the native utterances, asked of the other, both ways."""
    names = bench.index.prosody.column("utterance").to_pylist()
    half = {name: i % 2 for i, name in enumerate(names)}
    nuclei = bench.natives.nuclei
    models = []
    for own in (0, 1):
        model = StressModel.fit(n for i, n in enumerate(nuclei) if i % 2 != own)
        if model is None:
            raise SystemExit("The index has too few words to learn stress from.")
        models.append(model)
    natural = [
        model.observe(word)
        for own, model in enumerate(models)
        for utterance in nuclei[own::2]
        for word in polysyllables(utterance)
    ]
    moved = []
    for prompt in prompts:
        model = models[half.get(prompt.id, 0)]
        for word in polysyllables(bench.measured(prompt).nuclei):
            if len(word) == 2:
                other = with_moved_stress(prompt, word[0].word, bench.index.inventory)
                again = polysyllables(bench.nuclei(other))
                moved += [model.observe(w) for w in again if w[0].word == word[0].word]
    return [
        share(
            "the index's speaker, as spoken: stress where the lexicon has it",
            [one.observed == one.expected for one in natural],
            STRESS_FOUND,
        ),
        share(
            "moved by resynthesis: stress elsewhere",
            [one.observed != one.expected for one in moved],
            MOVED_FOUND,
        ),
    ]


def _unheard_stress(bench: Bench, speakers: list[Prompt]) -> list[Row]:
    model = bench.natives.stress
    if model is None or not speakers:
        return []
    found = [
        model.observe(word) for prompt in speakers for word in polysyllables(bench.nuclei(prompt))
    ]
    asked = "six speakers whom the index has not heard, as spoken"
    return [share(asked, [one.observed == one.expected for one in found], STRESS_FOUND)]


def share(asked: str, found: list[bool], aim: float) -> Row:
    share = float(np.mean(found))
    return asked, str(len(found)), f"{share:.3f}", verdict(share >= aim)


def _endings(bench: Bench, prompts: list[Prompt], speakers: list[Prompt]) -> list[Row]:
    """How often an ending is found to fit, as spoken and after resynthesis."""
    stated = [p for p in (*speakers, *prompts[::2]) if not p.text.rstrip().endswith("?")]
    asked = [p for p in speakers if p.text.rstrip().endswith("?")]
    kinds = {p.id: sentence_type(p.text, "en-US") for p in asked}
    rising = [(p, with_ending(p, ENDING_SEMITONES)) for p in stated]
    falling = [(p, with_ending(p, -ENDING_SEMITONES)) for p in stated]
    cases: dict[str, list[tuple[Prompt, str]]] = {
        "statements of unheard speakers, as spoken": [(p, ".") for p in stated if p in speakers],
        "yes–no questions of unheard speakers, as spoken": [
            (p, "?") for p in asked if kinds[p.id] == "yes_no_question"
        ],
        "wh-questions of unheard speakers, as spoken": [
            (p, "?") for p in asked if kinds[p.id] == "wh_question"
        ],
        "statements made to rise": [(replace(p, audio=a), ".") for p, a in rising if a],
        "the same, written as yes–no questions": [
            (replace(p, audio=a), "?") for p, a in rising if a
        ],
        "statements made to fall, written as yes–no questions": [
            (replace(p, audio=a), "?") for p, a in falling if a
        ],
    }
    rows: list[Row] = []
    for name, pairs in cases.items():
        verdicts: dict[str, list[bool]] = {}
        for prompt, mark in pairs:
            text = prompt.text.rstrip(" .!?") + mark
            own = bench.profile(replace(prompt, text=text))
            found = judge_intonation(own, text, "en-US", bench.natives, NOBODY)
            if found is not None and found.fits is not None and found.judged_by is not None:
                verdicts.setdefault(found.judged_by, []).append(found.fits)
        for by, fits in verdicts.items():
            rows.append((name, str(len(fits)), by, f"{np.mean(fits):.3f}"))
    return rows


def _invariance(bench: Bench, prompts: list[Prompt]) -> list[Row]:
    rng = np.random.default_rng(SEED)

    changes: dict[str, Callable[[Audio], Audio]] = {
        "20 dB softer": lambda audio: Audio(audio.samples * np.float32(0.1)),
        "20 dB louder": lambda audio: Audio(audio.samples * np.float32(10)),
        "MP3, 64 kbit/s": mp3,
        "noise 20 dB below": lambda audio: noisy(audio, 20.0, rng),
    }
    # So soft that 20 dB more do not clip.
    soft = [bench.aligned(p.id, _at_peak(p.audio, SOFT_PEAK), p.text) for p in prompts]
    prompts = [prompt for prompt in soft if prompt is not None]
    plain = [bench.profile(prompt) for prompt in prompts]
    rows: list[Row] = []
    for name, change in changes.items():
        others = [bench.aligned(p.id, change(p.audio), p.text) for p in prompts]
        again = [other and bench.profile(other) for other in others]
        told = []
        for measure, most in TOLERANCES.items():
            pairs = [
                (getattr(a, measure), getattr(b, measure) if b else float("nan"))
                for a, b in zip(plain, again, strict=True)
            ]
            known = [abs(b - a) for a, b in pairs if not np.isnan(a) and not np.isnan(b)]
            lost = sum(not np.isnan(a) and np.isnan(b) for a, b in pairs)
            middle = float(np.median(known)) if known else float("inf")
            told.append(
                f"{middle:.2f} {verdict(middle <= most)}" + (f", {lost} lost" if lost else "")
            )
        rows.append((name, *told))
    return rows


def _at_peak(audio: Audio, peak: float) -> Audio:
    return Audio((audio.samples * (peak / np.abs(audio.samples).max())).astype(np.float32))


def _cost(bench: Bench, prompts: list[Prompt]) -> str:
    """Processor time of what prosody adds to an assessment, in real time."""
    model = bench.natives.stress
    frames = [bench.encoder.encode(prompt.audio) for prompt in prompts]
    bench.natives.without(NOBODY)
    started = time.process_time()
    for prompt, own in zip(prompts, frames, strict=True):
        nuclei = bench.natives.listened(
            bench.measured(prompt).nuclei, own, prompt.alignment, NOBODY
        )
        for word in polysyllables(nuclei):
            if model is not None:
                model.observe(word)
    cost = (time.process_time() - started) / sum(p.audio.duration_s for p in prompts)
    return (
        f"Cost: {cost:.4f} of real time on {len(prompts)} prompts, aligned and encoded before; "
        f"{verdict(cost <= MAX_COST)}."
    )


if __name__ == "__main__":
    main()
