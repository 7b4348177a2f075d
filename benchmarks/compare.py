"""How well a recording is held against natives' without any text.

    python -m benchmarks.compare --sentences 40 [--learners 25]

Natives of `../shared/data/native-english` read the same sentences. What is to be expected of
natives was chosen on SF1, SM1 and TM1; each of the others in turn is the one who is compared, with
another of these and none to four more. "natives alone" is without it, as where no index tells. Told
is which share of a native's own speech is called different (that of other natives is not to be),
which share of pieces is found that were cut out of another sentence of the same voice and put in,
and how much of another sentence is called different. No learners have read these sentences.

The second table is of what is told to be other words: of three natives each, and of learners of
`../shared/data/speechocean762-train`, so many of those whose speech experts marked lowest and of
those they marked high. No native has read their sentences, so espeak-ng says them in a native's
place, which is harder; it is held against natives, too. "another sentence" is to be told.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations, product
from pathlib import Path
from statistics import fmean

import numpy as np

import nativeear
from nativeear.scoring.comparison import Space, centred, compare
from nativeear.scoring.native_spread import BY_ENCODER, BY_INDEX, NativeSpread
from nativeear.speech.audio import Audio
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.steadying import steadied
from tests.support.synthesiser import Synthesiser

DATA = Path(__file__).parents[2] / "shared" / "data" / "native-english"
LEARNERS = DATA.parent / "speechocean762-train"
LEAST_WORDS = 4
RATE = 150
"""Words per minute of the synthesiser."""
PIECES_S = (0.1, 0.2, 0.3)
FADE_S = 0.008
CHOSE = ["SF1", "SM1", "TM1"]
OTHERS = (0, 1, 2, 4)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, default=DATA)
    options.add_argument("--sentences", type=int, default=40)
    options.add_argument("--learners", type=int, default=25, help="of each kind")
    asked = options.parse_args()
    with (asked.data / "utterances.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_text: dict[str, dict[str, Path]] = defaultdict(dict)
    for row in rows:
        by_text[row["text"]][row["speaker"]] = asked.data / row["audio"]
    voices = sorted({row["speaker"] for row in rows})
    texts = sorted(text for text, found in by_text.items() if len(found) == len(voices))
    texts = texts[:: max(1, len(texts) // asked.sentences)][: asked.sentences]
    assessor = nativeear.load("en-US")
    ear = assessor.encoder
    heard = {
        (text, voice): steadied(Audio.load(by_text[text][voice])).audio
        for text in texts
        for voice in voices
    }
    frames = {key: ear.encode(audio) for key, audio in heard.items()}
    rng = np.random.default_rng(0)
    spread = NativeSpread.of(assessor.index)
    ways: dict[str, tuple[Space, tuple[float, float] | None]] = {
        "encoder, natives alone": (centred, None),
        "encoder": (centred, BY_ENCODER),
        "en-US, natives alone": (assessor.index.transform, None),
        "en-US": (assessor.index.transform, BY_INDEX),
    }
    unheard = [voice for voice in voices if voice not in CHOSE]
    told: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for n, text in enumerate(texts):
        voice, *rest = np.roll(unheard, n).tolist()
        rest += CHOSE
        wrong = texts[(n + 1) % len(texts)]
        spliced = {}
        for piece_s in PIECES_S:
            audio, at_s = _spliced(heard[text, voice], heard[wrong, voice], piece_s, rng)
            spliced[piece_s] = (ear.encode(audio), at_s)
        for name, (space, factors) in ways.items():
            for others in OTHERS if factors else OTHERS[1:]:
                native, *more = (frames[text, each] for each in rest[: 1 + others])
                expected = None
                if factors is not None and spread is not None:
                    expected = spread.at(native.embeddings, factors)
                held = partial(compare, native=native, others=more, space=space, expected=expected)

                told[name, others, "native"].append(held(frames[text, voice]).different)
                told[name, others, "other text"].append(held(frames[wrong, voice]).different)
                for piece_s, (own, at_s) in spliced.items():
                    found = held(own).differences
                    hit = any(d.start_s < at_s + piece_s and d.end_s > at_s for d in found)
                    told[name, others, f"{1000 * piece_s:.0f} ms"].append(float(hit))
    columns = ("native", *(f"{1000 * piece_s:.0f} ms" for piece_s in PIECES_S), "other text")
    print(f"{len(texts)} sentences, {len(voices)} natives")
    print("| distances by | other natives | " + " | ".join(columns) + " |")
    for name, (_, factors) in ways.items():
        for others in OTHERS if factors else OTHERS[1:]:
            cells = (f"{np.mean(told[name, others, column]):.1%}" for column in columns)
            print(f"| {name} | {others} | " + " | ".join(cells) + " |")
    print("| pairs | | told to be other words |")
    for what, pairs in _pairs(texts, frames, ear, asked.learners).items():
        share = fmean(compare(*pair, [pair[1]]).other_words for pair in pairs)
        print(f"| {what} | {len(pairs)} | {share:.1%} |")


def _pairs(
    texts: list[str], frames: dict[tuple[str, str], Frames], ear: Encoder, learners: int
) -> dict[str, list[tuple[Frames, Frames]]]:
    """Recordings and those in a native's place, by who and what is held against what."""
    pairs: dict[str, list[tuple[Frames, Frames]]] = defaultdict(list)
    voice = Synthesiser()
    unheard = sorted({voice for _, voice in frames} - set(CHOSE))
    for n, text in enumerate(texts):
        said = _said(voice, text, ear)
        for names, (other, what) in product(
            (CHOSE, unheard), ((text, "same"), (texts[(n + 1) % len(texts)], "another"))
        ):
            group = f"{', '.join(names)}: {what} sentence"
            pairs[group] += [(frames[other, a], frames[text, b]) for a, b in permutations(names, 2)]
            pairs[f"{group} by espeak-ng"] += [(frames[other, name], said) for name in names]
    for kind, recordings in _learners(learners):
        heard = [ear.encode(steadied(Audio.load(path)).audio) for path, _ in recordings]
        natives = [_said(voice, text.lower(), ear) for _, text in recordings]
        for of, what in ((natives, "same"), (natives[1:] + natives[:1], "another")):
            pairs[f"learners marked {kind}: {what} sentence by espeak-ng"] += zip(
                heard, of, strict=True
            )
    return pairs


def _said(voice: Synthesiser, text: str, ear: Encoder) -> Frames:
    return ear.encode(steadied(voice.say(text, rate=RATE).audio).audio)


def _learners(count: int) -> Iterator[tuple[str, list[tuple[Path, str]]]]:
    """Recordings and texts of those whom experts marked lowest, and of the upper third."""
    if not LEARNERS.is_dir() or not count:
        return
    with (LEARNERS / "experts.jsonl").open(encoding="utf-8") as lines:
        marks = {told["id"]: fmean(told["total"]) for told in map(json.loads, lines)}
    with (LEARNERS / "utterances.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if len(row["text"].split()) >= LEAST_WORDS]
    rows.sort(key=lambda row: (marks[row["id"]], row["id"]))
    for kind, part in (("lowest", rows[: 8 * count]), ("high", rows[-len(rows) // 3 :])):
        step = max(1, len(part) // count)
        yield kind, [(LEARNERS / row["audio"], row["text"]) for row in part[::step][:count]]


def _spliced(
    audio: Audio, donor: Audio, piece_s: float, rng: np.random.Generator
) -> tuple[Audio, float]:
    """A recording with a loud piece of another in a loud place, and where that is, in seconds."""
    rate, size = audio.sample_rate, round(piece_s * audio.sample_rate)

    def loud_place(samples: np.ndarray) -> int:
        power = np.convolve(samples.astype(np.float64) ** 2, np.ones(size) / size, "valid")
        places = np.flatnonzero(power >= np.quantile(power, 0.5))
        return int(rng.choice(places))

    to, of = loud_place(audio.samples), loud_place(donor.samples)
    fade = round(FADE_S * rate)
    weight = np.minimum(1.0, np.minimum(np.arange(size), np.arange(size)[::-1]) / fade)
    samples = audio.samples.copy()
    own, other = samples[to : to + size], donor.samples[of : of + size]
    samples[to : to + size] = own * (1 - weight) + other * weight
    return replace(audio, samples=samples.astype(np.float32)), to / rate


if __name__ == "__main__":
    main()
