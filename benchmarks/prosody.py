"""Prosody where the truth is known: signals, synthesised speech, natives' stress and melody.

    python -m benchmarks.prosody [--sentences 15] [--words 30]

Pitch, pauses and syllables are measured on signals whose truth is by construction. espeak-ng says
sentences with a pause at the comma, half of them high and half low, each at three rates, and words
with the stress where it belongs and on the other vowel; it reports where every phone begins, and
they are aligned and measured like any recording, by their text alone. Pitch is asked for in its
units, of which 50 are an octave, by a monotone voice: known is where the middle of three heights
lies between the others.

Stress is learnt from one half of the index's native utterances and asked of the other, both ways;
then the six speakers of `native-english`, whom the index has never heard, are asked for their
stress, for the endings of their sentences, and for what changes when only level, coding or noise
does. Every figure with an aim or a tolerance is followed by pass or MISS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

import nativeear
from benchmarks.prosody_signals import (
    MAX_F0_ERROR,
    MAX_RATE_ERROR,
    SEED,
    Row,
    known_pauses,
    known_pitch,
    known_syllables,
    of_pauses,
    verdict,
)
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import DATA, rows_of
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.scoring.prosody.stress import StressModel, polysyllables
from nativeear.speech.audio import Audio
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.pauses import find_pauses
from nativeear.speech.prosody.pitch import track_pitch
from tests.support.synthesiser import MONOTONE, Synthesiser
from tests.support.treatments import mp3, noisy

STRESS_FOUND, MOVED_FOUND = 0.85, 0.80
SOFT_PEAK = 0.09
"""So soft that 20 dB more do not clip."""
TOLERANCES = {
    "articulation_rate": 0.2, "pause_ratio": 0.02, "npvi_v": 5.0, "percent_v": 2.0, "varco_c": 5.0,
    "median_hz": 2.0, "range_semitones": 0.5, "final_slope_semitones_per_s": 3.0,
}  # fmt: skip
"""Median change that a measure may show when only the recording's level, coding or noise changes:
chosen, not fitted."""

WORDS_PER_MINUTE = (130, 175, 220)
PITCHES = (40, 65)
HEIGHTS = (20, 60, 90)
UNITS_OF_OCTAVE = 50
BREAK_MS = 450
SENTENCES = (
    "When the rain had stopped, the children went into the garden.",
    "After a long and busy morning, my brother wanted a little water.",
    "If you have any questions, please ask the woman at the window.",
    "Before the second meeting, nobody had seen the new machine.",
    "In the middle of the city, there is a very old museum.",
    "Because the river was so high, we could not find the road.",
    "On a cold day in winter, the family moved to another village.",
    "As soon as he had eaten, the doctor returned to the hospital.",
)
WORDS = (
    "record insult permit import export window nation contract object subject present project "
    "hotel begin arrive believe garden number music control product profile concert transport "
    "machine guitar program complain perfume police"
)
CARRIER = ("She said ", " to me again.")
VOWELS = frozenset("aAeEiIoOuUV03@")
"""First letters of the names that espeak-ng gives to English vowels."""


def said_rates(ear: nativeear.Assessor, speaker: Synthesiser) -> Iterator[Row]:
    """Rates, and pauses at commas, of synthesised sentences."""
    edges: list[float] = []
    missed = invented = 0
    for rate in WORDS_PER_MINUTE:
        errors: dict[str, list[float]] = {"speaking": [], "articulation": []}
        for number, sentence in enumerate(SENTENCES):
            said = escape(sentence).replace(",", f',<break time="{BREAK_MS}ms"/>')
            spoken = speaker.say(said, rate=rate, pitch=PITCHES[number % len(PITCHES)])
            found = ear.assess(spoken.audio, sentence).fluency
            first, last = spoken.span_s
            silent = sum(end - start for start, end in spoken.pauses)
            count = spoken.syllables(ear.index.inventory)
            if found and found.syllables_per_s and found.articulation_rate:
                lasted = last - first
                errors["speaking"].append(found.syllables_per_s / (count / lasted) - 1)
                true = count / (lasted - silent)
                errors["articulation"].append(found.articulation_rate / true - 1)
            spans = find_pauses(track_intensity(spoken.audio), spoken.span_s).spans
            near = [[s for s in spans if s[0] < b and s[1] > a] for a, b in spoken.pauses]
            missed += sum(not own for own in near)
            invented += len(spans) - sum(map(len, near))
            for (start, end), own in zip(spoken.pauses, near, strict=True):
                if own:
                    edges += [abs(own[0][0] - start), abs(own[-1][1] - end)]
        for name, found_errors in errors.items():
            middle, worst = np.median(np.abs(found_errors)), np.max(np.abs(found_errors))
            what = f"{len(found_errors)} sentences, {rate} words per minute"
            kept = verdict(bool(middle <= MAX_RATE_ERROR))
            yield what, f"{name} rate, median error, worst", f"{middle:.1%}, {worst:.1%}", kept
    yield of_pauses(f"{len(edges) // 2 + missed} pauses at commas", edges, missed, invented)


def said_heights(speaker: Synthesiser) -> Row:
    """The middle one of three heights, foretold from the outer ones."""
    low, middle, high = (2 ** (height / UNITS_OF_OCTAVE) for height in HEIGHTS)
    errors = []
    for sentence in SENTENCES:
        bottom, found, top = (
            track_pitch(speaker.say(escape(sentence), pitch=h, melody=MONOTONE).audio).median_hz
            for h in HEIGHTS
        )
        foretold = bottom + (top - bottom) * (middle - low) / (high - low)
        errors.append(abs(found / foretold - 1))
    error = float(np.median(errors))
    name = f"{len(errors)} sentences at heights {', '.join(map(str, HEIGHTS))}"
    told = f"{error:.2%}, {max(errors):.2%}"
    figure = "median F0 of the middle height, median error, worst"
    return name, figure, told, verdict(error <= MAX_F0_ERROR)


def share(asked: str, found: list[bool], aim: float) -> Row:
    """How often stress was found where it should be."""
    share = float(np.mean(found)) if found else float("nan")
    return asked, str(len(found)), f"{share:.3f}", verdict(share >= aim)


def said_stress(ear: nativeear.Assessor, speaker: Synthesiser, words: list[str]) -> Iterator[Row]:
    """Words of two syllables as espeak-ng stresses them, and with the stress on the other."""
    told: dict[bool, list[bool]] = {False: [], True: []}
    for word in words:
        places = speaker.phones(word)
        vowels = [i for i, phone in enumerate(places) if phone.strip("',%=")[:1] in VOWELS]
        marked = [n for n, i in enumerate(vowels) if places[i].startswith("'")]
        if len(vowels) != 2 or len(marked) != 1:
            continue
        for moved in (False, True):
            stressed = 1 - marked[0] if moved else marked[0]
            bare = [phone.strip("',%=") for phone in places]
            bare[vowels[stressed]] = "'" + bare[vowels[stressed]]
            spoken = speaker.say(f"{CARRIER[0]}[[{'|'.join(bare)}]]{CARRIER[1]}")
            result = ear.assess(spoken.audio, word.join(CARRIER))
            stress = result.words[len(CARRIER[0].split())].stress
            if stress and stress.observed is not None:
                told[moved].append(stress.observed == stressed)
    yield share("espeak-ng, as it stresses: found there", told[False], STRESS_FOUND)
    yield share("espeak-ng, the mark on the other vowel: found there", told[True], MOVED_FOUND)


def natives_of_the_index(ear: nativeear.Assessor) -> Row:
    """Learnt from one half of the native utterances, asked of the other, both ways."""
    nuclei = NativeProsody(ear.index).nuclei
    found = []
    for own in (0, 1):
        model = StressModel.fit(n for i, n in enumerate(nuclei) if i % 2 != own)
        if model is None:
            raise SystemExit("The index has too few words to learn stress from.")
        seen = [model.observe(word) for u in nuclei[own::2] for word in polysyllables(u)]
        found += [one.observed == one.expected for one in seen]
    return share("the index's natives: where the lexicon has it", found, STRESS_FOUND)


CHANGES: dict[str, Callable[[Audio], Audio]] = {
    "20 dB softer": lambda audio: Audio(audio.samples * np.float32(0.1)),
    "20 dB louder": lambda audio: Audio(audio.samples * np.float32(10)),
    "MP3, 64 kbit/s": mp3,
    "noise 20 dB below": lambda audio: noisy(audio, 20.0, np.random.default_rng(SEED)),
}


@dataclass(frozen=True)
class Native:
    """A sentence of a native whom the index has not heard."""

    text: str
    audio: Audio
    result: nativeear.Assessment


def unheard(ear: nativeear.Assessor, count: int) -> list[Native]:
    """The last sentences of each speaker, and all questions.

    The rule for endings was chosen on the first ones, with the questions in view.
    """
    rows = rows_of(DATA / "native-english")
    found = []
    for speaker in sorted({row["speaker"] for row in rows}):
        own = [row for row in rows if row["speaker"] == speaker]
        asked = [row for row in own[:-count] if row["text"].rstrip().endswith("?")]
        for row in [*asked, *own[-count:]]:
            audio = Audio.load(row["audio"])
            found.append(Native(row["text"], audio, ear.assess(audio, row["text"])))
    return found


def unheard_stress(natives: list[Native]) -> Row:
    """Stress of natives whom the index has not heard."""
    stress = [word.stress for native in natives for word in native.result.words if word.stress]
    found = [one.observed == one.expected for one in stress if one.observed is not None]
    return share("six natives whom the index has not heard", found, STRESS_FOUND)


def endings(natives: list[Native]) -> Iterator[Row]:
    """How often the ending of a sentence is found to fit."""
    fits: dict[tuple[str, str], list[bool]] = {}
    for native in natives:
        told = native.result.prosody
        if told and told.intonation and told.intonation.fits is not None:
            key = told.sentence_type or "", told.intonation.judged_by or ""
            fits.setdefault(key, []).append(told.intonation.fits)
    for (kind, by), found in sorted(fits.items()):
        yield kind, str(len(found)), by, f"{np.mean(found):.3f}"


def measures(result: nativeear.Assessment) -> list[float]:
    """What `TOLERANCES` names; NaN for what was not measured."""
    found = result.fluency.model_dump() if result.fluency else {}
    found |= {"pause_ratio": (found.get("pauses") or {}).get("ratio")}
    found |= result.prosody.f0.model_dump() if result.prosody and result.prosody.f0 else {}
    return [np.nan if found.get(name) is None else found[name] for name in TOLERANCES]


def invariance(ear: nativeear.Assessor, natives: list[Native]) -> Iterator[tuple[str, ...]]:
    """Median change of each measure when the recording changes and not the speech."""
    soft = [
        Audio(native.audio.samples * (SOFT_PEAK / np.abs(native.audio.samples).max()))
        for native in natives
    ]
    texts = [native.text for native in natives]
    plain = np.array([measures(ear.assess(a, t)) for a, t in zip(soft, texts, strict=True)])
    moved = []
    for change in CHANGES.values():
        after = [measures(ear.assess(change(a), t)) for a, t in zip(soft, texts, strict=True)]
        moved.append(np.nanmedian(np.abs(np.array(after) - plain), axis=0))
    for column, (name, most) in enumerate(TOLERANCES.items()):
        told = (f"{change[column]:.2f} {verdict(change[column] <= most)}" for change in moved)
        yield name, f"{most:g}", *told


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--sentences", type=int, default=15, help="of each unheard speaker")
    parser.add_argument("--words", type=int, default=30, help="that espeak-ng says")
    options = parser.parse_args()
    header = ("signal", "figure", "value", "")
    show("Known signals", header, [*known_pitch(), known_pauses(), *known_syllables()])
    ear, speaker = nativeear.load("en-US"), Synthesiser()
    rows = [*said_rates(ear, speaker), said_heights(speaker)]
    show("Synthesised sentences", header, rows)
    natives = unheard(ear, options.sentences)
    rows = list(said_stress(ear, speaker, WORDS.split()[: options.words]))
    rows += [natives_of_the_index(ear), unheard_stress(natives)]
    show("Stress", ("asked", "words", "found", ""), rows)
    show("Does the ending fit?", ("asked", "sentences", "by", "fits"), endings(natives))
    changes = ("measure", "tolerance", *CHANGES)
    show("Median change when aligned and measured again", changes, invariance(ear, natives))


if __name__ == "__main__":
    main()
