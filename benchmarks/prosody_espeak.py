"""Prosody of speech that espeak-ng synthesised, whose phones and pauses are known to the sample.

    python -m benchmarks.prosody_espeak [--sentences N] [--words N]

espeak-ng reports where every phone begins. Sentences with a pause at the comma, of which one half
are said high and one half low, each at three rates, are aligned and measured like any recording, by
their text alone; the rates and pauses found are compared with what was synthesised.
Pitch is asked for in espeak-ng's units, of which 50 are an octave, without its melody; a monotone
voice gets a constant number of Hz besides, so that what is known is where the middle of three
heights lies between the others. Stress is moved by giving espeak-ng a word's phones with the mark
on its other vowel; the quality of the vowels stays.
"""

from __future__ import annotations

import argparse
from html import escape

import numpy as np
from rich.console import Console

from benchmarks.prosody import MOVED_FOUND, STRESS_FOUND, Bench, open_bench, share, titled
from benchmarks.prosody_signals import MAX_EDGE_S, MAX_F0_ERROR, MAX_RATE_ERROR, Row, verdict
from nativeear.scoring.prosody.stress import polysyllables
from nativeear.speech.prosody.pitch import track_pitch
from tests.support.synthesiser import MONOTONE, Synthesiser

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


def main() -> None:
    """Synthesise, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sentences", type=int, default=len(SENTENCES))
    parser.add_argument("--words", type=int, default=len(WORDS.split()))
    options = parser.parse_args()
    bench, voice, console = open_bench(), Synthesiser(), Console(width=100)
    header: Row = ("said", "figure", "value", "")
    sentences = SENTENCES[: options.sentences]
    rows = [*_rates_and_pauses(bench, voice, sentences), _pitch(voice, sentences)]
    console.print(titled("Synthesised sentences", header, rows))
    header = ("asked", "words", "found", "")
    console.print(
        titled("Stress", header, _stress(bench, voice, tuple(WORDS.split()[: options.words])))
    )


def _rates_and_pauses(bench: Bench, voice: Synthesiser, sentences: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    edges: list[float] = []
    missed = invented = 0
    for rate in WORDS_PER_MINUTE:
        speaking: list[float] = []
        articulating: list[float] = []
        for number, sentence in enumerate(sentences):
            said = escape(sentence).replace(",", f',<break time="{BREAK_MS}ms"/>')
            spoken = voice.say(said, rate=rate, pitch=PITCHES[number % len(PITCHES)])
            prompt = bench.aligned(f"{rate}-{number}", spoken.audio, sentence)
            if prompt is None:
                missed += len(spoken.pauses)
                continue
            found = bench.measured(prompt)
            first, last = spoken.span_s
            silent = sum(end - start for start, end in spoken.pauses)
            count = spoken.syllables(bench.index.inventory)
            if found.syllables_per_s and found.articulation_rate:
                speaking.append(found.syllables_per_s / (count / (last - first)) - 1)
                articulating.append(found.articulation_rate / (count / (last - first - silent)) - 1)
            spans = found.pauses.spans if found.pauses else ()
            near = [
                [span for span in spans if span[0] < end and span[1] > start]
                for start, end in spoken.pauses
            ]
            missed += sum(not own for own in near)
            invented += len(spans) - sum(map(len, near))
            for (start, end), own in zip(spoken.pauses, near, strict=True):
                if own:
                    edges += [abs(own[0][0] - start), abs(own[-1][1] - end)]
        for name, errors in (("speaking", speaking), ("articulation", articulating)):
            middle = float(np.median(np.abs(errors)))
            worst = float(np.max(np.abs(errors)))
            rows.append(
                (
                    f"{len(errors)} sentences, {rate} words per minute",
                    f"{name} rate, median error, worst",
                    f"{100 * middle:.1f} %, {100 * worst:.1f} %",
                    verdict(middle <= MAX_RATE_ERROR),
                )
            )
    middle, most = float(np.median(edges)), float(np.max(edges))
    rows.append(
        (
            f"{len(edges) // 2 + missed} pauses at commas",
            "boundary error median and largest, missed, invented",
            f"{1000 * middle:.0f} ms, {1000 * most:.0f} ms, {missed}, {invented}",
            verdict(most <= MAX_EDGE_S and not missed and not invented),
        )
    )
    return rows


def _pitch(voice: Synthesiser, sentences: tuple[str, ...]) -> Row:
    """The middle one of three heights, foretold from the outer ones."""
    low, middle, high = (2 ** (height / UNITS_OF_OCTAVE) for height in HEIGHTS)
    errors = []
    for sentence in sentences:
        bottom, found, top = (
            track_pitch(voice.say(escape(sentence), pitch=height, melody=MONOTONE).audio).median_hz
            for height in HEIGHTS
        )
        foretold = bottom + (top - bottom) * (middle - low) / (high - low)
        errors.append(abs(found / foretold - 1))
    error = float(np.median(errors))
    return (
        f"{len(errors)} sentences at heights {', '.join(map(str, HEIGHTS))}",
        "median F0 of the middle height, median error, worst",
        f"{100 * error:.2f} %, {100 * max(errors):.2f} %",
        verdict(error <= MAX_F0_ERROR),
    )


def _stress(bench: Bench, voice: Synthesiser, words: tuple[str, ...]) -> list[Row]:
    """Words of two syllables as espeak-ng stresses them, and with the stress on the other."""
    model = bench.natives.stress
    if model is None:
        raise SystemExit("The index has too few words to learn stress from.")
    told: dict[bool, list[bool]] = {False: [], True: []}
    for word in words:
        places = voice.phones(word)
        vowels = [i for i, phone in enumerate(places) if phone.strip("',%=")[:1] in VOWELS]
        marked = [n for n, i in enumerate(vowels) if places[i].startswith("'")]
        if len(vowels) != 2 or len(marked) != 1:
            continue
        for moved in (False, True):
            stressed = 1 - marked[0] if moved else marked[0]
            bare = [phone.strip("',%=") for phone in places]
            bare[vowels[stressed]] = "'" + bare[vowels[stressed]]
            spoken = voice.say(f"{CARRIER[0]}[[{'|'.join(bare)}]]{CARRIER[1]}")
            prompt = bench.aligned(word, spoken.audio, word.join(CARRIER))
            number = len(CARRIER[0].split())
            found = prompt and polysyllables(bench.nuclei(prompt))
            for one in found or ():
                if one[0].word == number and len(one) == 2:
                    told[moved].append(model.observe(one).observed == stressed)
    return [
        share("as espeak-ng stresses it: found there", told[False], STRESS_FOUND),
        share("the mark on the other vowel: found there", told[True], MOVED_FOUND),
    ]


if __name__ == "__main__":
    main()
