"""Five languages from nothing but Debian's prompts: how well each index hears its own, and others.

    python -m benchmarks.languages [--languages es it] [--limit 100] [--workers 2] [--keep DIR]

Every index is built by the product's own command, without one prompt in ten. `nativeear eval
simulated` then judges these prompts as they are and with simulated substitutions, by `any` phone
and by a near one, English by either calibration. One native speaker per language, in the index and
in the test.

In the second table every index judges every language's natives. What they say is spelled in the
phones of the index, each by the nearest in PanPhon's features. A native of another language should
look bad, one of the same good.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import nativeear
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import write_table
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.readers.asterisk import VOICES
from nativeear.scoring.verdicts import FLAGGED
from nativeear.service.evaluation_corpus import EvaluationRequest
from nativeear.service.evaluation_run import run_evaluation
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from training.splits import is_held_out

CROSSED = 20
"""Held-out prompts of each language that every index judges."""

LONGEST_CROSSED_S = 6.0


@dataclass(frozen=True)
class Built:
    """What came of a build; kept beside the index."""

    language: str
    aligner: str
    seconds: float
    cpu_s: float
    audio_s: float
    used: int
    set_aside: tuple[tuple[str, str], ...]
    native_accuracy: float


def build(short: str, folder: Path, options: argparse.Namespace) -> Built:
    """Build the index of a language, unless it is there, and list its held-out prompts."""
    corpus = read_corpus(f"asterisk:{short}")
    chosen = corpus.utterances[: options.limit]
    held_out = [utterance for utterance in chosen if is_held_out(utterance.id)]
    exclude = {utterance.id for utterance in corpus.utterances} - {u.id for u in chosen}
    write_table(folder / f"{short}.csv", held_out)
    note = folder / f"{short}.json"
    if note.is_file():
        return Built(**json.loads(note.read_text(encoding="utf-8")))
    before = _cpu_s()
    aligner = options.aligner or ("auto" if short == "en" else "flatstart")
    report = build_index(
        BuildRequest(
            corpora=(f"asterisk:{short}",),
            language=corpus.language,
            out=folder / short,
            aligner=aligner,
            encoder=options.encoder,
            workers=options.workers,
            exclude=frozenset(exclude | {utterance.id for utterance in held_out}),
        )
    )
    # What the reader sets aside are files without a text, or with one that nobody can read.
    unread = {item.id for item in corpus.set_aside}
    built = Built(
        corpus.language,
        aligner,
        report.seconds,
        _cpu_s() - before,
        report.audio_s,
        report.utterances,
        tuple(pair for pair in report.set_aside if pair[0] not in unread),
        report.native_accuracy,
    )
    note.write_text(json.dumps(asdict(built), indent=1), encoding="utf-8")
    return built


def _cpu_s() -> float:
    """Processor time of this process and of its workers that have ended."""
    own, workers = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def row(
    short: str, built: Built, folder: Path, workers: int, calibration: str = "auto"
) -> list[str]:
    """The figures of one language."""
    report = run_evaluation(
        EvaluationRequest(
            "simulated",
            str(folder / f"{short}.csv"),
            folder / short,
            calibration=calibration,
            exclude_own=False,  # there is one speaker; what is asked was held out
            workers=workers,
            resamples=200,
        )
    )

    def figure(part: str, name: str, form: str) -> str:
        measure = report.parts[part].measures[name]
        low = measure.value if measure.low is None else measure.low
        high = measure.value if measure.high is None else measure.high
        return f"{measure.value:{form}} ({low:{form}}–{high:{form}})"

    asked = built.used + len(built.set_aside)
    return [
        f"{short}, {report.system.calibration}",
        built.aligner,
        f"{built.seconds:.0f} s",
        f"{built.cpu_s:.0f} s",
        f"{built.seconds / built.audio_s:.2f}",
        f"{built.used} of {asked} ({built.used / asked:.1%})",
        f"{built.native_accuracy:.1%}",
        figure("any", "roc_auc", ".3f"),
        figure("near", "roc_auc", ".3f"),
        figure("untouched", "false_rejection_rate", ".1%"),
    ]


def crossed(shorts: Sequence[str], folder: Path, number: int) -> dict[tuple[str, str], float]:
    """Share of phones flagged, by the language of the index and of the native."""
    found = {}
    corpora = {short: read_corpus(str(folder / f"{short}.csv")).utterances for short in shorts}
    for index in shorts:
        ear = nativeear.load(folder / index)
        for spoken in shorts:
            language = VOICES[spoken].language
            pronouncer = Pronouncer(language)
            nearest = nearest_phones(pronouncer.inventory, ear.inventory)
            flags: list[bool] = []
            done = 0
            for utterance in corpora[spoken]:
                audio = Audio.load(utterance.audio)
                if audio.duration_s > LONGEST_CROSSED_S:
                    continue
                phones = spelled(pronouncer, utterance.text or "", nearest)
                try:
                    result = ear.assess(audio, phones=phones)
                except NativeEarError:  # no path at all: nothing of it was understood
                    flags += [True] * (len(phones.split()) - phones.count("|"))
                else:
                    flags += [
                        phone.verdict in FLAGGED
                        for phone in result.phones
                        if phone.verdict != "uncertain"
                    ]
                done += 1
                if done == number:
                    break
            found[index, spoken] = float(np.mean(flags))
    return found


def nearest_phones(own: PhoneInventory, target: PhoneInventory) -> dict[str, str]:
    """The nearest phone of another inventory, of every phone."""
    return {
        phone.symbol: phone.symbol if phone.symbol in target else target.nearest(phone)[0]
        for phone in own
    }


def spelled(pronouncer: Pronouncer, text: str, nearest: Mapping[str, str]) -> str:
    """A text in the phones of another inventory, as `assess` takes them."""
    words = pronouncer.pronounce(text).words
    return " | ".join(
        " ".join(nearest[phone] for phone in word.variants[0].phones) for word in words
    )


def main() -> None:
    """Build, measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--languages", nargs="+", choices=tuple(VOICES), default=list(VOICES))
    parser.add_argument("--limit", type=int, help="prompts of each language")
    parser.add_argument("--aligner", help="flatstart, and for en what auto picks, by default")
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--crossed", type=int, default=CROSSED, help="0 leaves the table out")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep indexes, or find them here")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    header = (
        *("language", "aligner", "build", "CPU", "× audio", "prompts used", "kNN accuracy"),
        *("AUC any", "AUC near", "false rejections at 4 %"),
    )
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reasons, rows = [], []
        for short in options.languages:
            built = build(short, folder, options)
            reasons += [f"{short}: {identity}: {reason}" for identity, reason in built.set_aside]
            for calibration in ("auto", "training-free") if short == "en" else ("auto",):
                rows.append(row(short, built, folder, options.workers, calibration))
                print(*rows[-1], sep=" | ", flush=True)
        title = "indexes from Debian's prompts, judged on held-out ones (95 % intervals)"
        show(title, header, rows)
        print("set aside:", *reasons, sep="\n")
        if options.crossed:
            flagged = crossed(options.languages, folder, options.crossed)
            show(
                "share of phones flagged: index (rows) and native (columns)",
                ("", *options.languages),
                [
                    (index, *(f"{flagged[index, spoken]:.0%}" for spoken in options.languages))
                    for index in options.languages
                ],
            )


if __name__ == "__main__":
    main()
