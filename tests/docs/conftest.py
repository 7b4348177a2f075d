"""A folder in which the files lie that the docs speak of, small."""

import csv
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.demo import DONOR, PROMPT
from nativeear.speech.audio import Audio
from tests.docs.reading import ROOT
from tests.service.test_inventory_command import TABLE
from tests.support.aligned import GRIDS, prompts_with_text

SAVED = "Your message has been saved."
SAVED_PHONES = "Y AO R | M EH S AH JH | HH AE Z | B IH N | S EY V D"
DATA = ROOT / "service" / "data"


def write(path: Path, header: str, rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([tuple(header.split(",")), *rows])


@pytest.fixture
def folder(tone_index: PhoneIndex, tmp_path: Path) -> Path:
    """Recordings, tables and an index under the names that the docs use."""
    folder = tmp_path / "reader"
    folder.mkdir()
    for name in ("me.wav", "io.wav", "native.wav", "other-native.wav"):
        shutil.copy(DATA / "vm-msgsaved.flac", folder / name)
    spoken = (("vm-msgsaved.flac", SAVED), PROMPT, DONOR)
    for name, _ in spoken:
        shutil.copy(DATA / name, folder)
    people = list(zip(("anna", "ben", "ben"), spoken, strict=True))
    natives = [(audio, text, who) for who, (audio, text) in people]
    for table in ("recordings.csv", "britons.csv"):
        write(folder / table, "audio,text,speaker", natives)
    for table, who in (("more.csv", "cleo"), ("others.csv", "dora")):
        shutil.copy(DATA / PROMPT[0], folder / f"{who}.flac")
        write(folder / table, "audio,text,speaker", [(f"{who}.flac", PROMPT[1], who)])
    write(folder / "batch.csv", "id,audio,text", [(str(n), "me.wav", SAVED) for n in range(3)])
    write_rated(folder)
    (folder / "practice.txt").write_text(f"{SAVED}\n")
    (folder / "lexicon.dict").write_text("sees S IY S\nmama M AA M AA\n")
    english = "1,stan1293,eng,English,s,spa\n1,stan1293,eng,English,θ,spa\n"
    (folder / "phoible.csv").write_text(TABLE + english, encoding="utf-8")
    (folder / "words.csv").write_text(
        "headword,pos,CEFR\nsee,verb,A1\nmother,noun,A1\nroot,noun,B1\n"
    )
    shutil.copytree(tone_index.path, folder / "my-index")
    prompts_with_text(folder / "speech")
    shutil.copytree(GRIDS, folder / "grids")
    (folder / "labels.csv").write_text("label,phones\ndx,T\nbreath,-\n")
    (folder / "indexes").mkdir()
    return folder


def write_rated(folder: Path) -> None:
    """Twenty ratings of ten recordings each clean (B2) and in noise (A2)."""
    clean = Audio.load(DATA / "vm-msgsaved.flac").samples
    rng = np.random.default_rng(0)
    rows = []
    for number in range(10):
        for band, noise in (("B2", 0.0005), ("A2", 0.02)):
            name = f"{band}-{number}.wav"
            noisy = clean + noise * rng.normal(size=len(clean))
            soundfile.write(folder / name, noisy, 16_000, subtype="PCM_16")
            scores = " ".join(["2"] * len(SAVED_PHONES.replace(" |", "").split()))
            speaker = f"s{number % 5}"
            rows.append((name, name, "", SAVED_PHONES, scores, speaker, band))
    write(folder / "rated.csv", "id,audio,text,phones,phone_scores,speaker,band", rows)


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in that folder, with its indexes as those of the user."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(folder / "indexes"))
    monkeypatch.delenv("NATIVEEAR_ASR", raising=False)
    return folder
