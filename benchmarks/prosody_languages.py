"""Rhythm and rate of the five languages of Debian's prompts beside published values.

    python -m benchmarks.prosody_languages [--languages en es fr it ru] [--utterances N]
                                           [--encoder NAME] [--indexes DIR …]

One native speaker each reads telephone prompts. All five are aligned by the same means, an aligner
learnt from the very prompts, so that no language has a better one; the TextGrids are kept under
`.work/` and not made again. The longest prompts are taken, for rhythm is of sentences. `least`
is the share of vowels with the least length that the aligner can give, `long` of those beyond
300 ms, which have swallowed a pause or a neighbour: what rhythm they had is lost. Another encoder
(`spectral` has frames of 10 ms, the default one of 20 ms) makes another floor, and shows what of
the figures is the floor's. `--indexes` takes the longest utterances of built indexes instead, as
whatever aligned them has left them.

Published, and found again in other texts that cite it: nPVI-V of Grabe and Low (Laboratory
Phonology 7, 2002; English is British), VarcoV of White and Mattys (2007; English is southern
British, Spanish Castilian). What could not be found again is left out: %V and ΔC of Ramus, Nespor
and Mehler (Cognition 73, 1999), rPVI-C of Grabe and Low, VarcoV of French, anything of Italian and
Russian. That %V is lower and nPVI-V higher in stress-timed languages is what these papers find.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.speech_data import CACHE, write_table
from nativeear.indexer.aligning import AligningRequest, align_corpora
from nativeear.indexer.corpus import read_corpus
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.prosody import profiles_of
from nativeear.speech.aligners.textgrid import read_alignment
from nativeear.speech.alignment import Alignment
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.pauses import MIN_PAUSE_S
from nativeear.speech.prosody.rhythm import measure_rhythm

LANGUAGES = {"en": "en-US", "es": "es", "fr": "fr", "it": "it", "ru": "ru"}
MEASURES = ("percent_v", "npvi_v", "varco_v", "rpvi_c", "delta_c")
PUBLISHED: dict[str, dict[str, float]] = {
    "en": {"npvi_v": 57.2, "varco_v": 64},
    "es": {"npvi_v": 29.7, "varco_v": 41},
    "fr": {"npvi_v": 43.5},
    "it": {},
    "ru": {},
}
STRESS_TIMED, SYLLABLE_TIMED = ("en", "ru"), ("es", "fr", "it")
DEFAULT_ENCODER = "default"
STEP_S = 0.001
LONG_VOWEL_S = 0.3
MIN_INTERVALS = 8
"""Of the prompts whose rhythm counts: `measure_rhythm` asks for fewer."""


def main() -> None:
    """Align what is not aligned yet, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--languages", nargs="*", choices=list(LANGUAGES), default=list(LANGUAGES))
    parser.add_argument("--utterances", type=int, default=150, help="of each language")
    parser.add_argument("--cache", type=Path, default=CACHE / "prosody_languages")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="that the aligner learns by")
    parser.add_argument("--indexes", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    if options.indexes:
        tables = index_tables(options.indexes, options.utterances)
    else:
        own = (options.languages, options.utterances, options.cache, options.encoder)
        tables = rhythm_tables(*own)
    for table in tables:
        Console(width=100).print(table)


def rhythm_tables(
    languages: list[str], utterances: int, cache: Path, encoder: str = DEFAULT_ENCODER
) -> list[Table]:
    """Medians of each language, ours and as published, and whether they order as they should."""
    return _tables(
        {tag: _medians(tag, _aligned(tag, utterances, cache, encoder)) for tag in languages}
    )


def index_tables(folders: list[Path], utterances: int) -> list[Table]:
    """The same of the longest utterances of indexes, as they were aligned when built."""
    found = {}
    for folder in folders:
        index = PhoneIndex.open(folder)
        every = [row.profile for row in profiles_of(index.prosody)]
        profiles = sorted(every, key=lambda own: -len(own.text))[:utterances]
        rows = [own for own in profiles if own.syllables >= MIN_INTERVALS]
        found[index.manifest.language.split("-")[0]] = _summary(
            [[getattr(own, name) for name in MEASURES] for own in rows],
            [own.articulation_rate for own in rows],
            [math.exp(one.log_duration) for own in profiles for one in own.nuclei],
        )
    return _tables(found)


def _tables(found: dict[str, dict[str, float]]) -> list[Table]:
    header = ("", "prompts", "syll./s", "%V", "nPVI-V", "VarcoV", "rPVI-C", "ΔC", "least", "long")
    table = Table(*header, title="Rhythm: median over prompts (published)")
    for tag, values in found.items():
        cells = [
            f"{values[name]:.1f} ({published})"
            for name in MEASURES
            for published in [PUBLISHED[tag].get(name, "—")]
        ]
        counts = (f"{values['prompts']:.0f}", f"{values['rate']:.1f}")
        ends = (f"{100 * values['least']:.0f} %", f"{100 * values['long']:.1f} %")
        table.add_row(tag, *counts, *cells, *ends)
    order = Table("stress-timed", "syllable-timed", "%V lower", "nPVI-V higher", title="Order")
    for stressed in STRESS_TIMED:
        for syllabic in SYLLABLE_TIMED:
            if stressed in found and syllabic in found:
                one, other = found[stressed], found[syllabic]
                as_written = (
                    one["percent_v"] < other["percent_v"],
                    one["npvi_v"] > other["npvi_v"],
                )
                order.add_row(stressed, syllabic, *("yes" if own else "NO" for own in as_written))
    return [table, order]


def _aligned(tag: str, utterances: int, cache: Path, encoder: str) -> list[Alignment]:
    """Alignments of the longest prompts, from the cache or made now."""
    language = LANGUAGES[tag]
    corpus = read_corpus(f"asterisk:{tag}", language=language)
    longest = sorted(corpus.utterances, key=lambda one: (-len(one.text or ""), one.id))[:utterances]
    by = "" if encoder == DEFAULT_ENCODER else f"-{encoder}"
    folder = cache / f"{tag}-{utterances}{by}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        table = write_table(cache / f"{tag}-{utterances}.csv", longest)
        partial = folder.with_suffix(".partial")
        align_corpora(
            AligningRequest(
                (str(table),), language, partial, aligner="flatstart", encoder=encoder, resume=True
            )
        )
        partial.rename(folder)
    inventory = PhoneInventory.load(language)
    return [read_alignment(path, inventory) for path in sorted(folder.rglob("*.TextGrid"))]


def _medians(tag: str, alignments: list[Alignment]) -> dict[str, float]:
    inventory = PhoneInventory.load(LANGUAGES[tag])
    rows, rates, lengths = [], [], []
    for alignment in alignments:
        spoken = alignment.spoken
        own = [phone.duration_s for phone in spoken if inventory.is_syllabic(phone.phone)]
        vowels = len(own)
        lengths += own
        rhythm = measure_rhythm(alignment.phones, inventory)
        if vowels < MIN_INTERVALS or rhythm.npvi_v is None:
            continue
        rows.append([getattr(rhythm, name) for name in MEASURES])
        pauses = sum(
            phone.duration_s
            for phone in alignment.phones
            if phone.is_silence
            and phone.duration_s >= MIN_PAUSE_S
            and spoken[0].start_s < phone.start_s < spoken[-1].end_s
        )
        rates.append(vowels / (spoken[-1].end_s - spoken[0].start_s - pauses))
    return _summary(rows, rates, lengths)


def _summary(rows: list[list[float]], rates: list[float], lengths: list[float]) -> dict[str, float]:
    """Medians of the `MEASURES` and rates of utterances; of the vowels' lengths the two ends."""
    medians = np.nanmedian(np.array(rows, dtype=np.float64), axis=0)
    return {
        "prompts": float(len(rows)),
        "rate": float(np.median(rates)),
        "least": float(np.mean(np.array(lengths) < np.quantile(lengths, 0.01) + STEP_S)),
        "long": float(np.mean(np.array(lengths) > LONG_VOWEL_S)),
        **dict(zip(MEASURES, medians.tolist(), strict=True)),
    }


if __name__ == "__main__":
    main()
