"""Five languages from nothing but Debian's prompts: how well each index hears its own, and others.

    python -m benchmarks.languages [--languages es it] [--limit 100] [--workers 2] [--keep DIR]
    python -m benchmarks.languages --second DIR [--languages es fr it]

Every index is built by the product's own command, without one prompt in ten. `nativeear eval
simulated` then judges these prompts as they are and with simulated substitutions, by `any` phone
and by a near one, English by either calibration. One native speaker per language, in the index and
in the test.

With `--second`, each index judges the prompts of another voice of its language. Debian has a second
voice of Spanish, French and Italian; where its package cannot be installed beside the first voice's
texts, DIR is where it was unpacked,

    apt-get download asterisk-prompt-es-co asterisk-prompt-fr-armelle asterisk-prompt-it-menardi-wav
    for package in asterisk-prompt-*.deb; do dpkg -x $package DIR; done

or `/` where they are installed. They were recorded for telephones, at 8 kHz. The
Italian texts are those of the first voice's prompts of the same names; a prompt in which the second
voice's own index misses words of it is of another text, and is not asked. Each of the two indexes
judges the other's held-out prompts. Spanish and French have other wordings: what is said in some of
them Whisper base heard; read over by hand, it is kept in `second_voices.csv` where there was no
doubt. That is too little to build an index from, and all of it is asked. A prompt that is not heard
to be of its text is not judged, and with errors few are: the last figures are of all of them.

In the last table every index judges every language's natives. What they say is spelled in the
phones of the index, each by the nearest in PanPhon's features. A native of another language should
look bad, one of the same good; what is not heard to be of its text looks bad all over.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import nativeear
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import write_table
from nativeear.indexer.annotated_corpus import AnnotatedUtterance, Speaker
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.readers.asterisk import VOICES
from nativeear.indexes.reliability import phone_reliability
from nativeear.scoring.evaluation.simulated import KINDS, Simulation, claimable
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.metrics import roc_auc
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
PARTS = ("untouched", "any", "near")
FIGURES = ("AUC any", "AUC near", "false rejections at 4 %", "not judged, right; any; near")


SECOND_VOICES = {
    "es": "usr/share/asterisk/sounds/es",
    "fr": "usr/share/asterisk/sounds/fr",
    "it": "usr/share/asterisk/sounds/it_IT_f_Menardi",
}
"""Where the second voices' packages put their prompts."""

TEXTS = Path(__file__).with_name("second_voices.csv")
"""What second voices say who have texts of their own."""


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


def build(
    name: str, utterances: Sequence[Utterance], folder: Path, options: argparse.Namespace
) -> Built:
    """Build the index of a voice, unless it is there, and list its held-out prompts."""
    short = name.partition("-")[0]
    chosen = utterances[: options.limit]
    held_out = [utterance for utterance in chosen if is_held_out(utterance.id)]
    write_table(folder / f"{name}.csv", held_out)
    learnt = write_table(folder / f"{name}-index.csv", [u for u in chosen if not is_held_out(u.id)])
    note = folder / f"{name}.json"
    if note.is_file():
        return Built(**json.loads(note.read_text(encoding="utf-8")))
    before = _cpu_s()
    aligner = options.aligner or ("auto" if short == "en" else "flatstart")
    report = build_index(
        BuildRequest(
            corpora=(str(learnt),),
            language=VOICES[short].language,
            out=folder / name,
            aligner=aligner,
            encoder=options.encoder,
            workers=options.workers,
        )
    )
    built = Built(
        VOICES[short].language,
        aligner,
        report.seconds,
        _cpu_s() - before,
        report.audio_s,
        report.utterances,
        tuple(report.set_aside),
        report.native_accuracy,
    )
    note.write_text(json.dumps(asdict(built), indent=1), encoding="utf-8")
    return built


def second_voice(
    short: str, first: Sequence[Utterance], root: Path, folder: Path
) -> list[Utterance]:
    """The prompts of a language's second voice whose texts are known, decoded to WAV.

    Exits where they are not below `root`.
    """
    prompts = root / SECOND_VOICES[short]
    found = []
    for name, text in (own_texts(short) or {u.id: u.text or "" for u in first}).items():
        sources = [prompts / f"{name}.{kind}" for kind in ("wav", "gsm")]
        source = next((file for file in sources if file.is_file()), None)
        if source is None:
            continue
        decoded = folder / f"{short}-second" / f"{name}.wav"
        decoded.parent.mkdir(parents=True, exist_ok=True)
        command = ("ffmpeg", "-loglevel", "error", "-y", "-i", str(source), str(decoded))
        if decoded.is_file() or subprocess.run(command, check=False).returncode == 0:
            found.append(Utterance(name, decoded, text, f"{short}-second"))
    if not found:
        sys.exit(f"{prompts} has no prompts of the second voice: see --second.")
    return found


def own_texts(short: str) -> dict[str, str]:
    """What a language's second voice says, by prompt; empty where it says what the first does."""
    with TEXTS.open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["language"] == short]
    return {row["prompt"]: row["text"] for row in rows}


def _cpu_s() -> float:
    """Processor time of this process and of its workers that have ended."""
    own, workers = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def measured(index: Path, spoken: Path, workers: int, calibration: str = "auto") -> tuple[str, ...]:
    """The calibration, AUC by any and near phones, false rejections, and what is not judged.

    A prompt that is not heard to be of its text is not judged at all, and errors may be why.
    """
    report = run_evaluation(
        EvaluationRequest(
            "simulated",
            str(spoken),
            index,
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

    return (
        report.system.calibration,
        figure("any", "roc_auc", ".3f"),
        figure("near", "roc_auc", ".3f"),
        figure("untouched", "false_rejection_rate", ".1%"),
        "; ".join(f"{report.parts[p].measures['uncertain_share'].value:.0%}" for p in PARTS),
    )


def row(
    short: str, built: Built, folder: Path, workers: int, calibration: str = "auto"
) -> list[str]:
    """The figures of one language."""
    name, *figures = measured(folder / short, folder / f"{short}.csv", workers, calibration)
    asked = built.used + len(built.set_aside)
    return [
        f"{short}, {name}",
        built.aligner,
        f"{built.seconds:.0f} s",
        f"{built.cpu_s:.0f} s",
        f"{built.seconds / built.audio_s:.2f}",
        f"{built.used} of {asked} ({built.used / asked:.1%})",
        f"{built.native_accuracy:.1%}",
        *figures,
    ]


def keep_of_text(folder: Path, voice: str) -> None:
    """Drop the held-out prompts in which the voice's own index does not hear all of the text."""
    ear = nativeear.load(folder / voice)
    spoken = read_corpus(str(folder / f"{voice}.csv"), language=ear.language).utterances
    kept = []
    for utterance in spoken:
        result = ear.assess(utterance.audio, utterance.text)
        omitted = any(word.omitted for word in result.words)
        if not (result.of_another_text or omitted):
            kept.append(utterance)
    print(f"{voice}: {len(kept)} of {len(spoken)} held-out prompts are of their text", flush=True)
    write_table(folder / f"{voice}.csv", kept)


def all_judged(index: Path, spoken: Path) -> tuple[str, str, str]:
    """AUC by any and near phones and false rejections where no prompt, and no word, is refused."""
    ear = nativeear.load(index, calibration="training-free")
    judge = TrainingFree(ear.index)
    simulation = Simulation(claimable(phone_reliability(ear.index), ear.inventory), ear.inventory)
    wrong: dict[str, list[bool]] = {part: [] for part in PARTS}
    scores: dict[str, list[float]] = {part: [] for part in PARTS}
    flagged: list[bool] = []
    for u in read_corpus(str(spoken), language=ear.language).utterances:
        audio, text = Audio.load(u.audio), u.text or ""
        untouched = ear.assess(audio, text)
        said = " | ".join(" ".join(p.phone for p in word.phones) for word in untouched.words)
        meant: dict[str, tuple[str | None, list[bool]]] = {
            "untouched": (said, [False] * len(untouched.phones))
        }
        annotated = AnnotatedUtterance(u.id, Speaker(u.id), u.audio, text)
        for kind in KINDS:
            altered = simulation.with_errors(annotated, untouched, kind)
            if altered is not None:
                errors = [bool(phone.mispronounced) for phone in altered.phones]
                meant[kind] = altered.given_phones, errors
        for part, (phones, errors) in meant.items():
            evidence = ear.gather_evidence(audio, ear.pronounce(None, phones))
            for grade, error in zip(judge.grades(evidence), errors, strict=True):
                if grade.verdict == "uncertain" or grade.score is None:
                    continue
                wrong[part].append(error)
                scores[part].append(grade.score)
                flagged += [grade.verdict in FLAGGED] * (part == "untouched")
    any_, near = (roc_auc(np.array(wrong[kind]), -np.array(scores[kind])) for kind in KINDS)
    return f"{any_:.3f}", f"{near:.3f}", f"{np.mean(flagged):.1%}"


def across_voices(folder: Path, options: argparse.Namespace) -> list[tuple[str, ...]]:
    """Each voice judged by the index of the other, and by its own."""
    rows = []
    for short in (short for short in options.languages if short in SECOND_VOICES):
        first = read_corpus(f"asterisk:{short}").utterances
        other = f"{short}-2"
        second = second_voice(short, first, options.second, folder)
        build(short, first, folder, options)
        pairs = [(short, other), (short, short)]
        if own_texts(short):
            write_table(folder / f"{other}.csv", second[: options.limit])
        else:
            build(other, second, folder, options)
            keep_of_text(folder, other)
            pairs += [(other, short), (other, other)]
        for index, spoken in pairs:
            found = measured(folder / index, folder / f"{spoken}.csv", options.workers)
            everything = all_judged(folder / index, folder / f"{spoken}.csv")
            rows.append((index, spoken, *found[1:], "; ".join(everything)))
            print(*rows[-1], sep=" | ", flush=True)
    return sorted(rows, key=lambda row: row[0] == row[1])


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
                    refused = result.of_another_text
                except NativeEarError:  # no path at all
                    refused = True
                if refused:  # nothing of it was understood
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
    parser.add_argument("--second", type=Path, metavar="DIR", help="judge across voices, see above")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep indexes, or find them here")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.second:
            across = across_voices(folder, options)
            columns = ("index", "voice", *FIGURES, "all judged: any; near; false rejections")
            show("held-out prompts, by voice", columns, across)
            return
        reasons, rows = [], []
        for short in options.languages:
            built = build(short, read_corpus(f"asterisk:{short}").utterances, folder, options)
            reasons += [f"{short}: {identity}: {reason}" for identity, reason in built.set_aside]
            for calibration in ("auto", "training-free") if short == "en" else ("auto",):
                rows.append(row(short, built, folder, options.workers, calibration))
                print(*rows[-1], sep=" | ", flush=True)
        header = (
            *("language", "aligner", "build", "CPU", "× audio", "prompts used", "kNN accuracy"),
            *FIGURES,
        )
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
