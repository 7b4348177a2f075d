"""Is the right accent chosen, and is it punished less than by the wrong one?

    python -m benchmarks.accents [--prompts FOLDER] [--each 10] [--keep DIR]

Two pairs of indexes are built by the product's own command, and recordings that neither holds are
assessed against both with `--accent auto`.

- English: natives of the US and speakers from China, from `../shared/data`. A third of the
  speakers of each is left out, so no voice that is asked is in an index. Microphones differ as
  well as accents, and what tells them apart may be either.
- French: Debian's prompts of Canada (June) and of France (Armelle), both in GSM, one voice each, so
  accent and voice cannot be told apart. `--prompts` names a folder into which the packages
  `asterisk-core-sounds-fr-gsm` and `asterisk-prompt-fr-armelle` were unpacked (`apt-get download`,
  `dpkg -x`; they cannot be installed side by side). Only numbers, letters and names of letters are
  taken, since no package has the texts of the second. A fifth of these is left out.

"Flagged" is the share of phones called wrong of those that are judged: in natives all of it is
false. Learners from China also make mistakes, so that theirs is not.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.speech_data import DATA, write_table
from nativeear import load
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.retriever.nearness import OWN_SHARE, natives_own
from nativeear.scoring.accents import Accents
from nativeear.scoring.assessment import Accent, Assessment
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError
from training.splits import fold_of

SHARES = tuple(dict.fromkeys((0.0, OWN_SHARE, 1.0)))
LEARNERS = 25
INSIDE = 60
"""Utterances of a speaker in an index, at most."""

SURE_NAMES = ("digits", "letters", "phonetic")
FRENCH = {"fr-CA": ("fr_CA_f_June", "June"), "fr-FR": ("fr", "Armelle")}


@dataclass(frozen=True)
class Speech:
    """What is indexed of an accent, and what is asked of it."""

    inside: Sequence[Utterance]
    outside: Sequence[Utterance]


def main() -> None:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prompts", type=Path, metavar="FOLDER", help="adds the French pair")
    parser.add_argument("--each", type=int, default=10, help="recordings asked of each speaker")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep indexes, or find them here")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if (DATA / "native-english").is_dir():
            measure("English", english(options.each), folder)
        else:
            print("The development speech is not here: English is left out.", file=sys.stderr)
        if options.prompts:
            measure("French", french(options.prompts, folder), folder)


def english(each: int) -> dict[str, Speech]:
    """Speakers of the US and of China, a third of each left out."""
    found = {}
    for tag, name in (("en-US", "native-english"), ("en-CN", "speechocean762-train")):
        by_speaker: dict[str, list[Utterance]] = {}
        for utterance in read_corpus(DATA / name, language="en-US").utterances:
            by_speaker.setdefault(utterance.speaker, []).append(utterance)
        speakers = sorted(by_speaker)
        speakers = speakers[:: max(1, len(speakers) // LEARNERS)][:LEARNERS]
        found[tag] = Speech(
            [u for s in speakers if s not in speakers[::3] for u in by_speaker[s][:INSIDE]],
            [u for s in speakers[::3] for u in by_speaker[s][-each:]],
        )
    return found


def french(prompts: Path, folder: Path) -> dict[str, Speech]:
    """Prompts of two voices whose texts are sure, as WAV."""
    sounds = prompts / "usr/share/asterisk/sounds"
    texts = {u.id: u.text for u in read_corpus("asterisk:fr").utterances}
    found = {}
    for tag, (own, speaker) in FRENCH.items():
        utterances = []
        for identity, text in texts.items():
            source = sounds / own / f"{identity}.gsm"
            if identity.split("/")[0] in SURE_NAMES and source.is_file():
                wav = folder / "wav" / tag / f"{identity}.wav"
                utterances.append(Utterance(identity, _as_wav(source, wav), text, speaker))
        if not utterances:
            sys.exit(f"There are no prompts of {tag} below {sounds}.")
        found[tag] = Speech(
            [u for u in utterances if fold_of(u.id)], [u for u in utterances if not fold_of(u.id)]
        )
    return found


def _as_wav(source: Path, target: Path) -> Path:
    """Raw GSM has no header by which a decoder could know it."""
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", source, target], check=True
        )
    return target


def measure(title: str, speech: Mapping[str, Speech], folder: Path) -> None:
    """Build the indexes of a pair, ask both about all that was left out, and print."""
    for tag, own in speech.items():
        if not (folder / tag).is_dir():
            report = build_index(
                BuildRequest(
                    corpora=(str(write_table(folder / f"{tag}.csv", own.inside)),),
                    language=tag,
                    out=folder / tag,
                )
            )
            print(
                f"{tag}: {report.utterances} utterances, left-out natives nearest to their own "
                f"kind {report.native_accuracy:.1%}"
            )
    alone = {tag: load(folder / tag) for tag in speech}
    accents = Accents(list(alone.values()))
    table = Table(title=f"{title}: recordings that no index holds")
    for column in (
        *("spoken", "recordings", "chosen right", "sure", "right if sure"),
        *("flagged by the right", "by the wrong", "by auto"),
        *(f"right, own share {share:g}" for share in SHARES),
    ):
        table.add_column(column, justify="left" if column == "spoken" else "right")
    for spoken, own in speech.items():
        right, sure, refused = [], [], 0
        by_share: list[list[bool]] = []
        results: dict[str, list[Assessment]] = {"auto": [], **{tag: [] for tag in speech}}
        for utterance in own.outside:
            try:
                audio = Audio.load(utterance.audio)
                judged = {tag: ear.assess(audio, utterance.text) for tag, ear in alone.items()}
                result = accents.assess(audio, utterance.text)
            except NativeEarError as error:
                refused += 1
                print(f"{utterance.id}: {error.message}", file=sys.stderr)
                continue
            for tag, one in (*judged.items(), ("auto", result)):
                results[tag].append(one)
            if result.accent is None:
                raise AssertionError("an assessment by accents has no accent")
            chosen = accents.assessor_of(result).language
            right.append(chosen == spoken)
            sure.append(result.accent.sure)
            by_share.append([_nearest(accents, result.accent, s) == spoken for s in SHARES])
        other = next(tag for tag in speech if tag != spoken)
        certain = [r for r, s in zip(right, sure, strict=True) if s]
        table.add_row(
            spoken,
            str(len(right)),
            f"{np.mean(right):.0%}",
            f"{np.mean(sure):.0%}",
            f"{np.mean(certain):.0%}" if certain else "–",
            *(flagged(results[by]) for by in (spoken, other, "auto")),
            *(f"{share:.0%}" for share in np.mean(by_share, axis=0)),
        )
        if refused:
            print(f"{spoken}: {refused} could not be assessed")
    Console(width=150).print(table)


def flagged(results: Iterable[Assessment]) -> str:
    """Share of the judged phones that are called wrong, and how many were judged."""
    verdicts = [p.verdict for one in results for p in one.phones if p.verdict != "uncertain"]
    if not verdicts:
        return "–"
    return f"{np.mean([verdict in FLAGGED for verdict in verdicts]):.1%} of {len(verdicts)}"


def _nearest(accents: Accents, accent: Accent, share: float) -> str:
    """Language of the nearest index, had another share of its natives' own been allowed for."""
    near = {
        assessor.language: -math.inf
        if candidate.nearness is None
        else candidate.nearness + (OWN_SHARE - share) * natives_own(assessor.index)
        for assessor, candidate in zip(accents.assessors, accent.candidates, strict=True)
    }
    return max(near, key=lambda tag: near[tag])


if __name__ == "__main__":
    main()
