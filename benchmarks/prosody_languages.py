"""Rhythm and rate of the five languages of Debian's prompts beside published values.

    python -m benchmarks.prosody_languages [--languages en es fr it ru] [--utterances N]

One native speaker each reads telephone prompts. All five are aligned by the same means, an aligner
learnt from the very prompts, so that no language has a better one; the TextGrids are kept under
`.work/` and not made again. The longest prompts are taken, for rhythm is of sentences. `least`
is the share of vowels with the least length that the aligner can give, `long` of those beyond
300 ms, which have swallowed a pause or a neighbour: what rhythm they had is lost.

Published: %V and ΔC of Ramus, Nespor and Mehler (Cognition 73, 1999, table 1), nPVI-V and rPVI-C of
Grabe and Low (Laboratory Phonology 7, 2002, table 1; British English), VarcoV of White and Mattys
(Journal of Phonetics 35, 2007). Neither paper has Russian, and the second no Italian.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.speech_data import CACHE, write_table
from indexer.aligning import AligningRequest, align_corpora
from indexer.corpus import read_corpus
from speech.aligners.textgrid import read_alignment
from speech.alignment import Alignment
from speech.inventory import PhoneInventory
from speech.prosody.pauses import MIN_PAUSE_S
from speech.prosody.rhythm import measure_rhythm

LANGUAGES = {"en": "en-US", "es": "es", "fr": "fr", "it": "it", "ru": "ru"}
MEASURES = ("percent_v", "npvi_v", "varco_v", "rpvi_c", "delta_c")
PUBLISHED: dict[str, dict[str, float]] = {
    "en": {"percent_v": 40.1, "npvi_v": 57.2, "varco_v": 64, "rpvi_c": 64.1, "delta_c": 53.5},
    "es": {"percent_v": 43.8, "npvi_v": 29.7, "varco_v": 41, "rpvi_c": 57.7, "delta_c": 47.4},
    "fr": {"percent_v": 43.6, "npvi_v": 43.5, "varco_v": 50, "rpvi_c": 50.4, "delta_c": 43.9},
    "it": {"percent_v": 45.2, "delta_c": 48.1},
    "ru": {},
}
STRESS_TIMED, SYLLABLE_TIMED = ("en", "ru"), ("es", "fr")
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
    options = parser.parse_args()
    for table in rhythm_tables(options.languages, options.utterances, options.cache):
        Console(width=100).print(table)


def rhythm_tables(languages: list[str], utterances: int, cache: Path) -> list[Table]:
    """Medians of each language, ours and as published, and whether they order as they should."""
    found = {tag: _medians(tag, _aligned(tag, utterances, cache)) for tag in languages}
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


def _aligned(tag: str, utterances: int, cache: Path) -> list[Alignment]:
    """Alignments of the longest prompts, from the cache or made now."""
    language = LANGUAGES[tag]
    corpus = read_corpus(f"asterisk:{tag}", language=language)
    longest = sorted(corpus.utterances, key=lambda one: (-len(one.text or ""), one.id))[:utterances]
    folder = cache / f"{tag}-{utterances}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        table = write_table(cache / f"{tag}-{utterances}.csv", longest)
        partial = folder.with_suffix(".partial")
        align_corpora(
            AligningRequest((str(table),), language, partial, aligner="flatstart", resume=True)
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
